/** Numbers, sizes, names and values as text. */

/** Rounded to a whole number: "20,000". */
export function count(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

/** One mebibyte in bytes. */
export const MIB = 2 ** 20;

/** Bytes in MiB: "1,024 MiB" (rounded up), or with decimals "12.5 MiB". */
export function mebibytes(bytes: number, decimals = 0): string {
  const value = bytes / MIB;
  return `${decimals === 0 ? count(Math.ceil(value)) : value.toFixed(decimals)} MiB`;
}

/** Bytes in the largest unit that gives at least 1: "512 bytes", "64 KiB", "1.5 GiB". */
export function byteSize(bytes: number): string {
  const units = ['bytes', 'KiB', 'MiB', 'GiB'];
  const power = Math.min(Math.floor(Math.log2(Math.max(bytes, 1)) / 10), 3);
  const value = bytes / 1024 ** power;
  return `${Number.isInteger(value) ? value : value.toFixed(1)} ${units[power]}`;
}

/** "1 picture", "1,200 pictures". `several` is the plural if it takes more than an s. */
export function counted(value: number, one: string, several = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : several}`;
}

/** Control and format characters, which could move a terminal's cursor, colour it or change the reading direction. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/** A file's name in one printable line: control and format characters become `\u{hex}`. */
export function printable(name: string): string {
  return name.replace(UNPRINTABLE, character => `\\u{${character.codePointAt(0)?.toString(16)}}`);
}

/** A word of a command line for a shell, quoted if necessary. */
export function forShell(word: string): string {
  return /^[\w./:=+,@%-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** `value` as indented JSON with a final newline. */
export function jsonText(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}

/**
 * Up to `digits` significant digits without trailing zeros, in scientific notation outside 0.001…999,999: "0.0123",
 * "1e-4". "–" for NaN and infinity.
 */
export function figure(value: number, digits = 3): string {
  if (!Number.isFinite(value)) return '–';
  if (value === 0) return '0';
  const size = Math.abs(value);
  if (size < 1e-3 || size >= 1e6) return value.toExponential(digits - 1).replace(/\.?0*e\+?/, 'e');
  const rounded = Number(value.toPrecision(digits));
  return size >= 1000 ? rounded.toLocaleString('en-US') : String(rounded);
}

/** Seconds as "3 min 4 s", "2 h 10 min", "0.8 s". "–" for negative, NaN and infinity. */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds) || seconds < 0) return '–';
  if (seconds < 9.95) return `${figure(seconds, 2)} s`;
  const whole = Math.round(seconds);
  const [h, min, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  if (h > 0) return min > 0 ? `${count(h)} h ${min} min` : `${count(h)} h`;
  if (min === 0) return `${s} s`;
  return s > 0 ? `${min} min ${s} s` : `${min} min`;
}

/** "+1.23", "−0.04", "0.00": with a sign, and U+2212 as minus. */
export function signed(value: number, decimals: number): string {
  const text = Math.abs(value).toFixed(decimals);
  if (Number(text) === 0) return text;
  return `${value > 0 ? '+' : '−'}${text}`;
}

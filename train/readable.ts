/** Numbers as people read them. */

/** "20,000". */
export function count(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

/** Bytes as "1,024 MiB". */
export function mebibytes(bytes: number): string {
  return `${count(Math.ceil(bytes / 2 ** 20))} MiB`;
}

/** A word of a command line as shells take it: quoted where it needs to be. */
export function forShell(word: string): string {
  return /^[\w./:=+,@%-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** Up to `digits` significant digits, without trailing zeros, powers of ten beyond 0.001…999,999: "0.0123", "1e-4". */
export function figure(value: number, digits = 3): string {
  if (!Number.isFinite(value)) return '–';
  if (value === 0) return '0';
  const size = Math.abs(value);
  if (size < 1e-3 || size >= 1e6) return value.toExponential(digits - 1).replace(/\.?0*e\+?/, 'e');
  const rounded = Number(value.toPrecision(digits));
  return size >= 1000 ? rounded.toLocaleString('en-US') : String(rounded);
}

/** "3 min 4 s", "2 h 10 min", "0.8 s". */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds) || seconds < 0) return '–';
  if (seconds < 9.95) return `${figure(seconds, 2)} s`;
  const whole = Math.round(seconds);
  const [h, min, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  if (h > 0) return min > 0 ? `${count(h)} h ${min} min` : `${count(h)} h`;
  if (min === 0) return `${s} s`;
  return s > 0 ? `${min} min ${s} s` : `${min} min`;
}

/** "+1.23", "−0.04", "0.00": with a sign and a real minus. */
export function signed(value: number, decimals: number): string {
  const text = Math.abs(value).toFixed(decimals);
  if (Number(text) === 0) return text;
  return `${value > 0 ? '+' : '−'}${text}`;
}

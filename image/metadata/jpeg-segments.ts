/** The segments of a JPEG file (ITU-T T.81, annex B). */

export interface JpegSegment {
  /** The second byte of its marker. */
  readonly marker: number;
  /** Where its marker starts, and where the segment ends, including a scan's coded data. */
  readonly at: number;
  readonly end: number;
  /** Its payload, not copied. */
  readonly data: Uint8Array;
  /** Number of stray bytes before its marker. */
  readonly stray: number;
}

export const SOI = 0xd8;
export const EOI = 0xd9;
export const SOS = 0xda;
export const APP0 = 0xe0;
export const APP1 = 0xe1;
export const APP2 = 0xe2;
export const COM = 0xfe;

const isRestart = (marker: number) => marker >= 0xd0 && marker <= 0xd7;

/** True for the frame headers SOF0…SOF15, which exclude C4, C8 and CC. */
export function isFrame(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
}

/** Files have dozens. */
const MOST_SEGMENTS = 100_000;

/** The segments after SOI up to EOI, as far as they are complete. Stray bytes before a marker are skipped. */
export function* jpegSegments(bytes: Uint8Array): Generator<JpegSegment> {
  if (bytes[0] !== 0xff || bytes[1] !== SOI) return;
  let from = 2;
  for (let count = 0; count < MOST_SEGMENTS; count++) {
    const at = nextMarker(bytes, from);
    if (at < 0) return;
    const marker = bytes[at + 1];
    const stray = at - from - fillBytes(bytes, from, at);
    const empty = bytes.subarray(at + 2, at + 2);
    if (marker === EOI) {
      yield { marker, at, end: at + 2, data: empty, stray };
      return;
    }
    if (marker === 0x01 || marker === SOI || isRestart(marker)) {
      yield { marker, at, end: at + 2, data: empty, stray };
      from = at + 2;
      continue;
    }
    if (at + 4 > bytes.length) return;
    const length = (bytes[at + 2] << 8) | bytes[at + 3];
    const dataEnd = at + 2 + length;
    if (length < 2 || dataEnd > bytes.length) return;
    const end = marker === SOS ? codedEnd(bytes, dataEnd) : dataEnd;
    yield { marker, at, end, data: bytes.subarray(at + 4, dataEnd), stray };
    from = end;
  }
}

/** The offset of the next marker (the last FF before its number), or -1. */
function nextMarker(bytes: Uint8Array, from: number): number {
  for (let at = bytes.indexOf(0xff, from); at >= 0 && at + 1 < bytes.length; at = bytes.indexOf(0xff, at + 1)) {
    if (bytes[at + 1] !== 0xff && bytes[at + 1] !== 0) return at;
  }
  return -1;
}

/** The number of FF fill bytes right before a marker. */
function fillBytes(bytes: Uint8Array, from: number, at: number): number {
  let start = at;
  while (start > from && bytes[start - 1] === 0xff) start--;
  return at - start;
}

/** Where coded data end: at the first marker that is not part of them, or at the end of the file. */
function codedEnd(bytes: Uint8Array, from: number): number {
  for (let at = nextMarker(bytes, from); at >= 0; at = nextMarker(bytes, at + 2)) {
    if (isRestart(bytes[at + 1])) continue;
    return at - fillBytes(bytes, from, at);
  }
  return bytes.length;
}

/** True if the data start with these letters. */
export function startsWith(data: Uint8Array, letters: string): boolean {
  if (data.length < letters.length) return false;
  for (let i = 0; i < letters.length; i++) if (data[i] !== letters.charCodeAt(i)) return false;
  return true;
}

/** The first offset of these letters, or -1. */
export function indexOfLetters(bytes: Uint8Array, letters: string): number {
  const first = letters.charCodeAt(0);
  for (let at = bytes.indexOf(first); at >= 0; at = bytes.indexOf(first, at + 1)) {
    if (startsWith(bytes.subarray(at, at + letters.length), letters)) return at;
  }
  return -1;
}

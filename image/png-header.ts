/** What a PNG file says of itself before its pixels (PNG specification, third edition, sections 5 and 11). */

import { ImageError } from './errors.ts';

export interface PngHeader {
  readonly width: number;
  readonly height: number;
  /** Bits a sample: 1, 2, 4, 8 or 16. */
  readonly depth: number;
  /** 0 grey, 2 RGB, 3 palette, 4 grey and alpha, 6 RGB and alpha. */
  readonly colourType: number;
  /** A tRNS chunk makes some colours transparent. */
  readonly transparency: boolean;
  /** Length of the file up to and including its IEND chunk: bytes beyond are not part of the picture. */
  readonly end: number;
}

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

/** True where `bytes` begin as a PNG file does. */
export function isPng(bytes: Uint8Array): boolean {
  return bytes.length >= 8 && SIGNATURE.every((value, i) => bytes[i] === value);
}

/**
 * Walks the chunks of a PNG file.
 * @throws ImageError where the header is missing or impossible, or the file ends before its IEND chunk.
 */
export function readPngHeader(bytes: Uint8Array, name: string): PngHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const type = (at: number) => String.fromCharCode(...bytes.subarray(at + 4, at + 8));
  if (bytes.length < 33 || type(8) !== 'IHDR') throw new ImageError(name, 'damaged PNG: no header (file cut off?)');
  const width = view.getUint32(16);
  const height = view.getUint32(20);
  const depth = bytes[24];
  const colourType = bytes[25];
  if (width === 0 || height === 0 || ![0, 2, 3, 4, 6].includes(colourType) || ![1, 2, 4, 8, 16].includes(depth)) {
    throw new ImageError(name, `damaged PNG: impossible header (${width}x${height}, type ${colourType}, ${depth} bit)`);
  }
  let transparency = false;
  let pixels = false;
  for (let at = 8; at + 12 <= bytes.length; at += 12 + view.getUint32(at)) {
    const chunk = type(at);
    if (chunk === 'tRNS') transparency = true;
    if (chunk === 'IDAT') pixels = true;
    if (chunk !== 'IEND') continue;
    if (!pixels) break;
    return { width, height, depth, colourType, transparency, end: at + 12 };
  }
  throw new ImageError(name, 'damaged PNG: the file ends too early');
}

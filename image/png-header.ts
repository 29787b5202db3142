/** Reads the structure of PNG files: header and chunks (PNG specification, third edition, sections 5 and 11). */

import { ImageError } from './errors.ts';

export interface PngHeader {
  readonly width: number;
  readonly height: number;
  /** Bits per sample: 1, 2, 4, 8 or 16. */
  readonly depth: number;
  /** 0 grey, 2 RGB, 3 palette, 4 grey and alpha, 6 RGB and alpha. */
  readonly colourType: number;
  /** True for the seven passes of Adam7. */
  readonly interlaced: boolean;
}

/** A file's header and all its chunks, from IHDR to IEND. Later bytes are not part of the picture. */
export interface PngStructure {
  readonly header: PngHeader;
  readonly chunks: readonly PngChunk[];
}

/** A chunk: its offset in the file, and its data, not copied. */
export interface PngChunk {
  readonly type: string;
  readonly at: number;
  readonly data: Uint8Array;
}

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

/** The chunk before the header in Xcode's files, which use another compression and channel order. */
const CGBI = 0x43674249;

/** Bits per sample that each colour type allows. */
const DEPTHS: Readonly<Record<number, readonly number[]>> = {
  0: [1, 2, 4, 8, 16],
  2: [8, 16],
  3: [1, 2, 4, 8],
  4: [8, 16],
  6: [8, 16],
};

/** True if `bytes` start with the PNG signature. */
export function isPng(bytes: Uint8Array): boolean {
  return bytes.length >= 8 && SIGNATURE.every((value, i) => bytes[i] === value);
}

/**
 * Reads the header and finds the chunks of a PNG file. Checksums are not verified.
 * @throws ImageError if the header is missing or invalid, a chunk extends beyond the file, or IDAT or IEND are missing.
 */
export function readPngStructure(bytes: Uint8Array, name: string): PngStructure {
  const header = readHeader(bytes, name);
  const chunks = chunksOf(bytes, name);
  if (!chunks.some(({ type }) => type === 'IDAT')) throw new ImageError(name, 'damaged PNG: no pixels');
  return { header, chunks };
}

function readHeader(bytes: Uint8Array, name: string): PngHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length >= 16 && view.getUint32(12) === CGBI) {
    const advice = 'convert it, for example with pngcrush -revert-iphone-optimizations';
    throw new ImageError(name, `Apple's PNG variant for iOS (CgBI) is not supported: ${advice}`);
  }
  if (bytes.length < 33 || view.getUint32(8) !== 13 || view.getUint32(12) !== 0x49484452) {
    throw new ImageError(name, 'damaged PNG: no header (file cut off?)');
  }
  const width = view.getUint32(16);
  const height = view.getUint32(20);
  const [depth, colourType, compression, filter, interlace] = bytes.subarray(24, 29);
  const possible = DEPTHS[colourType]?.includes(depth) && compression === 0 && filter === 0 && interlace <= 1;
  if (width === 0 || height === 0 || !possible) {
    const stated = `${width}x${height}, type ${colourType}, ${depth} bits, methods ${compression} ${filter} ${interlace}`;
    throw new ImageError(name, `damaged PNG: invalid header (${stated})`);
  }
  return { width, height, depth, colourType, interlaced: interlace === 1 };
}

function chunksOf(bytes: Uint8Array, name: string): PngChunk[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const chunks: PngChunk[] = [];
  for (let at = 8; at + 12 <= bytes.length; ) {
    const length = view.getUint32(at);
    if (at + 12 + length > bytes.length) break;
    const type = String.fromCharCode(bytes[at + 4], bytes[at + 5], bytes[at + 6], bytes[at + 7]);
    chunks.push({ type, at, data: bytes.subarray(at + 8, at + 8 + length) });
    if (type === 'IEND') return chunks;
    at += 12 + length;
  }
  throw new ImageError(name, 'damaged PNG: unexpected end of file');
}

/** PNG files of every kind, written here by the specification alone, so that no library judges itself. */

import { crc32, deflateSync } from 'node:zlib';

export const PNG_SIGNATURE = Buffer.from('89504e470d0a1a0a', 'hex');

export function pngChunk(type: string, data: readonly number[] | Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), Buffer.from(data)]);
  const out = Buffer.alloc(body.length + 8);
  out.writeUInt32BE(data.length, 0);
  body.copy(out, 4);
  out.writeUInt32BE(crc32(body), body.length + 4);
  return out;
}

export interface PngKind {
  readonly width: number;
  readonly height: number;
  readonly depth: number;
  /** 0 grey, 2 RGB, 3 palette, 4 grey and alpha, 6 RGB and alpha. */
  readonly type: number;
  readonly interlaced?: boolean;
}

export function pngHeader({ width, height, depth, type, interlaced = false }: PngKind): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([depth, type, 0, 0, interlaced ? 1 : 0], 8);
  return pngChunk('IHDR', header);
}

/** A file of this kind with these chunks before the pixels and these deflated rows. */
export function pngOf(kind: PngKind, before: readonly Buffer[], deflated: Uint8Array): Buffer {
  const pixels = pngChunk('IDAT', deflated);
  return Buffer.concat([PNG_SIGNATURE, pngHeader(kind), ...before, pixels, pngChunk('IEND', [])]);
}

export const SAMPLES_PER_PIXEL: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };

/** The file of these samples, in the depth of the file; rows take the five filters in turn. */
export function pngFile(kind: PngKind, samples: readonly number[], before: readonly Buffer[] = []): Buffer {
  const { width, height } = kind;
  const everything = { x: 0, y: 0, dx: 1, dy: 1 };
  const passes = kind.interlaced ? ADAM7 : [everything];
  const rows: Buffer[] = [];
  for (const { x: x0, y: y0, dx, dy } of passes) {
    if (x0 >= width) continue;
    let above: Buffer | undefined;
    for (let y = y0; y < height; y += dy) {
      const pixels: number[] = [];
      for (let x = x0; x < width; x += dx) pixels.push(y * width + x);
      const row = packed(kind, pixels, samples);
      rows.push(filtered(row, above, rows.length % 5, kind));
      above = row;
    }
  }
  return pngOf(kind, before, deflateSync(Buffer.concat(rows)));
}

const ADAM7 = [
  { x: 0, y: 0, dx: 8, dy: 8 },
  { x: 4, y: 0, dx: 8, dy: 8 },
  { x: 0, y: 4, dx: 4, dy: 8 },
  { x: 2, y: 0, dx: 4, dy: 4 },
  { x: 0, y: 2, dx: 2, dy: 4 },
  { x: 1, y: 0, dx: 2, dy: 2 },
  { x: 0, y: 1, dx: 1, dy: 2 },
];

function packed({ depth, type }: PngKind, pixels: readonly number[], samples: readonly number[]): Buffer {
  const each = SAMPLES_PER_PIXEL[type];
  let bits = '';
  for (const pixel of pixels) {
    for (let c = 0; c < each; c++) bits += samples[pixel * each + c].toString(2).padStart(depth, '0');
  }
  const bytes = bits.match(/.{1,8}/g) ?? [];
  return Buffer.from(bytes.map(byte => Number.parseInt(byte.padEnd(8, '0'), 2)));
}

function filtered(row: Buffer, above: Buffer | undefined, filter: number, { depth, type }: PngKind): Buffer {
  const step = Math.max(1, (depth * SAMPLES_PER_PIXEL[type]) / 8);
  return Buffer.from([
    filter,
    ...row.map((byte, i) => {
      const a = i >= step ? row[i - step] : 0;
      const b = above?.[i] ?? 0;
      const c = i >= step ? (above?.[i - step] ?? 0) : 0;
      return byte - [0, a, b, (a + b) >> 1, paeth(a, b, c)][filter];
    }),
  ]);
}

function paeth(a: number, b: number, c: number): number {
  const [pa, pb, pc] = [Math.abs(b - c), Math.abs(a - c), Math.abs(a + b - 2 * c)];
  if (pa <= pb && pa <= pc) return a;
  return pb <= pc ? b : c;
}

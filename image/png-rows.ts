/** Converts inflated PNG rows to samples (PNG specification, third edition, sections 7 to 9). */

import type { Samples } from './picture.ts';
import type { PngHeader } from './png-header.ts';

/** The seven passes of Adam7: first column and row, and the steps between. */
const ADAM7 = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const;

const EVERYTHING = [[0, 0, 1, 1]] as const;

const CHANNELS_IN_FILE: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };

/** The pixels of an interlacing pass: columns x0, x0 + dx …, rows y0, y0 + dy … */
interface Pass {
  readonly width: number;
  readonly height: number;
  /** Bytes per row, without the filter byte. */
  readonly bytes: number;
  readonly x0: number;
  readonly y0: number;
  readonly dx: number;
  readonly dy: number;
}

/** Samples per pixel in the file; a palette index counts as one. */
export const channelsInFile = ({ colourType }: PngHeader): number => CHANNELS_IN_FILE[colourType];

function passesOf(header: PngHeader): Pass[] {
  const bits = header.depth * channelsInFile(header);
  const steps = (length: number, first: number, step: number) => Math.max(0, Math.ceil((length - first) / step));
  return (header.interlaced ? ADAM7 : EVERYTHING)
    .map(([x0, y0, dx, dy]) => {
      const [width, height] = [steps(header.width, x0, dx), steps(header.height, y0, dy)];
      return { width, height, bytes: Math.ceil((width * bits) / 8), x0, y0, dx, dy };
    })
    .filter(({ width }) => width > 0);
}

/** Bytes of all rows, including filter bytes. */
export function rowsLength(header: PngHeader): number {
  return passesOf(header).reduce((sum, { height, bytes }) => sum + height * (1 + bytes), 0);
}

/**
 * The file's samples, neither scaled nor looked up in a palette: `[height][width][channelsInFile]`.
 * @param rows At least `rowsLength` bytes. They are unfiltered in place.
 * @throws Error for an unknown filter.
 */
export function samplesInRows(header: PngHeader, rows: Uint8Array): Samples {
  const { width, height, depth } = header;
  const channels = channelsInFile(header);
  const length = width * height * channels;
  const out = depth === 16 ? new Uint16Array(length) : new Uint8Array(length);
  const step = Math.max(1, (depth * channels) >> 3);
  let at = 0;
  for (const pass of passesOf(header)) {
    let above: number | undefined;
    for (let y = 0; y < pass.height; y++) {
      const filter = rows[at++];
      unfilter(rows, at, pass.bytes, above, filter, step);
      const to = ((pass.y0 + y * pass.dy) * width + pass.x0) * channels;
      place(rows.subarray(at, at + pass.bytes), out, to, pass.width, channels, pass.dx * channels, depth);
      above = at;
      at += pass.bytes;
    }
  }
  return out;
}

/** Writes the `count` pixels of a row to `to` and every `distance` samples after it. */
function place(
  row: Uint8Array,
  out: Samples,
  to: number,
  count: number,
  channels: number,
  distance: number,
  depth: number,
): void {
  const mask = (1 << depth) - 1;
  for (let x = 0, from = 0; x < count; x++, to += distance) {
    for (let c = 0; c < channels; c++, from++) {
      if (depth === 8) out[to + c] = row[from];
      else if (depth === 16) out[to + c] = (row[2 * from] << 8) | row[2 * from + 1];
      // Pixels of less than 8 bits have one channel. The first pixel is in the highest bits.
      else out[to + c] = (row[(from * depth) >>> 3] >> (8 - depth - ((from * depth) & 7))) & mask;
    }
  }
}

/** Unfilters the row at `at`. `step` is the distance to the same byte of the previous pixel. */
function unfilter(
  rows: Uint8Array,
  at: number,
  length: number,
  above: number | undefined,
  filter: number,
  step: number,
): void {
  if (filter === 0) return;
  if (filter > 4) throw new Error(`unknown row filter ${filter}`);
  for (let i = 0; i < length; i++) {
    const a = i >= step ? rows[at + i - step] : 0;
    const b = above === undefined ? 0 : rows[above + i];
    const c = above === undefined || i < step ? 0 : rows[above + i - step];
    const guess = filter === 1 ? a : filter === 2 ? b : filter === 3 ? (a + b) >> 1 : paeth(a, b, c);
    // A typed array keeps the lower eight bits.
    rows[at + i] += guess;
  }
}

/** The Paeth predictor: whichever of left, upper and upper left is nearest to left + upper - upper left. */
function paeth(a: number, b: number, c: number): number {
  const [pa, pb, pc] = [Math.abs(b - c), Math.abs(a - c), Math.abs(a + b - 2 * c)];
  if (pa <= pb && pa <= pc) return a;
  return pb <= pc ? b : c;
}

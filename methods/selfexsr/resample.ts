/** `imresize` of three interleaved channels, as passes over output rows. */

import { contributions, type Taps } from '../../image/resize-taps.ts';
import type { Pass, Runner } from '../passes.ts';

/** An image: `data[(y · width + x) · 3 + c]`, R, G, B from 0 to 1. */
export interface Layer {
  readonly width: number;
  readonly height: number;
  readonly data: Float32Array;
}

/** A black image in a runner's memory. */
export function layerFor(runner: Runner, width: number, height: number): Layer {
  return { width, height, data: new Float32Array(runner.memory(width * height * 3 * Float32Array.BYTES_PER_ELEMENT)) };
}

/** The weights of a separable filter that also changes the size. */
export interface Filter {
  readonly down: Taps;
  readonly across: Taps;
}

/**
 * The filter of `imresize`: bicubic, antialiased. Edges are clamped, as in the release of MATLAB that made the benchmarks'
 * LR pictures.
 */
export function resizing(from: Layer, to: Layer): Filter {
  const taps = (input: number, output: number) =>
    contributions(input, output, output / input, { method: 'bicubic', boundary: 'clamp', antialias: true });
  return { down: taps(from.height, to.height), across: taps(from.width, to.width) };
}

/** A filter and what it is applied to. Items are rows of `to`. */
export interface Resampling extends Filter {
  readonly from: Layer;
  readonly to: Layer;
}

/** Calls `store` with each row `y` of the filtered image. */
function eachRow(
  { from, to, down, across }: Resampling,
  first: number,
  end: number,
  store: (row: Float64Array, y: number) => void,
): void {
  const column = new Float64Array(from.width * 3);
  const row = new Float64Array(to.width * 3);
  for (let y = first; y < end; y++) {
    column.fill(0);
    for (let tap = y * down.taps; tap < (y + 1) * down.taps; tap++) {
      const w = down.weight[tap];
      if (w === 0) continue;
      const start = down.index[tap] * column.length;
      for (let i = 0; i < column.length; i++) column[i] += w * from.data[start + i];
    }
    for (let x = 0, tap = 0; x < to.width; x++) {
      let r = 0;
      let g = 0;
      let b = 0;
      for (const last = tap + across.taps; tap < last; tap++) {
        const w = across.weight[tap];
        const at = across.index[tap] * 3;
        r += w * column[at];
        g += w * column[at + 1];
        b += w * column[at + 2];
      }
      row[x * 3] = r;
      row[x * 3 + 1] = g;
      row[x * 3 + 2] = b;
    }
    store(row, y);
  }
}

/** to = filtered from. */
export const RESAMPLE: Pass<Resampling> = {
  name: 'selfexsr resample',
  work(problem, first, end) {
    eachRow(problem, first, end, (row, y) => problem.to.data.set(row, y * row.length));
  },
};

/** to = wanted − filtered from. */
export const DIFFERENCE: Pass<Resampling & { readonly wanted: Layer }> = {
  name: 'selfexsr difference',
  work(problem, first, end) {
    const wanted = problem.wanted.data;
    const out = problem.to.data;
    eachRow(problem, first, end, (row, y) => {
      for (let i = 0, at = y * row.length; i < row.length; i++, at++) out[at] = wanted[at] - row[i];
    });
  },
};

/** to = (to + filtered from), clipped to 0…1. */
export const CORRECT: Pass<Resampling> = {
  name: 'selfexsr correct',
  work(problem, first, end) {
    const out = problem.to.data;
    eachRow(problem, first, end, (row, y) => {
      for (let i = 0, at = y * row.length; i < row.length; i++, at++) {
        out[at] = Math.min(1, Math.max(0, out[at] + row[i]));
      }
    });
  },
};

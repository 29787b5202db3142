/** Where the patches of an enlarged picture lie. */

import type { Plane } from '../image/plane.ts';
import type { Runner } from './passes.ts';
import { doubled, extended, HIGH_SIDE, LOW_SIDE, middleBand } from './patch-dictionary.ts';

/** From patch to patch: neighbours overlap by one pixel. */
export const STEP = HIGH_SIDE - 1;

/** Patches that cover a picture. Those at the right and bottom edge may extend beyond it. */
export interface PatchGrid {
  readonly rows: number;
  readonly columns: number;
  /** The middle band; the 7×7 samples of patch (i, j) begin at STEP · (i · middleStride + j). Edges replicate. */
  readonly middle: Float64Array;
  readonly middleStride: number;
  /** Samples in a row of the high band, with whole patches: STEP · columns + 1. Those of patch (i, j) begin at STEP · (i · bandStride + j). */
  readonly bandStride: number;
}

/** Enlarges a picture by 2, and lays patches over it. */
export function gridOver(plane: Plane, runner: Runner): { readonly low: Plane; readonly grid: PatchGrid } {
  const low = doubled(plane);
  const [rows, columns] = [low.height, low.width].map(side => Math.ceil((side - 1) / STEP));
  const before = (LOW_SIDE - HIGH_SIDE) / 2;
  const framed = extended(middleBand(low), before, before + STEP);
  const middle = new Float64Array(runner.memory(framed.data.byteLength));
  middle.set(framed.data);
  return { low, grid: { rows, columns, middle, middleStride: framed.width, bandStride: STEP * columns + 1 } };
}

/** The part of a high band that lies on the picture. */
export function trimmed(band: Float64Array, bandStride: number, { width, height }: Plane): Plane {
  const data = new Float64Array(width * height);
  for (let y = 0; y < height; y++) data.set(band.subarray(y * bandStride, y * bandStride + width), y * width);
  return { width, height, data };
}

/** The sum. */
export const withBand = ({ width, height, data }: Plane, band: Plane): Plane => ({
  width,
  height,
  data: data.map((value, i) => value + band.data[i]),
});

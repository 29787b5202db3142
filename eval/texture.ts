/** The amount of fine texture in a result, relative to the original, which PSNR does not measure. */

import { luma } from '../image/colour.ts';
import type { Picture } from '../image/picture.ts';
import { type Plane, shavePlane } from '../image/plane.ts';
import { BORDER, comparable } from './protocols.ts';

/** One-line description, printed with scores. */
export const TEXTURE =
  "energy of rounded BT.601 luma in frequencies beyond LR's, over the original's: 1 as the original, less is smoother";

/** cos(π (2x + 1) u / 2n) for u below `kept`, scaled so that the rows are orthonormal: `rows[u · n + x]`. */
function cosines(n: number, kept: number): Float64Array {
  const rows = new Float64Array(kept * n);
  for (let u = 0; u < kept; u++) {
    const scale = Math.sqrt((u === 0 ? 1 : 2) / n);
    for (let x = 0; x < n; x++) rows[u * n + x] = scale * Math.cos((Math.PI * (2 * x + 1) * u) / (2 * n));
  }
  return rows;
}

/**
 * Energy per sample that a picture with `factor` times smaller sides cannot hold: the sum of squares of the plane's
 * orthonormal DCT-II coefficients (Ahmed, Natarajan and Rao 1974; mirrored edges, so no window is needed), except the
 * lowest 1/factor in both directions, over the number of samples. In squared levels. Computed, by Parseval's theorem,
 * as the plane's mean square minus that of the low coefficients.
 */
export function highFrequencyEnergy({ width, height, data }: Plane, factor = BORDER): number {
  const [across, down] = [Math.ceil(width / factor), Math.ceil(height / factor)];
  // Subtracts the mean (a low coefficient) first, to avoid cancellation between large sums.
  const mean = data.reduce((sum, value) => sum + value, 0) / data.length;
  const horizontal = cosines(width, across);
  const vertical = cosines(height, down);
  const rows = new Float64Array(height * across);
  let energy = 0;
  for (let y = 0; y < height; y++) {
    for (let u = 0; u < across; u++) {
      let sum = 0;
      for (let x = 0; x < width; x++) sum += (data[y * width + x] - mean) * horizontal[u * width + x];
      rows[y * across + u] = sum;
    }
    for (let x = 0; x < width; x++) energy += (data[y * width + x] - mean) ** 2;
  }
  for (let v = 0; v < down; v++) {
    for (let u = 0; u < across; u++) {
      let sum = 0;
      for (let y = 0; y < height; y++) sum += rows[y * across + u] * vertical[v * height + y];
      energy -= sum * sum;
    }
  }
  return Math.max(0, energy) / data.length;
}

/**
 * `highFrequencyEnergy` of a result's luma over the original's, without `BORDER` pixels on each side, as in the
 * protocols. 1: as much texture as the original (not necessarily the same); 0: none beyond what LR holds. Infinity if
 * only the result has any, 1 if neither has.
 * @throws ImageError for unequal sizes, or sides too small to be scored.
 */
export function textureRatio(result: Picture, original: Picture): number {
  const [ours, theirs] = comparable(result, original).map(one => highFrequencyEnergy(shavePlane(luma(one), BORDER)));
  // Below the rounding error of a flat picture.
  const none = 1e-9;
  if (theirs < none) return ours < none ? 1 : Number.POSITIVE_INFINITY;
  return ours / theirs;
}

/**
 * NIQE: how unnatural a picture looks, without an original. Statistics of its blocks are compared with those of undistorted
 * photographs: 0 is as natural as they are, and more is worse.
 *
 * Mittal, Soundararajan and Bovik, "Making a 'Completely Blind' Image Quality Analyzer", IEEE Signal Processing Letters 2013,
 * with the constants of the authors' program. The model of photographs is ours (`scripts/fit-niqe.ts`), so values cannot be
 * compared with those of other programs.
 */

import { toGrey } from '../image/colour.ts';
import { filterValid, gaussianTaps } from '../image/filter.ts';
import type { Picture } from '../image/picture.ts';
import type { Plane } from '../image/plane.ts';
import { resizeSamples } from '../image/resize.ts';
import { surroundPlane } from '../image/surround.ts';
import { diagonalize } from '../methods/jacobi.ts';
import { PHOTOGRAPHS } from './niqe-model.ts';

/** One-line description, printed with scores. */
export const NIQE =
  'naturalness without an original (Mittal et al. 2013; model fitted on nine CC0 photographs): less is more natural';

/** Side of a block in pixels of the picture; at half the size it is half as long. */
export const BLOCK = 96;

/** Features of a block: 18 at each of two scales. */
export const FEATURES = 36;

/** Mean and covariance (row-major) of the features of blocks. */
export interface BlockStatistics {
  /** Mean of the blocks' features. */
  readonly mean: Float64Array;
  /** Covariance of the blocks' features, row by row. */
  readonly covariance: Float64Array;
}

/** The window of local means. */
const WINDOW = gaussianTaps(3, 7 / 6);

/** Gaussian filtering; the edge is repeated. */
const smoothed = (plane: Plane): Float64Array => filterValid(surroundPlane(plane, 3, 'clamp'), WINDOW);

/** Local contrast (standard deviation), and samples less their local mean over the contrast plus one. */
function normalized(plane: Plane): { readonly contrast: Float64Array; readonly samples: Float64Array } {
  const mean = smoothed(plane);
  const squares = smoothed({ ...plane, data: plane.data.map(value => value * value) });
  const contrast = squares.map((value, i) => Math.sqrt(Math.abs(value - mean[i] * mean[i])));
  return { contrast, samples: plane.data.map((value, i) => (value - mean[i]) / (contrast[i] + 1)) };
}

/** ln Γ(x) for x above 0 (Lanczos' approximation, g = 7, 9 terms; relative error below 1e-14). */
function logGamma(x: number): number {
  const terms = [
    0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
    12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
  ];
  const shifted = x - 1;
  const t = shifted + 7.5;
  const sum = terms.reduce((total, term, i) => (i === 0 ? term : total + term / (shifted + i)), 0);
  return 0.5 * Math.log(2 * Math.PI) + (shifted + 0.5) * Math.log(t) - t + Math.log(sum);
}

const gamma = (x: number): number => Math.exp(logGamma(x));

/** Shapes that are tried, and their E[|x|]² / E[x²]. */
const SHAPES = Float64Array.from({ length: 9801 }, (_, i) => 0.2 + i * 0.001);
const RATIOS = SHAPES.map(shape => Math.exp(2 * logGamma(2 / shape) - logGamma(1 / shape) - logGamma(3 / shape)));

/** An asymmetric generalized Gaussian: its shape, and the scales left and right of 0. */
export interface Distribution {
  readonly shape: number;
  readonly left: number;
  readonly right: number;
}

/** The distribution of samples by their moments (Lasmar, Stitou and Berthoumieu 2009). NaN if they have none on one side. */
export function fitDistribution(samples: Float64Array): Distribution {
  let [below, above, negatives, positives, absolute] = [0, 0, 0, 0, 0];
  for (const value of samples) {
    absolute += Math.abs(value);
    if (value < 0) {
      below += value * value;
      negatives++;
    } else if (value > 0) {
      above += value * value;
      positives++;
    }
  }
  const [left, right] = [Math.sqrt(below / negatives), Math.sqrt(above / positives)];
  const skew = left / right;
  const ratio = (absolute / samples.length) ** 2 / ((below + above) / samples.length);
  const wanted = (ratio * (skew ** 3 + 1) * (skew + 1)) / (skew ** 2 + 1) ** 2;
  let best = 0;
  for (let i = 1; i < RATIOS.length; i++) if (Math.abs(RATIOS[i] - wanted) < Math.abs(RATIOS[best] - wanted)) best = i;
  const shape = Number.isNaN(wanted) ? Number.NaN : SHAPES[best];
  const scale = Math.sqrt(gamma(1 / shape) / gamma(3 / shape));
  return { shape, left: left * scale, right: right * scale };
}

/** Steps to the neighbours whose products are features: right, down, and both diagonals. */
const NEIGHBOURS = [
  [0, 1],
  [1, 0],
  [1, 1],
  [1, -1],
] as const;

/** The 18 features of a square block of `side` samples at (left, top). Neighbours wrap around, as in the program. */
function featuresOf(samples: Float64Array, width: number, left: number, top: number, side: number): number[] {
  const block = new Float64Array(side * side);
  for (let y = 0; y < side; y++)
    block.set(samples.subarray((top + y) * width + left, (top + y) * width + left + side), y * side);
  const own = fitDistribution(block);
  const features = [own.shape, (own.left + own.right) / 2];
  const products = new Float64Array(side * side);
  for (const [down, across] of NEIGHBOURS) {
    for (let y = 0; y < side; y++)
      for (let x = 0; x < side; x++) {
        const from = ((y - down + side) % side) * side + ((x - across + side) % side);
        products[y * side + x] = block[y * side + x] * block[from];
      }
    const { shape, left, right } = fitDistribution(products);
    features.push(shape, (right - left) * (gamma(2 / shape) / gamma(1 / shape)), left, right);
  }
  return features;
}

/** A block's features, and its mean contrast. */
export interface Block {
  readonly features: readonly number[];
  readonly contrast: number;
}

/** The blocks of a picture, row by row; what is left at the right and bottom is ignored. Flat blocks have NaN features. */
export function blocksOf(picture: Picture): Block[] {
  const grey = toGrey(picture);
  const [across, down] = [Math.floor(grey.width / BLOCK), Math.floor(grey.height / BLOCK)];
  if (across * down === 0) return [];
  const [width, height] = [across * BLOCK, down * BLOCK];
  const data = new Float64Array(width * height);
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) data[y * width + x] = grey.data[y * grey.width + x];
  const whole = normalized({ width, height, data });
  const half = resizeSamples({ width, height, channels: 1, data }, 0.5);
  const coarse = normalized({ width: half.width, height: half.height, data: Float64Array.from(half.data) });
  return Array.from({ length: across * down }, (_, i) => {
    const [x, y] = [i % across, Math.floor(i / across)];
    let contrast = 0;
    for (let row = 0; row < BLOCK; row++)
      for (let column = 0; column < BLOCK; column++)
        contrast += whole.contrast[(y * BLOCK + row) * width + x * BLOCK + column];
    return {
      features: [
        ...featuresOf(whole.samples, width, x * BLOCK, y * BLOCK, BLOCK),
        ...featuresOf(coarse.samples, half.width, (x * BLOCK) / 2, (y * BLOCK) / 2, BLOCK / 2),
      ],
      contrast: contrast / BLOCK ** 2,
    };
  });
}

/** Mean and covariance of features, over the blocks where they are finite. Undefined for fewer than two. */
export function statisticsOf(blocks: readonly Block[]): BlockStatistics | undefined {
  const rows = blocks.map(({ features }) => features).filter(features => features.every(Number.isFinite));
  if (rows.length < 2) return undefined;
  const mean = Float64Array.from(
    { length: FEATURES },
    (_, i) => rows.reduce((sum, row) => sum + row[i], 0) / rows.length,
  );
  const covariance = new Float64Array(FEATURES ** 2);
  for (const row of rows)
    for (let i = 0; i < FEATURES; i++)
      for (let j = 0; j < FEATURES; j++)
        covariance[i * FEATURES + j] += ((row[i] - mean[i]) * (row[j] - mean[j])) / (rows.length - 1);
  return { mean, covariance };
}

/** The distance of two sets of blocks: that of their means, in units of their pooled covariance. */
export function distanceOf(a: BlockStatistics, b: BlockStatistics): number {
  const n = FEATURES;
  const matrix = a.covariance.map((value, i) => (value + b.covariance[i]) / 2);
  const vectors = new Float64Array(n * n);
  diagonalize(matrix, vectors, n);
  const values = Array.from({ length: n }, (_, i) => matrix[i * n + i]);
  // A pseudo-inverse, as MATLAB's pinv cuts: directions of no variance count nothing.
  const least = n * Number.EPSILON * Math.max(...values.map(Math.abs));
  let sum = 0;
  for (const [k, value] of values.entries()) {
    if (Math.abs(value) <= least) continue;
    let along = 0;
    for (let i = 0; i < n; i++) along += vectors[i * n + k] * (a.mean[i] - b.mean[i]);
    sum += along ** 2 / value;
  }
  return Math.sqrt(Math.max(0, sum));
}

/**
 * NIQE of a picture's grey levels (alpha is ignored). Undefined for pictures with fewer than two blocks of 96×96 pixels that
 * are not flat.
 */
export function niqe(picture: Picture, model: BlockStatistics = PHOTOGRAPHS): number | undefined {
  const statistics = statisticsOf(blocksOf(picture));
  return statistics && distanceOf(statistics, model);
}

/** PSNR and two variants of SSIM on planes of 0…255: Wang's, and that of daala's `dump_ssim`. */

import { ImageError } from './errors.ts';
import { filterSame, filterValid, gaussianTaps } from './filter.ts';
import type { Plane } from './plane.ts';

const PEAK = 255;

function checkPair(a: Plane, b: Plane): void {
  if (a.width === b.width && a.height === b.height) return;
  throw new ImageError('picture', `cannot compare ${a.width}x${a.height} with ${b.width}x${b.height}`);
}

/** 10 log10(255² / mean squared difference) in dB; Infinity for equal planes. */
export function psnr(a: Plane, b: Plane): number {
  checkPair(a, b);
  let sum = 0;
  for (let i = 0; i < a.data.length; i++) {
    const difference = a.data[i] - b.data[i];
    sum += difference * difference;
  }
  return sum === 0 ? Number.POSITIVE_INFINITY : 10 * Math.log10((PEAK * PEAK * a.data.length) / sum);
}

/** a·b and a² + b² per sample: the second moments that SSIM smooths. */
function secondMoments(a: Plane, b: Plane): { products: Float64Array; squares: Float64Array } {
  const products = new Float64Array(a.data.length);
  const squares = new Float64Array(a.data.length);
  for (let i = 0; i < products.length; i++) {
    const [x, y] = [a.data[i], b.data[i]];
    products[i] = x * y;
    squares[i] = x * x + y * y;
  }
  return { products, squares };
}

/** 11 normalised Gaussian taps, σ = 1.5. */
const WANG_TAPS = gaussianTaps(5, 1.5);

/**
 * Mean structural similarity of Wang et al. 2004 (ssim_index.m): 11×11 Gaussian window of σ 1.5, valid positions only,
 * K = (0.01, 0.03), L = 255, no downsampling before.
 * @throws ImageError for unequal sizes or sides below 11.
 */
export function ssim(a: Plane, b: Plane): number {
  checkPair(a, b);
  const { width, height } = a;
  if (width < 11 || height < 11)
    throw new ImageError('picture', `${width}x${height} is too small for SSIM: expected at least 11x11`);
  const moments = secondMoments(a, b);
  const smooth = (data: Float64Array) => filterValid({ data, width, height }, WANG_TAPS);
  const [meanA, meanB] = [smooth(a.data), smooth(b.data)];
  const [products, squares] = [smooth(moments.products), smooth(moments.squares)];
  const c1 = (0.01 * PEAK) ** 2;
  const c2 = (0.03 * PEAK) ** 2;
  let sum = 0;
  for (let i = 0; i < meanA.length; i++) {
    const ab = meanA[i] * meanB[i];
    const aabb = meanA[i] * meanA[i] + meanB[i] * meanB[i];
    const variances = squares[i] - aabb;
    sum += ((2 * ab + c1) * (2 * (products[i] - ab) + c2)) / ((aabb + c1) * (variances + c2));
  }
  return sum / meanA.length;
}

/** Integer Gaussian taps that sum to 256 (daala tools/dump_ssim.c, gaussian_filter_init). */
function daalaTaps(sigma: number, longest: number): Float64Array {
  const s = (Math.sqrt(0.5 * Math.PI) * sigma) / 256;
  const reach = s >= 1 ? 0 : Math.floor(sigma * Math.sqrt(-2 * Math.log(s)));
  const radius = Math.min(reach, longest - 1);
  const taps = new Float64Array(2 * radius + 1);
  let sides = 0;
  for (let i = 1; i <= radius; i++) {
    const tap = Math.floor((256 / (Math.sqrt(2 * Math.PI) * sigma)) * Math.exp((-0.5 / (sigma * sigma)) * i * i) + 0.5);
    taps[radius - i] = taps[radius + i] = tap;
    sides += tap;
  }
  taps[radius] = 256 - 2 * sides;
  return taps;
}

/** For each of `length` positions, the sum of the taps that fall inside. */
function massInside(taps: Float64Array, length: number): Float64Array {
  const radius = taps.length >> 1;
  return Float64Array.from({ length }, (_, position) =>
    taps.reduce((sum, tap, i) => (position + i - radius < 0 || position + i - radius >= length ? sum : sum + tap), 0),
  );
}

/**
 * Structural similarity as in daala's `dump_ssim --raw --luma-only`: a Gaussian window of integer taps with σ = 1.5 ·
 * height / 256 in both directions, truncated at the picture's edge. Each pixel is weighted by the window's mass inside.
 * Expects planes of integers.
 * @throws ImageError for unequal sizes.
 */
export function daalaSsim(a: Plane, b: Plane): number {
  checkPair(a, b);
  const { width, height } = a;
  const taps = daalaTaps((height * 1.5) / 256, Math.min(width, height));
  const moments = secondMoments(a, b);
  const smooth = (data: Float64Array) => filterSame({ data, width, height }, taps);
  const [sumA, sumB] = [smooth(a.data), smooth(b.data)];
  const [products, squares] = [smooth(moments.products), smooth(moments.squares)];
  const [across, down] = [massInside(taps, width), massInside(taps, height)];
  let total = 0;
  let masses = 0;
  for (let i = 0, y = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) {
      const w = across[x] * down[y];
      const c1 = PEAK * PEAK * 0.01 ** 2 * w * w;
      const c2 = PEAK * PEAK * 0.03 ** 2 * w * w;
      const ab = sumA[i] * sumB[i];
      const aabb = sumA[i] * sumA[i] + sumB[i] * sumB[i];
      const variances = squares[i] * w - aabb;
      total += (w * ((2 * ab + c1) * (c2 + 2 * (products[i] * w - ab)))) / ((aabb + c1) * (variances + c2));
      masses += w;
    }
  }
  return total / masses;
}

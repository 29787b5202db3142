/** The two ways in which papers score a ×4 result: what they have in common is that their figures do not compare. */

import { luma, toGrey } from '../image/colour.ts';
import { daalaLuma } from '../image/daala.ts';
import { ImageError } from '../image/errors.ts';
import { daalaSsim, psnr, ssim } from '../image/metrics.ts';
import { describe, type Picture, shave, toRgb } from '../image/picture.ts';
import { shavePlane } from '../image/plane.ts';

/** Pixels cut from each side before anything is compared: the enlargement factor. */
export const BORDER = 4;

/** The smallest side, in pixels, of a picture that both protocols can score: the SSIM window and two borders, in fours. */
export const SMALLEST_SIDE = Math.ceil((11 + 2 * BORDER) / BORDER) * BORDER;

/** `matlab`: what most papers report. `paper`: Ledig et al. 2017, section 3.1. */
export type Protocol = 'matlab' | 'paper';

/** One line each, to be printed beside figures. */
export const PROTOCOLS: Readonly<Record<Protocol, string>> = {
  matlab: 'PSNR and SSIM (Wang, 11x11) on rounded BT.601 luma, 4 pixels cut from each side',
  paper: "Ledig et al. 2017: 4 pixels cut from each side, daala's dithered BT.709 luma, PSNR and daala SSIM",
};

/** PSNR in dB and SSIM in -1…1. */
export interface Quality {
  readonly psnr: number;
  readonly ssim: number;
}

/** Both protocols' figures: `psnr`, `ssim` are `matlab`'s. */
export interface Scores {
  readonly psnr: number;
  readonly ssim: number;
  readonly psnr_paper: number;
  readonly ssim_paper: number;
}

/** Scores a result against the original by one protocol; see `scores`. */
export function quality(result: Picture, original: Picture, protocol: Protocol): Quality {
  const [a, b] = comparable(result, original);
  if (protocol === 'matlab') {
    const [ya, yb] = [shavePlane(luma(a), BORDER), shavePlane(luma(b), BORDER)];
    return { psnr: psnr(ya, yb), ssim: ssim(ya, yb) };
  }
  const [ya, yb] = [daalaLuma(shave(a, BORDER)), daalaLuma(shave(b, BORDER))];
  return { psnr: psnr(ya, yb), ssim: daalaSsim(ya, yb) };
}

/**
 * Scores a result against the original by both protocols. Alpha is ignored. Where the original is grey, it is its own
 * luma for `matlab` and three equal channels for `paper`, and a colour result is made grey first by
 * round(0.299 R + 0.587 G + 0.114 B); a grey result for a colour original is repeated.
 * @throws ImageError for unequal sizes, or sides below 19 (the SSIM window of 11 and two borders).
 */
export function scores(result: Picture, original: Picture): Scores {
  const matlab = quality(result, original, 'matlab');
  const paper = quality(result, original, 'paper');
  return { psnr: matlab.psnr, ssim: matlab.ssim, psnr_paper: paper.psnr, ssim_paper: paper.ssim };
}

/** What `rgbPsnr` computes, to be printed beside figures. */
export const RGB = 'PSNR of R, G and B together, 4 pixels cut from each side';

/**
 * PSNR in dB over all samples of the three channels (one mean squared error, as in DIV2K's challenges and EDSR's paper),
 * without `BORDER` pixels at each side; Infinity where result and original are identical. Alpha is ignored; a grey
 * original is compared as grey, which is the same.
 * @throws ImageError for unequal sizes, or sides below 19.
 */
export function rgbPsnr(result: Picture, original: Picture): number {
  const [a, b] = comparable(result, original).map(picture => {
    const { width, height, channels, data } = shave(picture, BORDER);
    return { width: width * channels, height, data: Float64Array.from(data) };
  });
  return psnr(a, b);
}

/** Means of scores; the counts are left out where they are 0. */
export interface MeanScores extends Scores {
  /** So many results are identical to their originals by `matlab`: their infinite PSNR does not count in the mean. */
  readonly identical?: number;
  /** The same of `paper`. */
  readonly identical_paper?: number;
}

/**
 * Means over pictures, as the tables of papers give them. PSNR's is that of the pictures where it is finite, Infinity
 * where it is for none; SSIM's is that of all.
 */
export function meanScores(all: readonly Scores[]): MeanScores {
  const identical = all.length - all.filter(({ psnr }) => Number.isFinite(psnr)).length;
  const identicalByPaper = all.length - all.filter(({ psnr_paper }) => Number.isFinite(psnr_paper)).length;
  return {
    psnr: meanOfFinite(all.map(one => one.psnr)),
    ssim: meanOfFinite(all.map(one => one.ssim)),
    psnr_paper: meanOfFinite(all.map(one => one.psnr_paper)),
    ssim_paper: meanOfFinite(all.map(one => one.ssim_paper)),
    ...(identical > 0 && { identical }),
    ...(identicalByPaper > 0 && { identical_paper: identicalByPaper }),
  };
}

/** The mean of the finite values; Infinity where there are values, but none is finite, NaN where there are none. */
export function meanOfFinite(values: readonly number[]): number {
  const finite = values.filter(Number.isFinite);
  if (finite.length === 0 && values.length > 0) return Number.POSITIVE_INFINITY;
  return finite.reduce((sum, value) => sum + value, 0) / finite.length;
}

/** A PSNR or another figure for people; ∞ where it is infinite, as the PSNR of identical pictures is. */
export const decimals = (value: number, digits: number): string =>
  value === Number.POSITIVE_INFINITY ? '∞' : value.toFixed(digits);

/**
 * Result and original with equal channels: grey where the original is, else RGB.
 * @throws ImageError for unequal sizes, or sides below 19.
 */
export function comparable(result: Picture, original: Picture): [Picture, Picture] {
  if (result.width !== original.width || result.height !== original.height) {
    throw new ImageError('picture', `${describe(result)} cannot be scored against ${describe(original)}`);
  }
  const smallest = 11 + 2 * BORDER;
  if (original.width < smallest || original.height < smallest) {
    throw new ImageError('picture', `${describe(original)} is too small to score: ${smallest}x${smallest}`);
  }
  if (original.channels <= 2) return [toGrey(result), toGrey(original)];
  return [toRgb(result), toRgb(original)];
}

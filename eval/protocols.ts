/** The two protocols by which papers score ×4 results. Scores of one cannot be compared with the other's. */

import { luma, toGrey } from '../image/colour.ts';
import { daalaLuma } from '../image/daala.ts';
import { ImageError } from '../image/errors.ts';
import { daalaSsim, psnr, ssim } from '../image/metrics.ts';
import { describe, type Picture, shave, toRgb } from '../image/picture.ts';
import { shavePlane } from '../image/plane.ts';

/** Pixels cropped from each side before scoring: the scale. */
export const BORDER = 4;

/** The smallest side that both protocols can score: the SSIM window plus two borders, rounded up to a multiple of 4. */
export const SMALLEST_SIDE = Math.ceil((11 + 2 * BORDER) / BORDER) * BORDER;

/** `matlab`: used by most papers. `paper`: Ledig et al. 2017, section 3.1. */
export type Protocol = 'matlab' | 'paper';

/** One-line descriptions, printed with scores. */
export const PROTOCOLS: Readonly<Record<Protocol, string>> = {
  matlab: 'PSNR and SSIM (Wang, 11x11) on rounded BT.601 luma, 4 pixels cut from each side',
  paper: "Ledig et al. 2017: 4 pixels cut from each side, daala's dithered BT.709 luma, PSNR and daala SSIM",
};

/** PSNR in dB and SSIM in -1…1. */
export interface Quality {
  /** In dB; infinite for equal pictures. */
  readonly psnr: number;
  /** 1 for equal pictures. */
  readonly ssim: number;
}

/** Scores by both protocols; `psnr` and `ssim` are `matlab`'s. */
export interface Scores {
  /** In dB, by `matlab`. */
  readonly psnr: number;
  /** By `matlab`. */
  readonly ssim: number;
  /** In dB, by the protocol of Ledig et al. */
  readonly psnr_paper: number;
  /** By the protocol of Ledig et al. */
  readonly ssim_paper: number;
}

/** Scores a result against the original by one protocol; see `scores`. */
export function quality(result: Picture, original: Picture, protocol: Protocol): Quality {
  const [a, b] = comparable(result, original);
  if (protocol === 'matlab') {
    const [ya, yb] = [shavePlane(luma(a), BORDER), shavePlane(luma(b), BORDER)];
    return { psnr: psnr(ya, yb), ssim: ssim(ya, yb) };
  }
  const [ya, yb] = [result, original].map(picture => daalaLuma(shave(toRgb(picture), BORDER)));
  return { psnr: psnr(ya, yb), ssim: daalaSsim(ya, yb) };
}

/**
 * Scores a result against the original by both protocols. Alpha is ignored. For `matlab` a grey original is its own luma, and
 * a colour result is first converted to grey by round(0.299 R + 0.587 G + 0.114 B); `paper` takes three channels of both, as
 * the authors' programs did: a grey picture is repeated.
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

/** Means of scores. Counts are omitted if they are 0. */
export interface MeanScores extends Scores {
  /** Number of results identical to their originals by `matlab`, whose infinite PSNR is excluded from the mean. */
  readonly identical?: number;
  /** The same for `paper`. */
  readonly identical_paper?: number;
}

/**
 * Means over pictures, as in the tables of papers. The mean PSNR is over pictures with a finite PSNR, and Infinity if
 * there are none; the mean SSIM is over all pictures.
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

/** The mean of finite values; Infinity if no value is finite, NaN if there are no values. */
export function meanOfFinite(values: readonly number[]): number {
  const finite = values.filter(Number.isFinite);
  if (finite.length === 0 && values.length > 0) return Number.POSITIVE_INFINITY;
  return finite.reduce((sum, value) => sum + value, 0) / finite.length;
}

/** Formats a PSNR or another number; ∞ if it is infinite, like the PSNR of identical pictures. */
export const decimals = (value: number, digits: number): string =>
  value === Number.POSITIVE_INFINITY ? '∞' : value.toFixed(digits);

/**
 * Converts result and original to the same channels: grey if the original is grey, otherwise RGB.
 * @throws ImageError for unequal sizes, or sides below 19.
 */
export function comparable(result: Picture, original: Picture): [Picture, Picture] {
  if (result.width !== original.width || result.height !== original.height) {
    throw new ImageError('picture', `cannot score ${describe(result)} against ${describe(original)}`);
  }
  const smallest = 11 + 2 * BORDER;
  if (original.width < smallest || original.height < smallest) {
    throw new ImageError(
      'picture',
      `${describe(original)} is too small to score: expected at least ${smallest}x${smallest}`,
    );
  }
  if (original.channels <= 2) return [toGrey(result), toGrey(original)];
  return [toRgb(result), toRgb(original)];
}

/** Luma and chroma by ITU-R BT.601 with MATLAB's rounding, and grey with ITU's weights. */

import { createPicture, type Picture, peak, type Samples, samplesLike, toRgb } from './picture.ts';
import type { Plane } from './plane.ts';

/** rgb2ycbcr: rows Y, Cb, Cr; per unit of an 8-bit sample, to be divided by 255. */
const YCBCR = [
  [65.481, 128.553, 24.966],
  [-37.797, -74.203, 112],
  [112, -93.786, -18.214],
] as const;

/** Weights of R, G and B, in units of an 8-bit sample, in 255 times Y of rgb2ycbcr less its offset of 16. */
export const LUMA_WEIGHTS = YCBCR[0];

/**
 * Luma as MATLAB's rgb2ycbcr gives it for 8-bit pictures: round(16 + (65.481 R + 128.553 G + 24.966 B) / 255), an
 * integer of 16…235. A grey picture is its own luma (0…255, as the published scripts do); alpha is ignored.
 */
export function luma(picture: Picture): Plane {
  const { width, height, channels, data } = picture;
  const plane = new Float64Array(width * height);
  if (channels <= 2) {
    for (let i = 0; i < plane.length; i++) plane[i] = data[i * channels];
    return { width, height, data: plane };
  }
  const [r, g, b] = YCBCR[0];
  for (let i = 0, at = 0; i < plane.length; i++, at += channels) {
    plane[i] = Math.floor(16 + (r * data[at] + g * data[at + 1] + b * data[at + 2]) / 255 + 0.5);
  }
  return { width, height, data: plane };
}

/** Unrounded samples of three interleaved channels. */
export interface ColourSamples {
  /** In pixels. */
  readonly width: number;
  /** In pixels. */
  readonly height: number;
  /** Y, Cb and Cr, or R, G and B. */
  readonly channels: 3;
  /** `data[(y · width + x) · 3 + c]`. */
  readonly data: Float64Array;
}

/**
 * Converts to BT.601 YCbCr without rounding: Y 16…235, Cb and Cr 16…240, for 16 bits too. Grey is repeated first, alpha
 * ignored.
 */
export function toYcbcr(picture: Picture<Samples>): ColourSamples {
  const { width, height, data } = toRgb(picture);
  const white = peak(picture);
  const out = new Float64Array(data.length);
  for (let at = 0; at < data.length; at += 3) {
    for (let c = 0; c < 3; c++) {
      const [r, g, b] = YCBCR[c];
      out[at + c] = (c === 0 ? 16 : 128) + (r * data[at] + g * data[at + 1] + b * data[at + 2]) / white;
    }
  }
  return { width, height, channels: 3, data: out };
}

/** Inverse of YCBCR / 255 by cofactors. */
const RGB = inverse(YCBCR.map(row => row.map(value => value / 255)));

function inverse(m: readonly (readonly number[])[]): number[][] {
  const cofactor = (i: number, j: number) => {
    const [a, b] = [(i + 1) % 3, (i + 2) % 3];
    const [c, d] = [(j + 1) % 3, (j + 2) % 3];
    return m[a][c] * m[b][d] - m[a][d] * m[b][c];
  };
  const determinant = m[0][0] * cofactor(0, 0) + m[0][1] * cofactor(0, 1) + m[0][2] * cofactor(0, 2);
  return [0, 1, 2].map(i => [0, 1, 2].map(j => cofactor(j, i) / determinant));
}

/** The inverse of `toYcbcr`, rounded half up and clipped to 8 bits, or to samples of the same type as `like`. */
export function fromYcbcr(samples: ColourSamples): Picture;
export function fromYcbcr<S extends Samples>(samples: ColourSamples, like: S): Picture<S>;
export function fromYcbcr(samples: ColourSamples, like: Samples = new Uint8Array(0)): Picture<Samples> {
  const { width, height, data } = samples;
  const out = samplesLike(like, data.length);
  const white = peak({ data: out });
  const unit = white / 255;
  for (let at = 0; at < data.length; at += 3) {
    const y = data[at] - 16;
    const cb = data[at + 1] - 128;
    const cr = data[at + 2] - 128;
    for (let c = 0; c < 3; c++) {
      const value = Math.floor((RGB[c][0] * y + RGB[c][1] * cb + RGB[c][2] * cr) * unit + 0.5);
      out[at + c] = Math.min(white, Math.max(0, value));
    }
  }
  return createPicture(width, height, 3, out);
}

/** One channel: round(0.299 R + 0.587 G + 0.114 B) (BT.601, full range), half up; grey stays, alpha is dropped. */
export function toGrey<S extends Samples>(picture: Picture<S>): Picture<S> {
  const { width, height, channels, data } = picture;
  if (channels === 1) return picture;
  const white = peak(picture);
  const out = samplesLike(data, width * height);
  for (let i = 0, at = 0; i < out.length; i++, at += channels) {
    out[i] =
      channels === 2
        ? data[at]
        : Math.min(white, Math.floor(0.299 * data[at] + 0.587 * data[at + 1] + 0.114 * data[at + 2] + 0.5));
  }
  return createPicture(width, height, 1, out);
}

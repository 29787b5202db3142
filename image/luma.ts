/** Enlarges pictures with methods that know luma alone. */

import { fromYcbcr, toYcbcr } from './colour.ts';
import { ImageError } from './errors.ts';
import { createPicture, type Picture, peak, type Samples, samplesLike } from './picture.ts';
import type { Plane } from './plane.ts';
import { resizeSamplesInTurns } from './resize.ts';
import type { Boundary } from './resize-taps.ts';

/** Options of `enlargeLuma`. */
export interface LumaOptions {
  /** What chroma continues as beyond the edges. Default: symmetric. */
  readonly boundary?: Boundary | undefined;
  /** If aborted, its reason is thrown. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Enlarges luma with `lumaOf` and chroma by bicubic, as the published programs do. Colours go to YCbCr (`toYcbcr`), stay
 * unrounded, and come back with a single rounding, half up. A grey picture is its own luma, as in the MATLAB protocol: its
 * samples go to `lumaOf` as they are, and the result is rounded.
 * @param colour 1 or 3 channels, 8 or 16 bits.
 * @param lumaOf [h][w] → [scale · h][scale · w]. Levels are 0…255 for both depths (16…235 for luma of colours), not
 *   rounded; results may leave the range.
 * @throws ImageError for alpha, or if `lumaOf` returns another size; the signal's reason; errors of `lumaOf`.
 */
export async function enlargeLuma<S extends Samples>(
  colour: Picture<S>,
  scale: number,
  lumaOf: (luma: Plane) => Promise<Plane>,
  { boundary = 'symmetric', signal }: LumaOptions = {},
): Promise<Picture<S>> {
  const { width, height, channels, data } = colour;
  const enlarge = async (values: Float64Array) => {
    const result = await lumaOf({ width, height, data: values });
    if (result.width !== width * scale || result.height !== height * scale) {
      const [got, expected] = [`${result.width}x${result.height}`, `${width * scale}x${height * scale}`];
      throw new ImageError('luma', `expected ${expected}, got ${got}`);
    }
    return result;
  };
  const unit = peak(colour) / 255;
  if (channels === 1) return grey(await enlarge(Float64Array.from(data, value => value / unit)), unit, data);
  if (channels !== 3) throw new ImageError('picture', `expected 1 or 3 channels, got ${channels}`);
  const ycbcr = toYcbcr(colour);
  const luma = await enlarge(Float64Array.from({ length: width * height }, (_, i) => ycbcr.data[3 * i]));
  // The luma among these is not used.
  const enlarged = await resizeSamplesInTurns(ycbcr, scale, { method: 'bicubic', boundary, signal });
  for (let i = 0; i < luma.data.length; i++) enlarged.data[3 * i] = luma.data[i];
  return fromYcbcr({ ...enlarged, channels: 3 }, data);
}

function grey<S extends Samples>({ width, height, data }: Plane, unit: number, like: S): Picture<S> {
  const out = samplesLike(like, width * height);
  const white = peak({ data: out });
  for (let i = 0; i < out.length; i++) out[i] = Math.min(white, Math.max(0, Math.floor(data[i] * unit + 0.5)));
  return createPicture(width, height, 1, out);
}

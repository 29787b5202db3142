/**
 * Pillow's bicubic resizing of 8-bit pictures, sample for sample (`Image.resize` with `BICUBIC`; Resample.c of Pillow): Keys'
 * kernel with a = -1/2, widened when shrinking; taps beyond the edge are dropped and the others normalised; weights in fixed
 * point of 22 bits; first along rows, then along columns, rounded and clipped after each. The LR pictures of Ledig et al.
 * were made with it, those of most other papers with MATLAB's `imresize` (`resize.ts`).
 */

import { ImageError } from './errors.ts';
import { createPicture, type Picture } from './picture.ts';
import { cubic } from './resize-taps.ts';

/** Bits after the point of a weight: 32 less 8 of the sample and 2 of room. */
const PRECISION = 22;

/** The weights of one output sample: those of the inputs from `first` on. */
interface Taps {
  readonly first: number;
  readonly weights: Int32Array;
}

function tapsOf(input: number, output: number): Taps[] {
  const scale = input / output;
  const widened = Math.max(scale, 1);
  const support = 2 * widened;
  return Array.from({ length: output }, (_, at) => {
    const centre = (at + 0.5) * scale;
    const first = Math.max(0, Math.trunc(centre - support + 0.5));
    const end = Math.min(input, Math.trunc(centre + support + 0.5));
    const values = Float64Array.from({ length: end - first }, (_, i) => cubic((i + first - centre + 0.5) / widened));
    const sum = values.reduce((a, b) => a + b, 0);
    const weights = Int32Array.from(values, value => {
      const fixed = (value / sum) * 2 ** PRECISION;
      return Math.trunc(fixed < 0 ? fixed - 0.5 : fixed + 0.5);
    });
    return { first, weights };
  });
}

/** Rounds a fixed-point sum to a sample. Sums stay far below 2^31. */
const sampleOf = (sum: number): number => Math.min(255, Math.max(0, sum >> PRECISION));

/** Resizes one side: `lines` lines of samples that are `step` apart, of which each begins `stride` after the other. */
function pass(
  source: Uint8Array,
  out: Uint8Array,
  taps: readonly Taps[],
  lines: number,
  from: { readonly step: number; readonly start: (line: number) => number },
  to: { readonly step: number; readonly start: (line: number) => number },
): void {
  for (let line = 0; line < lines; line++) {
    const start = from.start(line);
    let target = to.start(line);
    for (const { first, weights } of taps) {
      let sum = 1 << (PRECISION - 1);
      for (let i = 0, at = start + first * from.step; i < weights.length; i++, at += from.step)
        sum += source[at] * weights[i];
      out[target] = sampleOf(sum);
      target += to.step;
    }
  }
}

/** Resizes an 8-bit picture as Pillow's `resize((width, height), BICUBIC)` does. @throws ImageError for sides below 1. */
export function pillowResize(picture: Picture, width: number, height: number): Picture {
  if (![width, height].every(side => Number.isInteger(side) && side > 0)) {
    throw new ImageError('picture', `cannot resize ${picture.width}x${picture.height} to ${width}x${height}`);
  }
  const { channels } = picture;
  const narrow = createPicture(width, picture.height, channels);
  const across = (side: number) => (line: number) => Math.floor(line / channels) * side * channels + (line % channels);
  pass(
    picture.data,
    narrow.data,
    tapsOf(picture.width, width),
    picture.height * channels,
    { step: channels, start: across(picture.width) },
    { step: channels, start: across(width) },
  );
  const result = createPicture(width, height, channels);
  const row = width * channels;
  const down = { step: row, start: (line: number) => line };
  pass(narrow.data, result.data, tapsOf(picture.height, height), row, down, down);
  return result;
}

/** Shrinks by a factor that divides both sides. @throws ImageError otherwise. */
export function pillowShrink(picture: Picture, factor = 4): Picture {
  return pillowResize(picture, picture.width / factor, picture.height / factor);
}

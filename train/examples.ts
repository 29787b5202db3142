/** What a network learns from crops: luma, enlarged or not, made on the GPU from the RGB crops. */

import { type Tensor, tensor, tidy } from '../engine/tensor.ts';
import { LUMA_WEIGHTS } from '../image/colour.ts';
import { cubic } from '../image/resize-taps.ts';
import { clamp, conv2d, pad, pixelShuffle, slice } from '../kernels/index.ts';
import type { NetworkImages } from '../models/network.ts';
import type { Crops } from './training.ts';

/** Input and target of a network, in its own ranges. */
export interface Example {
  readonly input: Tensor;
  readonly target: Tensor;
}

/** Weights of R, G, B in [0, 1], and what is added. Luma of rgb2ycbcr / 255; full luma. */
const LUMA = {
  luma: { weights: LUMA_WEIGHTS.map(weight => weight / 255), offset: 16 / 255 },
  'full luma': { weights: [0.299, 0.587, 0.114], offset: 0 },
} as const;

/** Luma [N, 1, H, W] of RGB [N, 3, H, W] whose black and white are `low` and `high`. */
function lumaOf(rgb: Tensor, colour: keyof typeof LUMA, low: number, high: number): Tensor {
  const { device } = rgb;
  const { weights, offset } = LUMA[colour];
  const scaled = weights.map(weight => weight / (high - low));
  const shift = offset - low * scaled.reduce((sum, weight) => sum + weight, 0);
  return conv2d(rgb, tensor(scaled, [1, 3, 1, 1], { device }), tensor([shift], [1], { device }));
}

const SCALE = 4;
/** Neighbours on each side that bicubic reads. */
const REACH = 2;

/** Row `4p + q`: the weights of the 5×5 neighbours for the pixel at phase (p, q) of the 4×4 that come of one. */
function phases(): Float32Array {
  const taps = 2 * REACH + 1;
  const along = Array.from({ length: SCALE }, (_, phase) =>
    Array.from({ length: taps }, (_, tap) => cubic((phase + 0.5) / SCALE - 0.5 - (tap - REACH))),
  );
  return Float32Array.from(along.flatMap(down => along.flatMap(across => down.flatMap(y => across.map(x => y * x)))));
}

/**
 * Bicubic enlargement of planes [N, 1, H, W] to [N, 1, 4H, 4W]: imresize's inside a picture. Beyond a crop's edge its last
 * pixel repeats, so that up to 6 pixels there differ from the enlarged picture's.
 */
export function enlargedBicubic(x: Tensor): Tensor {
  const { device } = x;
  const around = [REACH, REACH] as const;
  const taps = 2 * REACH + 1;
  return tidy(() => {
    const kernel = tensor(phases(), [SCALE ** 2, 1, taps, taps], { device });
    return pixelShuffle(conv2d(pad(x, [[0, 0], [0, 0], around, around], { mode: 'replicate' }), kernel), SCALE);
  });
}

/** Input and target of a network that reads and gives `images`, for crops (LR in [0, 1], HR in [-1, 1]). */
export function exampleOf({ colour, enlarged, clamp: range }: NetworkImages, { lr, hr }: Crops): Example {
  if (colour === 'rgb') return { input: lr, target: hr };
  const target = lumaOf(hr, colour, -1, 1);
  const small = lumaOf(lr, colour, 0, 1);
  const input = enlarged ? enlargedBicubic(small) : small;
  return { input: range ? clamp(input, range[0], range[1]) : input, target };
}

/** The middle of `target` that has the size of `output`: what is left of it without padding. */
export function cutTo(target: Tensor, output: Tensor): Tensor {
  const start = target.shape.map((size, axis) => (size - output.shape[axis]) >> 1);
  if (start.every(first => first === 0)) return target;
  return slice(
    target,
    start,
    start.map((first, axis) => first + output.shape[axis]),
  );
}

/** Convolutions that start as He et al. 2015 propose. */
import type { Philox } from '../engine/basics/philox.ts';
import { Conv2d, init } from '../nn/index.ts';

interface HeConvOptions {
  readonly bias?: boolean;
  /** Without it the weights are zeros, to be loaded. */
  readonly random: Philox | undefined;
}

/** A 3×3 convolution that keeps the size. Weights start normal with variance 2 / fan-in, biases with 0. */
export function heConv(inputs: number, outputs: number, { bias = true, random }: HeConvOptions): Conv2d {
  const conv = new Conv2d(inputs, outputs, 3, { padding: 1, bias, random: false });
  if (random) init.kaimingNormal(conv.weight, { nonlinearity: 'relu', random });
  return conv;
}

/** Variables with initial content, as layers start with. */

import { defaultRandom } from '../../engine/basics/default-random.ts';
import type { Philox } from '../../engine/basics/philox.ts';
import { type Shape, sizeOf } from '../../engine/basics/shape.ts';
import { type Variable, variable } from '../../engine/variable.ts';

/** Options of layers with weights. */
export interface WeightsOptions {
  /**
   * Source of the initial weights; false: they are zeros, to be loaded or set by `init`. Default: the default source, which
   * `manualSeed` starts again.
   */
  readonly random?: Philox | false | undefined;
  /** False: frozen; no gradient flows to the weights. Default: true. */
  readonly trainable?: boolean | undefined;
}

interface UniformOptions extends WeightsOptions {
  readonly name: string;
  /** Number of neighbours on the first axis that get the same values. Default: 1. */
  readonly alike?: number | undefined;
}

/** Uniform in ±1/√fan-in: PyTorch's default for weights (Kaiming uniform with a = √5) and biases. */
export function fanInUniform(
  shape: Shape,
  fanIn: number,
  { name, random = defaultRandom(), trainable = true, alike = 1 }: UniformOptions,
): Variable {
  const bound = 1 / Math.sqrt(fanIn);
  const data = new Float32Array(sizeOf(shape));
  const each = data.length / shape[0];
  if (random)
    for (let start = 0; start < data.length; start += alike * each) {
      for (let i = start; i < start + each; i++) data[i] = (2 * random.uniform() - 1) * bound;
      for (let n = 1; n < alike; n++) data.copyWithin(start + n * each, start, start + each);
    }
  return variable(data, shape, { name, trainable });
}

/** Normal with mean 0 and variance 1, as PyTorch's embeddings start. */
export function standardNormal(
  shape: Shape,
  { name, random = defaultRandom(), trainable = true }: UniformOptions,
): Variable {
  const data = new Float32Array(sizeOf(shape));
  if (random) for (let i = 0; i < data.length; i++) data[i] = random.normal();
  return variable(data, shape, { name, trainable });
}

/** One value for each channel. */
export const filled = (shape: Shape, value: number, name: string, trainable = true): Variable =>
  variable(new Float32Array(sizeOf(shape)).fill(value), shape, { name, trainable });

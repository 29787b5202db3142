/** Parameters, gradients and updates for the tests of Adam. */
import { Philox } from '../../engine/basics/philox.ts';
import { tensor } from '../../engine/tensor.ts';
import { type Variable, variable } from '../../engine/variable.ts';
import type { Adam } from '../../nn/optim/adam.ts';

/** Parameters of sizes that fill no multiple of 64, one that does, and a single number. */
export const SHAPES = [[3, 5], [70], [2, 2, 4, 4], [1]] as const;
export const sizeOf = (shape: readonly number[]) => shape.reduce((product, size) => product * size, 1);

/** Numbers between -1 and 1, times `scale`. */
export function numbers(size: number, seed: number, scale = 1): Float32Array<ArrayBuffer> {
  const random = new Philox(seed, size);
  return Float32Array.from({ length: size }, () => (2 * random.uniform() - 1) * scale);
}

/** Gradients of step `t`, of very different magnitudes from step to step and parameter to parameter. */
export const gradientsAt = (t: number) =>
  SHAPES.map((shape, i) => numbers(sizeOf(shape), 1000 * t + i, 10 ** (((t * 7 + i * 3) % 9) - 5)));

export const first = () => SHAPES.map((shape, i) => numbers(sizeOf(shape), i, 0.1));
export const parametersOf = (content = first()) =>
  content.map((data, i) => variable(data, SHAPES[i], { name: `parameter ${i}` }));

/** Disposes of everything that a test made. */
export function disposing<T>(parameters: readonly Variable[], adam: Adam, body: () => Promise<T>): Promise<T> {
  return body().finally(() => {
    adam.dispose();
    for (const parameter of parameters) parameter.dispose();
  });
}

export function update(adam: Adam, gradients: readonly Float32Array[]): void {
  const tensors = gradients.map((data, i) => tensor(data, SHAPES[i]));
  adam.update(tensors);
  for (const one of tensors) one.dispose();
}

export const contentOf = (parameters: readonly Variable[]) =>
  Promise.all(parameters.map(parameter => parameter.data()));

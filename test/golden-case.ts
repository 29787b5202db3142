/** Checks one golden case: the result of an operation, and the gradients of Σ gy · result. */
import { expect } from 'vitest';
import { sameShape, sizeOf } from '../engine/basics/shape.ts';
import { type Tensor, tidy } from '../engine/tensor.ts';
import { grad, mul, reshape, sum } from '../kernels/index.ts';
import type { SafetensorsFile, StoredTensor } from '../models/safetensors.ts';
import { take } from './device.ts';
import { expectClose, tensorNamed, toTensor } from './golden-files.ts';
import type { GoldenCase } from './golden-operations.ts';

/** Compares numbers with golden ones. */
export type Comparison = (got: Float32Array, golden: StoredTensor, tolerance: number, what: string) => void;

/** `call` gets the inputs in the order of `one.inputs`: the file's, or `given`. */
export async function checkCase(
  file: SafetensorsFile,
  one: GoldenCase,
  tolerance: number,
  call: (inputs: readonly Tensor[]) => Tensor,
  given?: readonly Tensor[],
  compare: Comparison = expectClose,
): Promise<void> {
  const stored = (part: string) => tensorNamed(file, `${one.name}.${part}`);
  const results = tidy(() => {
    const inputs = given ?? one.inputs.map(name => toTensor(stored(`in.${name}`), one.grads.includes(name)));
    const y = call(inputs);
    const golden = stored('out');
    // Losses may be [1] in the file; they are scalars here.
    expect(
      sameShape(y.shape, golden.shape) || (y.size === 1 && sizeOf(golden.shape) === 1),
      'shape of the result',
    ).toBe(true);
    if (one.grads.length === 0) return [y];
    const upstream = reshape(toTensor(stored('gy')), y.shape);
    const wanted = one.grads.map(name => inputs[one.inputs.indexOf(name)]);
    return [y, ...grad(sum(mul(y, upstream)), wanted)];
  });
  const [y, ...gradients] = await take(results);
  compare(y, stored('out'), tolerance, 'output');
  one.grads.forEach((name, i) => {
    compare(gradients[i], stored(`grad.${name}`), tolerance, `gradient of ${name}`);
  });
}

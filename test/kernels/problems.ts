/** Sample problems of the operations' specifications: their content, random ones from fast-check, and how they are told apart. */
import fc from 'fast-check';
import { Philox } from '../../engine/basics/philox.ts';
import { formatShape, sizeOf } from '../../engine/basics/shape.ts';
import type { Attributes } from '../../engine/graph/operation.ts';
import type { Choose, Sample, SampleInput, Specified } from '../../engine/specify.ts';
import { type Tensor, tensor } from '../../engine/tensor.ts';
import { take } from '../device.ts';

export type Problem = Sample<Attributes>;

/** The seed of all random problems; another one by the variable DAYBREAK_SEED. fast-check prints it when a test fails. */
export const SEED = Number(process.env.DAYBREAK_SEED ?? 20261125);

/** Whether the many and large problems are wanted: `npm run test:long`. */
export const LONG = process.env.DAYBREAK_LONG !== undefined;

/** A problem's inputs as float32 numbers (or words): the same each time. */
export function contentOf({ inputs }: Problem): (Float32Array | Uint32Array)[] {
  return inputs.map(({ shape, dtype, range: [low, high] = [-1, 1], values }: SampleInput, position) => {
    const numbers = new Philox(SEED, position + 1);
    const draw = (_: unknown, i: number) => values?.[i] ?? low + (high - low) * numbers.uniform();
    const length = sizeOf(shape);
    if (dtype === 'u32') return Uint32Array.from({ length }, (_, i) => Math.floor(draw(_, i)));
    return Float32Array.from({ length }, draw);
  });
}

/** Numbers in [-1, 1) that depend on `stream` alone. */
export function noise(length: number, stream: number): Float32Array {
  const numbers = new Philox(SEED, stream);
  return Float32Array.from({ length }, () => 2 * numbers.uniform() - 1);
}

/** The problem's inputs on the GPU; those that may be differentiated ask for it. */
export function tensorsOf(problem: Problem): Tensor[] {
  return contentOf(problem).map((content, i) => {
    const { shape } = problem.inputs[i];
    return tensor(content, shape, { requiresGrad: isDifferentiated(problem.inputs[i]) });
  });
}

/** The content of tensors by their types; the tensors are disposed of. */
export async function numbersOf(tensors: readonly Tensor[]): Promise<(Float32Array | Uint32Array)[]> {
  const types = tensors.map(({ dtype }) => dtype);
  return (await take(tensors)).map((content, i) => (types[i] === 'u32' ? new Uint32Array(content.buffer) : content));
}

export const isDifferentiated = ({ dtype, fixed }: SampleInput): boolean => dtype !== 'u32' && !fixed;

/** The operation's float64 reference on the very numbers that the GPU gets. */
export function referenceOf(
  operation: Specified,
  problem: Problem,
  inputs?: readonly Float64Array[],
): readonly Float64Array[] {
  return operation.reference(
    inputs ?? contentOf(problem).map(content => Float64Array.from(content)),
    problem.inputs.map(({ shape }) => shape),
    problem.attributes,
  );
}

export const describeProblem = ({ inputs, attributes }: Problem): string =>
  `${inputs.map(({ shape, dtype }) => `${dtype === 'u32' ? 'u32' : ''}${formatShape(shape)}`).join(' ')} ${JSON.stringify(attributes)}`;

/** Choices by fast-check, so that what fails is made smaller. */
const chooseBy = (g: fc.GeneratorValue): Choose => ({
  integer: (min, max) => g(fc.integer, { min, max }),
  pick: options => g(fc.constantFrom, ...options) as (typeof options)[number],
});

/** Checks `count` random problems of `operation`; a failure names the problem and the seed. */
export function checkRandomProblems(
  operation: Specified,
  count: number,
  check: (problem: Problem) => Promise<void>,
): Promise<void> {
  const property = fc.asyncProperty(fc.gen(), async g => {
    const problem = operation.random(chooseBy(g)) as Problem;
    try {
      await check(problem);
    } catch (cause) {
      throw new Error(`${operation.name} ${describeProblem(problem)}: ${(cause as Error).message}`, { cause });
    }
  });
  return fc.assert(property, { seed: SEED, numRuns: count, endOnFailure: !LONG });
}

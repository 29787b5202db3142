/** Sample problems of the operations' specifications: their content, random ones from fast-check, and how they are told apart. */
import fc from 'fast-check';
import { Philox } from '../../engine/basics/philox.ts';
import { formatShape, isInteger } from '../../engine/basics/shape.ts';
import type { Attributes } from '../../engine/graph/operation.ts';
import type { Choose, Sample, SampleInput, Specified } from '../../engine/specify.ts';
import { type Elements, type Tensor, tensor } from '../../engine/tensor.ts';
import { elementsOf } from '../../extend/sample-content.ts';

export type Problem = Sample<Attributes>;

/** The seed of all random problems; another one by the variable DAYBREAK_SEED. fast-check prints it when a test fails. */
export const SEED = Number(process.env.DAYBREAK_SEED ?? 20261125);

/** Whether the many and large problems are wanted: `npm run test:long`. */
export const LONG = process.env.DAYBREAK_LONG !== undefined;

/** A problem's inputs as float32 numbers (or words): the same each time. */
export function contentOf({ inputs }: Problem): Elements[] {
  return inputs.map((input, position) => {
    const numbers = new Philox(SEED, position + 1);
    return elementsOf(input, () => numbers.uniform());
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

export const isDifferentiated = ({ dtype, fixed }: SampleInput): boolean => !(dtype && isInteger(dtype)) && !fixed;

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
  `${inputs.map(({ shape, dtype }) => `${dtype ?? ''}${formatShape(shape)}`).join(' ')} ${JSON.stringify(attributes)}`;

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

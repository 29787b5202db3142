/** Every operation, its gradients and what fusion makes of them: compiled gives the numbers that it gives uncompiled. */
import { describe, expect, test } from 'vitest';
import { isInteger } from '../../engine/basics/shape.ts';
import { compile } from '../../engine/compile.ts';
import type { Specified } from '../../engine/specify.ts';
import { type Tensor, tensor, tidy } from '../../engine/tensor.ts';
import { add, grad, mul, neg, sum } from '../../kernels/index.ts';
import { sharedDevice, take } from '../device.ts';
import { relativeError } from '../relative-error.ts';
import { differentiatedInputs, upstreamOf } from './finite-differences.ts';
import { checkRandomProblems, describeProblem, LONG, type Problem, tensorsOf } from './problems.ts';
import { byName } from './specified.ts';

sharedDevice();

const RANDOM = LONG ? 20 : 1;

/** The results of an operation with elementwise neighbours to be fused with, and the gradients through all. */
function around(
  operation: Specified,
  problem: Problem,
  inputs: readonly Tensor[],
  upstream: readonly Tensor[],
): Tensor[] {
  const hasOwnGradient = operation.differentiable && !operation.gradientTestedBy;
  const wanted = hasOwnGradient ? differentiatedInputs(problem) : [];
  // What is computed before an operation and after it may become part of its kernels.
  const before = inputs.map((input, i) => (wanted.includes(i) ? neg(neg(input)) : input));
  const outputs = operation.call(before, problem.attributes);
  // Words have no neighbours that compute.
  const results = outputs.map((output, i) => (isInteger(output.dtype) ? output : mul(add(output, 1), upstream[i])));
  if (wanted.length === 0) return results;
  const loss = results.map(result => sum(result)).reduce((a, b) => add(a, b));
  return [
    ...results,
    ...grad(
      loss,
      wanted.map(i => inputs[i]),
    ),
  ];
}

async function checkCompiled(operation: Specified, problem: Problem, baked: boolean): Promise<void> {
  const upstream = upstreamOf(operation, problem);
  const shapes = tidy(() => operation.call(tensorsOf(problem), problem.attributes).map(({ shape }) => shape));
  const count = problem.inputs.length;
  // New ones for each call: there are operations that update their inputs in place.
  const everything = () => [...tensorsOf(problem), ...upstream.map((numbers, i) => tensor(numbers, shapes[i]))];
  const body = (...args: Tensor[]) => around(operation, problem, args.slice(0, count), args.slice(count));
  using compiled = compile(body, { baked });

  const expected = await take(tidy(() => body(...everything())));
  const first = await take(tidy(() => compiled(...everything())));
  expect(first.length).toBe(expected.length);
  first.forEach((result, i) => {
    // Fusion reorders nothing; only a kernel that knows its sizes may take another order of summation.
    expect(relativeError(result, expected[i]), `result ${i}`).toBeLessThanOrEqual(operation.tolerance ?? 1e-6);
  });
  const second = await take(tidy(() => compiled(...everything())));
  expect(second, 'the same bits twice').toEqual(first);
}

describe.each(byName())('%s', (_, operation) => {
  // Sizes baked in: a text for each problem. Samples with kinks are as good as others here.
  const hasWords = ({ inputs }: Problem) => inputs.some(({ dtype }) => dtype && isInteger(dtype));
  const samples = operation.samples.filter((sample, i) => LONG || i === 0 || hasWords(sample));
  test.each(samples.map(sample => [describeProblem(sample), sample] as const))('%s', (_, sample) =>
    checkCompiled(operation, sample, true),
  );

  test(`${RANDOM} random problems, sizes as arguments`, () =>
    checkRandomProblems(operation, RANDOM, problem => checkCompiled(operation, problem, false)));
});

/** The gradient of every operation against finite differences of its float64 reference. */
import { describe, expect, test } from 'vitest';
import { GradientError } from '../../engine/basics/errors.ts';
import type { Specified } from '../../engine/specify.ts';
import { type Tensor, tensor, tidy } from '../../engine/tensor.ts';
import { add, grad, mul, sum } from '../../kernels/index.ts';
import { sharedDevice, take } from '../device.ts';
import { differentiatedInputs, gradientError, upstreamOf } from './finite-differences.ts';
import { checkRandomProblems, describeProblem, LONG, type Problem, tensorsOf } from './problems.ts';
import { byName, specified, specifiedBy } from './specified.ts';

sharedDevice();

const RANDOM = LONG ? 60 : 2;

/** Largest relative error of a gradient: float32 against float64, over the rounding of a few operations. */
const TOLERANCE = 2e-5;

/** Σ upstream · output over all outputs: every element of every output counts. */
function lossOf(outputs: readonly Tensor[], upstream: readonly Float32Array[]): Tensor {
  return outputs.map((output, i) => sum(mul(output, tensor(upstream[i], output.shape)))).reduce((a, b) => add(a, b));
}

async function checkGradients(operation: Specified, problem: Problem): Promise<void> {
  const wanted = differentiatedInputs(problem);
  const upstream = upstreamOf(operation, problem);
  const gradients = await take(
    tidy(() => {
      const inputs = tensorsOf(problem);
      const loss = lossOf(operation.call(inputs, problem.attributes), upstream);
      return grad(
        loss,
        wanted.map(i => inputs[i]),
      );
    }),
  );
  wanted.forEach((position, i) => {
    const error = gradientError(operation, problem, position, upstream, gradients[i]);
    expect(error, `gradient of input ${position}`).toBeLessThanOrEqual(TOLERANCE);
  });
}

/** What is not tested by another's gradient. */
const differentiable = specified.filter(operation => operation.differentiable && !operation.gradientTestedBy);

describe.each(byName(differentiable))('%s', (_, operation) => {
  for (const sample of operation.samples.filter(sample => differentiatedInputs(sample).length > 0))
    test.skipIf(sample.kink)(`${describeProblem(sample)}${sample.kink ? ` (${sample.kink})` : ''}`, () =>
      checkGradients(operation, sample),
    );

  test(`${RANDOM} random problems`, () =>
    checkRandomProblems(operation, RANDOM, problem => checkGradients(operation, problem)));
});

test.each(
  specified.flatMap(({ name, gradientTestedBy }) => (gradientTestedBy ? [[name, gradientTestedBy] as const] : [])),
)('the gradient of %s is tested by another', (_, { name, why }) => {
  expect(why).toMatch(/\w/);
  expect(differentiable).toContain(specifiedBy(name));
});

const undifferentiable = specified.filter(operation => !operation.differentiable);

test.each(byName(undifferentiable))('%s has no gradient and says so', (_, operation) => {
  const [sample] = operation.samples;
  const [position] = differentiatedInputs(sample);
  // Words have no gradients to be asked for.
  if (position === undefined) return;
  tidy(() => {
    const inputs = tensorsOf(sample);
    const loss = sum(operation.call(inputs, sample.attributes)[0]);
    const message = new RegExp(`${operation.name} has no gradient`);
    expect(() => grad(loss, [inputs[position]])).toThrow(GradientError);
    expect(() => grad(loss, [inputs[position]])).toThrow(message);
  });
});

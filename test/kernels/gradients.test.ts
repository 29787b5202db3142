/** The gradient of every operation against finite differences of its float64 reference. */
import { describe, expect, test } from 'vitest';
import { GradientError } from '../../engine/basics/errors.ts';
import type { Listed } from '../../engine/define.ts';
import { type Tensor, tensor, tidy } from '../../engine/tensor.ts';
import { add, grad, mul, sum } from '../../kernels/index.ts';
import { listings } from '../../kernels/listing.ts';
import { sharedDevice, take } from '../device.ts';
import { differentiatedInputs, gradientError, upstreamOf } from './finite-differences.ts';
import { checkRandomProblems, describeProblem, LONG, type Problem, tensorsOf } from './problems.ts';

sharedDevice();

const RANDOM = LONG ? 60 : 4;

/** Largest relative error of a gradient: float32 against float64, over the rounding of a few operations. */
const TOLERANCE = 2e-5;

/** Σ upstream · output over all outputs: every element of every output counts. */
function lossOf(outputs: readonly Tensor[], upstream: readonly Float32Array[]): Tensor {
  return outputs.map((output, i) => sum(mul(output, tensor(upstream[i], output.shape)))).reduce((a, b) => add(a, b));
}

async function checkGradients(operation: Listed, problem: Problem): Promise<void> {
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

const differentiable = listings.filter(operation => operation.differentiable);

describe.each(differentiable.map(operation => [operation.name, operation] as const))('%s', (_, operation) => {
  for (const sample of operation.samples)
    test.skipIf(sample.kink)(`${describeProblem(sample)}${sample.kink ? ` (${sample.kink})` : ''}`, () =>
      checkGradients(operation, sample),
    );

  test(`${RANDOM} random problems`, () =>
    checkRandomProblems(operation, RANDOM, problem => checkGradients(operation, problem)));
});

test.each(
  listings.filter(operation => !operation.differentiable).map(operation => [operation.name, operation] as const),
)('%s has no gradient and says so', (_, operation) => {
  const [sample] = operation.samples;
  tidy(() => {
    const inputs = tensorsOf(sample);
    const loss = sum(operation.call(inputs, sample.attributes)[0]);
    const message = new RegExp(`${operation.name} has no gradient`);
    expect(() => grad(loss, [inputs[0]])).toThrow(GradientError);
    expect(() => grad(loss, [inputs[0]])).toThrow(message);
  });
});

/** Second derivatives of every operation, against second differences of the float64 references along random directions. */
import { describe, expect, test } from 'vitest';
import { sizeOf } from '../../engine/basics/shape.ts';
import type { Specified } from '../../engine/specify.ts';
import { tensor, tidy } from '../../engine/tensor.ts';
import { add, grad, mul, sum } from '../../kernels/index.ts';
import { sharedDevice, takeOne } from '../device.ts';
import { differentiatedInputs, upstreamOf } from './finite-differences.ts';
import { contentOf, noise, type Problem, referenceOf, tensorsOf } from './problems.ts';
import { specified } from './specified.ts';

sharedDevice();

/** In float64 six digits are left of a second difference. */
const STEP = 1e-4;

/** Their docstrings say that the second derivative is missing, or wrong where an element is 0. */
const ONCE = ['prod', 'bceWithLogits'];

const twice = specified.filter(
  ({ name, differentiable, gradientTestedBy }) => differentiable && !gradientTestedBy && !ONCE.includes(name),
);

/** The smallest problem without a kink. */
function problemOf({ samples }: Specified): Problem | undefined {
  const smooth = samples.filter(({ kink, inputs }) => !kink && inputs.some(({ values }) => !values));
  const size = ({ inputs }: Problem) => inputs.reduce((total, { shape }) => total + sizeOf(shape), 0);
  return smooth.sort((a, b) => size(a) - size(b)).find(sample => differentiatedInputs(sample).length > 0);
}

const cases = twice.flatMap(one => {
  const problem = problemOf(one);
  return problem ? [{ name: one.name, one, problem }] : [];
});

/** dᵀ·H·d of the loss Σ upstream · output, by differentiating twice on the GPU; 0 where the gradient is constant. */
async function byGradients(
  one: Specified,
  problem: Problem,
  along: readonly (Float32Array | undefined)[],
): Promise<number> {
  const upstream = upstreamOf(one, problem);
  const result = tidy(() => {
    const inputs = tensorsOf(problem);
    const wanted = differentiatedInputs(problem).map(i => inputs[i]);
    const outputs = one.call(inputs, problem.attributes);
    const loss = outputs.map((y, i) => sum(mul(y, tensor(upstream[i], y.shape)))).reduce((a, b) => add(a, b));
    const directions = differentiatedInputs(problem).map((i, k) => tensor(along[i]!, wanted[k].shape));
    const slope = grad(loss, wanted, { createGraph: true })
      .map((g, k) => sum(mul(g, directions[k])))
      .reduce((a, b) => add(a, b));
    // A slope does not depend on what the operation is linear in.
    const curves = wanted.flatMap((input, k) => {
      try {
        return [sum(mul(grad(slope, [input])[0], directions[k]))];
      } catch (error) {
        if (error instanceof Error && error.message.includes('does not depend on')) return [];
        throw error;
      }
    });
    return curves.reduce((a, b) => add(a, b), tensor(0));
  });
  return (await takeOne(result))[0];
}

describe.each(cases)('$name', ({ one, problem }) => {
  test.each([0, 1])('along direction %i', async seed => {
    const content = contentOf(problem).map(values => Float64Array.from(values));
    const wanted = differentiatedInputs(problem);
    const along = content.map((values, i) =>
      wanted.includes(i) ? noise(values.length, 500 + 10 * seed + i) : undefined,
    );
    const upstream = upstreamOf(one, problem);
    const lossAt = (step: number) => {
      const moved = content.map((values, i) => values.map((value, j) => value + step * (along[i]?.[j] ?? 0)));
      return referenceOf(one, problem, moved)
        .map((output, k) => output.reduce((total, value, j) => total + value * upstream[k][j], 0))
        .reduce((a, b) => a + b, 0);
    };
    const wantedCurve = (lossAt(STEP) - 2 * lossAt(0) + lossAt(-STEP)) / STEP ** 2;
    const got = await byGradients(one, problem, along);
    // What float32 loses grows with the loss's slope.
    const slope = Math.abs(lossAt(STEP) - lossAt(-STEP)) / (2 * STEP);
    expect(Math.abs(got - wantedCurve) / Math.max(Math.abs(wantedCurve), slope, 1)).toBeLessThan(2e-3);
  });
});

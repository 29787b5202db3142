/** Every operation against its own definition in float64, on the samples of its declaration and on random problems. */
import { describe, expect, test } from 'vitest';
import type { Specified } from '../../engine/specify.ts';
import { type Elements, tidy } from '../../engine/tensor.ts';
import { sharedDevice, takeElements } from '../device.ts';
import { relativeError, worstElementError } from '../relative-error.ts';
import { checkRandomProblems, describeProblem, LONG, type Problem, referenceOf, tensorsOf } from './problems.ts';
import { byName } from './specified.ts';

sharedDevice();

/** Random problems for each operation. */
const RANDOM = LONG ? 100 : 4;

async function run(operation: Specified, problem: Problem): Promise<Elements[]> {
  return takeElements(tidy(() => operation.call(tensorsOf(problem), problem.attributes)));
}

async function checkForward(operation: Specified, problem: Problem): Promise<Elements[]> {
  const results = await run(operation, problem);
  const expected = referenceOf(operation, problem);
  expect(results.length).toBe(expected.length);
  results.forEach((result, i) => {
    const tolerance = result instanceof Uint32Array ? 0 : (operation.tolerance ?? 1e-6);
    expect(relativeError(result, expected[i]), `output ${i}`).toBeLessThanOrEqual(tolerance);
  });
  return results;
}

describe.each(byName())('%s', (_, operation) => {
  test.each(operation.samples.map(sample => [describeProblem(sample), sample] as const))('%s', async (_, sample) => {
    const results = await checkForward(operation, sample);
    // Numbers given one by one are there for their extremes, which a norm does not see.
    if (sample.inputs.some(({ values }) => values))
      referenceOf(operation, sample).forEach((expected, i) => {
        expect(worstElementError(results[i], expected), `elements of output ${i}`).toBeLessThan(2e-5);
      });
    const again = await run(operation, sample);
    expect(again, 'the same bits twice').toEqual(results);
  });

  test(`${RANDOM} random problems`, () =>
    checkRandomProblems(operation, RANDOM, async problem => {
      await checkForward(operation, problem);
    }));
});

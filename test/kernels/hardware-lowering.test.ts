/**
 * The kernels' texts for real GPUs, run on whatever adapter there is: operations are told that it is no software driver
 * and has no subgroups. Their speed says nothing here, their numbers do.
 */
import { describe, expect, test } from 'vitest';
import { tidy } from '../../engine/tensor.ts';
import { listings } from '../../kernels/listing.ts';
import { sharedDevice, take } from '../device.ts';
import { relativeError } from '../relative-error.ts';
import { checkRandomProblems, describeProblem, LONG, type Problem, referenceOf, tensorsOf } from './problems.ts';

sharedDevice({ traits: { software: false, subgroupSize: 0 } });

const RANDOM = LONG ? 40 : 2;

describe.each(listings.map(operation => [operation.name, operation] as const))('%s', (_, operation) => {
  const check = async (problem: Problem) => {
    const results = await take(tidy(() => operation.call(tensorsOf(problem), problem.attributes)));
    referenceOf(operation, problem).forEach((expected, i) => {
      const error = relativeError(results[i], expected);
      expect(error, `output ${i}`).toBeLessThanOrEqual(operation.tolerance ?? 1e-6);
    });
  };

  test.each(operation.samples.map(sample => [describeProblem(sample), sample] as const))('%s', (_, sample) =>
    check(sample),
  );

  test(`${RANDOM} random problems`, () => checkRandomProblems(operation, RANDOM, check));
});

/** The variants of the matrix product, and the rule that chooses where nothing has been measured. */
import type { AdapterTraits } from '../../../engine/text/kernel.ts';
import { Family } from '../../../engine/text/variants.ts';
import { broadcast } from './broadcast.ts';
import { plain } from './plain.ts';
import { describe, type MatmulProblem } from './problem.ts';
import { tiled, tiledChoice } from './tiled.ts';

/** Multiply-adds below which the plain kernel is over before another one is compiled. */
const FEW = 1e6;
/** Products to an element below which nothing is worth sharing: the result's stores take the time. */
const SHORT = 8;

const rule = (problem: MatmulProblem, { software }: AdapterTraits): readonly string[] => {
  const { m, k, n } = problem;
  if (m * k * n < FEW || k < SHORT) return ['plain'];
  return [software ? 'broadcast' : tiledChoice(problem)];
};

export const matmulFamily = new Family<MatmulProblem>({
  name: 'matmul',
  variants: [broadcast, ...tiled, plain],
  rule,
  key: describe,
});

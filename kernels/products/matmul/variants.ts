/** The variants of the matrix product, and the rule that chooses one if nothing was measured. */
import type { AdapterTraits } from '../../../engine/text/kernel.ts';
import { Family } from '../../../engine/text/variants.ts';
import { broadcast } from './broadcast.ts';
import { plain } from './plain.ts';
import { countOf, describe, type MatmulProblem } from './problem.ts';
import { tiled, tiledChoice } from './tiled.ts';

/** Below this many multiply-adds the plain kernel finishes before another one is compiled. */
const FEW = 2e5;
/** Below this inner size sharing loads does not help: storing the result dominates. */
const SHORT = 8;

const rule = (problem: MatmulProblem, { software }: AdapterTraits): readonly string[] => {
  const { m, k, n } = problem;
  if (countOf(problem) * m * k * n < FEW || k < SHORT) return ['plain'];
  return [software ? 'broadcast' : tiledChoice(problem)];
};

export const matmulFamily = new Family<MatmulProblem>({
  name: 'matmul',
  variants: [broadcast, ...tiled, plain],
  rule,
  key: describe,
});

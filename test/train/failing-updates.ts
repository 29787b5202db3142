/** Updates that are not finite on purpose, for tests. */
import { add, exp, mean, mseLoss, mul, sub } from '../../kernels/index.ts';
import { NonFiniteError } from '../../train/errors.ts';
import type { ContentTerm } from '../../train/loss-terms.ts';
import type { StepResult } from '../../train/trainer.ts';

/** The mean squared error, but infinite where the originals are brighter than `limit`: exp gives 0 or overflows. */
export const failsAbove = (limit: number): ContentTerm => ({
  name: 'mse',
  weight: 1,
  loss: (sr, hr) => add(mseLoss(sr, hr), exp(mul(sub(mean(hr), limit), 1e6))),
});

/** Everything thrown and yielded. */
export async function outcome(updates: AsyncIterable<StepResult>) {
  const results: StepResult[] = [];
  try {
    for await (const result of updates) results.push(result);
  } catch (error) {
    if (error instanceof NonFiniteError) return { results, error };
    throw error;
  }
  return { results, error: undefined };
}

/** How losses combine their terms. */
import { ArgumentError, checkOptions, quoted } from '../../engine/basics/errors.ts';
import type { Tensor } from '../../engine/tensor.ts';
import { mean, sum } from '../reductions/sum.ts';

/** Options of all losses. */
export interface LossOptions {
  /** `mean` (default) of all terms, their `sum`, or `none`: the terms themselves. */
  readonly reduction?: 'mean' | 'sum' | 'none';
}

/** The reduction in a loss's options, which may have `more` names. Throws ArgumentError. */
export function reductionIn(name: string, options: LossOptions, more: readonly string[] = []) {
  checkOptions(name, options, ['reduction', ...more]);
  const { reduction = 'mean' } = options;
  if (reduction !== 'mean' && reduction !== 'sum' && reduction !== 'none')
    throw new ArgumentError(name, `expected reduction "mean", "sum" or "none", got ${quoted(reduction)}.`);
  return reduction;
}

/** The terms' mean, their sum, or the terms. */
export const reduceTerms = (terms: Tensor, reduction: LossOptions['reduction']): Tensor =>
  reduction === 'none' ? terms : reduction === 'sum' ? sum(terms) : mean(terms);

/** The same in float64. */
export function reduceNumbers(
  terms: readonly number[] | Float64Array,
  reduction: LossOptions['reduction'],
): Float64Array {
  if (reduction === 'none') return Float64Array.from(terms);
  const total = [...terms].reduce((a, b) => a + b, 0);
  return Float64Array.of(reduction === 'sum' ? total : total / terms.length);
}

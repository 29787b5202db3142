/**
 * Compensated sums. A lane that adds tens of thousands of terms with one sign loses three of seven digits, because each
 * addition rounds by half a unit of the sum so far. So terms are added in short blocks, and the blocks to a pair of
 * numbers, the second of which holds the rounding error (TwoSum; Knuth, The Art of Computer Programming, volume 2, 4.2.2).
 *
 * Vulkan drivers may simplify (a + b) - a to b, and Mesa's do. To prevent it, values pass through their bits, which are
 * XORed with a zero that the driver does not know.
 */
import { range } from './repeat.ts';

/** Terms per block. */
export const BLOCK = 16;

/**
 * Module-scope declarations that the other WGSL in this file needs. A total that is infinite or NaN has lost nothing: the second
 * number would make NaN of infinities.
 */
export const ACCUMULATION = `struct Sum { high: f32, low: f32, zero: u32 }
fn kept(value: f32, zero: u32) -> f32 { return bitcast<f32>(bitcast<u32>(value) ^ zero); }
fn addTo(sum: ptr<function, Sum>, term: f32) {
  let high = kept((*sum).high + term, (*sum).zero);
  let shifted = kept(high - (*sum).high, (*sum).zero);
  (*sum).low += ((*sum).high - (high - shifted)) + (term - shifted);
  (*sum).high = high;
}
fn totalOf(sum: Sum) -> f32 {
  return select(sum.high + sum.low, sum.high, (bitcast<u32>(sum.high) & 0x7f800000u) == 0x7f800000u);
}`;

/** An empty sum. `binding` is any array that is read. */
export const emptySum = (binding: string): string => `Sum(0.0, 0.0, min(arrayLength(&${binding}), 1u) - 1u)`;

/** How the terms of a reduction are combined. */
export interface Fold {
  /** Module-scope declarations that the other WGSL needs. */
  readonly declarations: string;
  /** The expression of an empty total; `binding` is any array that is read. */
  empty(binding: string): string;
  /** The statement that adds a term to the variable `total`. */
  add(term: string): string;
  /** The f32 expression of `total`. */
  readonly result: string;
  /** The f32 expression of two results combined. */
  join(a: string, b: string): string;
  /** Adds the terms of a loop to `total`. `isContiguous`: they are so in memory, and cheap. */
  loop(terms: SumLoop, isContiguous: boolean): string;
}

export interface SumLoop {
  /** The counter's name, its first value, the bound that it stays below, and its step: i32 expressions. */
  readonly counter: string;
  readonly from: string;
  readonly to: string;
  readonly step: number;
  /** Statements that declare `value`, the term for a counter. */
  readonly term: string;
}

/** Terms per iteration of an unrolled loop. */
const UNROLLED = 4;

/**
 * Compensated sums: `total` is of type `Sum`, and the driver does not know any loop's trip count. If the terms are contiguous in
 * memory and cheap, the inner loop of a block costs more than they do, so blocks are four unrolled terms; if they are far apart,
 * that is slower (bench/NOTES.md).
 */
export const SUM: Fold = {
  declarations: ACCUMULATION,
  empty: emptySum,
  add: term => `addTo(&total, ${term});`,
  result: 'totalOf(total)',
  join: (a, b) => `${a} + ${b}`,
  loop({ counter, from, to, step, term }, isContiguous) {
    if (!isContiguous)
      return `for (var ${counter} = ${from}; ${counter} < ${to};) {
    var block = 0.0;
    let stop = min(${to}, ${counter} + ${BLOCK * step});
    for (; ${counter} < stop; ${counter} += ${step}) {
      ${term}
      block += value;
    }
    addTo(&total, block);
  }`;
    const terms = range(UNROLLED).map(
      i => `{
      let ${counter} = next + ${i * step};
      ${term}
      block += value;
    }`,
    );
    return `{
  var next = ${from};
  for (; next < ${to} - ${(UNROLLED - 1) * step}; next += ${UNROLLED * step}) {
    var block = 0.0;
    ${terms.join('\n    ')}
    addTo(&total, block);
  }
  for (; next < ${to}; next += ${step}) {
    let ${counter} = next;
    ${term}
    addTo(&total, value);
  }
  }`;
  },
};

/** A fold by a function `join` of two numbers, for which the order does not matter; `empty` changes nothing. */
export const foldBy = (empty: string, join: Fold['join'], declarations = ''): Fold => ({
  declarations,
  empty: () => empty,
  add: term => `total = ${join('total', term)};`,
  result: 'total',
  join,
  loop: ({
    counter,
    from,
    to,
    step,
    term,
  }) => `for (var ${counter} = ${from}; ${counter} < ${to}; ${counter} += ${step}) {
    ${term}
    total = ${join('total', 'value')};
  }`,
});

/**
 * Compensated sums. A lane that adds tens of thousands of terms with one sign loses three of seven digits, because each
 * addition rounds by half a unit of the sum so far. So terms are added in short blocks, and the blocks to a pair of
 * numbers, the second of which holds the rounding error (TwoSum; Knuth, The Art of Computer Programming, volume 2, 4.2.2).
 *
 * Vulkan drivers may simplify (a + b) - a to b, and Mesa's do. To prevent it, values pass through their bits, which are
 * XORed with a zero that the driver does not know.
 */

/** Terms per block. */
export const BLOCK = 16;

/** Module-scope declarations that the other WGSL in this file needs. */
export const ACCUMULATION = `struct Sum { high: f32, low: f32, zero: u32 }
fn kept(value: f32, zero: u32) -> f32 { return bitcast<f32>(bitcast<u32>(value) ^ zero); }
fn addTo(sum: ptr<function, Sum>, term: f32) {
  let high = kept((*sum).high + term, (*sum).zero);
  let shifted = kept(high - (*sum).high, (*sum).zero);
  (*sum).low += ((*sum).high - (high - shifted)) + (term - shifted);
  (*sum).high = high;
}
// What is infinite or NaN has lost nothing: the second number would make NaN of infinities.
fn totalOf(sum: Sum) -> f32 {
  return select(sum.high + sum.low, sum.high, (bitcast<u32>(sum.high) & 0x7f800000u) == 0x7f800000u);
}`;

/** An empty sum. `binding` is any array that is read. */
export const emptySum = (binding: string): string => `Sum(0.0, 0.0, min(arrayLength(&${binding}), 1u) - 1u)`;

export interface SumLoop {
  /** The counter's name, its first value, the bound that it stays below, and its step: i32 expressions. */
  readonly counter: string;
  readonly from: string;
  readonly to: string;
  readonly step: number;
  /** Statements that declare `value`, the term for a counter. */
  readonly term: string;
}

/** Adds the terms of a loop to `sum`, a variable of type `Sum`. The driver does not know either loop's trip count. */
export const addTerms = ({ counter, from, to, step, term }: SumLoop): string =>
  `for (var ${counter} = ${from}; ${counter} < ${to};) {
    var block = 0.0;
    let stop = min(${to}, ${counter} + ${BLOCK * step});
    for (; ${counter} < stop; ${counter} += ${step}) {
      ${term}
      block += value;
    }
    addTo(&sum, block);
  }`;

/** Terms per iteration of an unrolled loop. */
const UNROLLED = 4;

/**
 * Like `addTerms`, with blocks of four unrolled terms. If the terms are contiguous in memory and cheap, the inner loop of
 * `addTerms` costs more than they do; if they are far apart, this one is slower (bench/NOTES.md).
 */
export function addUnrolledTerms({ counter, from, to, step, term }: SumLoop): string {
  const terms = Array.from(
    { length: UNROLLED },
    (_, i) => `{
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
    addTo(&sum, block);
  }
  for (; next < ${to}; next += ${step}) {
    let ${counter} = next;
    ${term}
    addTo(&sum, value);
  }
  }`;
}

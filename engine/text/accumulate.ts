/**
 * Sums that keep their digits. A lane that adds tens of thousands of terms of one sign one after the other loses three
 * digits of seven: each addition rounds by half a unit of the sum so far. So terms are added in short blocks, and the blocks
 * into a pair of numbers, the second of which holds what the first has lost (TwoSum; Knuth, The Art of Computer
 * Programming, volume 2, 4.2.2).
 *
 * Vulkan drivers may take (a + b) - a for b, and Mesa's do: so what must not be simplified passes through bits, which are
 * combined with a zero that the driver does not know.
 */

/** Terms of a block. */
export const BLOCK = 16;

/** Module-scope declarations that the other texts here need. */
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

/** A sum of nothing. `binding` is any array that is read. */
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

/** Adds the terms of a loop to `sum`, a variable of type `Sum`. The driver knows neither loop's number of turns. */
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

/** Terms that are written out in one turn of an unrolled loop. */
const UNROLLED = 4;

/**
 * As `addTerms`, with blocks of four terms written out. Where the terms lie side by side in memory and are cheap, the inner
 * loop of `addTerms` costs more than they do; where they lie far apart, this one is slower (bench/NOTES.md).
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

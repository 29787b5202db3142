/** The second of two stages: a long sum that was split over workgroups is added up, always in the same order. */
import { ACCUMULATION, emptySum } from '../../engine/text/accumulate.ts';
import { assembleElements } from '../../engine/text/assemble.ts';
import { type AdapterTraits, output, type Step, scratch } from '../../engine/text/kernel.ts';
import { Numbers } from '../../engine/text/numbers.ts';

/** Terms that one workgroup adds up one after the other at most: what a longer chain loses is seen in the sixth digit. */
const LONGEST_CHAIN = 3072;
/** Elements of all parts together at most. */
const MOST_PARTS = 2 ** 24;

/** Into how many parts a sum of `terms` terms must be split for `count` results, so that its digits are kept. */
export const fewestParts = (terms: number, count: number): number =>
  Math.max(1, Math.min(Math.ceil(terms / LONGEST_CHAIN), Math.floor(MOST_PARTS / count)));

/**
 * WGSL for where part `split` of `splits` begins in a sum of `total` steps; part `split + 1` begins where it ends. The
 * product split * total would be one multiplication less, but does not fit i32 where a long sum has thousands of parts.
 */
export const startOfPart = (split: string, total: string): string =>
  `${split} * (${total} / splits) + min(${split}, ${total} % splits)`;

/** Output 0, of `count` elements, = the sum of `splits` parts that lie one after another in scratch buffer `from`. */
export function addParts(name: string, count: number, splits: number, traits: AdapterTraits, from = 0): Step {
  const kernel = assembleElements(
    {
      name: `${name}.parts`,
      reads: ['parts'],
      declarations: ACCUMULATION,
      numbers: new Numbers(false, { n: count, splits }),
      elements: count,
      count: 'n',
      body: `var sum = ${emptySum('parts')};
    for (var i = 0; i < splits; i++) { addTo(&sum, parts[i * n + index]); }
    result[index] = totalOf(sum);`,
    },
    traits,
  );
  return { kernel, operands: [scratch(from), output(0)] };
}

/** The second stage of a long sum that was split over workgroups: adds the parts in a fixed order. */
import { ACCUMULATION, emptySum } from '../../engine/text/accumulate.ts';
import { assembleElements } from '../../engine/text/assemble.ts';
import { type AdapterTraits, output, type Step, scratch } from '../../engine/text/kernel.ts';
import { Numbers } from '../../engine/text/numbers.ts';

/** Maximum terms that a workgroup adds sequentially: longer chains lose precision in the sixth digit. */
const LONGEST_CHAIN = 3072;
/** Maximum elements of all parts together. */
const MOST_PARTS = 2 ** 24;

/** The number of parts into which sums of `terms` terms must be split for precision; there are `count` results. */
export const fewestParts = (terms: number, count: number): number =>
  Math.max(1, Math.min(Math.ceil(terms / LONGEST_CHAIN), Math.floor(MOST_PARTS / count)));

/**
 * WGSL for the start of part `split` of `splits` in a sum of `total` steps; part `split + 1` starts at its end. Using
 * split * total would save a multiplication, but overflows i32 if a long sum has thousands of parts.
 */
export const startOfPart = (split: string, total: string): string =>
  `${split} * (${total} / splits) + min(${split}, ${total} % splits)`;

/** Output 0, of `count` elements, is the sum of `splits` consecutive parts in scratch buffer `from`. */
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

/** The second of two stages: a long sum that was split over workgroups is added up, always in the same order. */
import { assembleElements } from '../../engine/text/assemble.ts';
import { type AdapterTraits, output, type Step, scratch } from '../../engine/text/kernel.ts';
import { Numbers } from '../../engine/text/numbers.ts';

/** Output 0, of `count` elements, = the sum of `splits` parts that lie one after another in scratch buffer `from`. */
export function addParts(name: string, count: number, splits: number, traits: AdapterTraits, from = 0): Step {
  const kernel = assembleElements(
    {
      name: `${name}.parts`,
      reads: ['parts'],
      numbers: new Numbers(false, { n: count, splits }),
      elements: count,
      count: 'n',
      body: `var sum = 0.0;
    for (var i = 0; i < splits; i++) { sum += parts[i * n + index]; }
    result[index] = sum;`,
    },
    traits,
  );
  return { kernel, operands: [scratch(from), output(0)] };
}

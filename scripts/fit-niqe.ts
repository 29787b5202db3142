/** Fits the model of `eval/niqe.ts` on the nine CC0 photographs, and writes it: `npx tsx scripts/fit-niqe.ts`. */

import { writeFileSync } from 'node:fs';
import { type Block, blocksOf, statisticsOf } from '../eval/niqe.ts';
import { PHOTOGRAPHS, readPhotograph } from '../train/pictures/photographs.node.ts';

/** Blocks with less of the picture's largest contrast are out of focus: not what natural is judged by. */
const SHARP = 0.75;

const blocks: Block[] = [];
for (const name of [...PHOTOGRAPHS.training, ...PHOTOGRAPHS.heldOut]) {
  const all = blocksOf(await readPhotograph(name));
  const most = Math.max(...all.map(({ contrast }) => contrast));
  const sharp = all.filter(({ contrast }) => contrast > SHARP * most);
  process.stderr.write(`${name}: ${sharp.length} of ${all.length} blocks\n`);
  blocks.push(...sharp);
}
const { mean, covariance } = statisticsOf(blocks)!;
const numbers = (values: Float64Array) => [...values].map(value => Number(value.toPrecision(7))).join(', ');
writeFileSync(
  new URL('../eval/niqe-model.ts', import.meta.url),
  `/** Statistics of ${blocks.length} sharp blocks of nine CC0 photographs, for \`niqe.ts\`. Written by scripts/fit-niqe.ts. */

// biome-ignore format: a row of the matrix per line
export const PHOTOGRAPHS = {
  mean: Float64Array.of(${numbers(mean)}),
  covariance: Float64Array.of(
${Array.from({ length: 36 }, (_, i) => `    ${numbers(covariance.subarray(i * 36, i * 36 + 36))},`).join('\n')}
  ),
} as const;
`,
);
process.stderr.write(`${blocks.length} blocks\n`);

/** `docs/operations.md`: every operation, from its specification. */
import { type Specified, specifications } from '../engine/specify.ts';
import * as functions from '../kernels/index.ts';
import '../train/index.ts';

const INTRODUCTION = `# Operations

Written by \`npm run docs\` from the operations’ specifications; a test fails when it is out of date.
Elements are float32, those that are only moved also u32; images are NCHW. Binary operations broadcast as NumPy does. A
sample is a problem on which the tests compare the operation with its float64 reference and, where it has a gradient,
that with finite differences, beside random problems. A gradient is itself made of operations: where those have
gradients, second derivatives exist.`;

const OWN = `## Functions

Exported by \`daybreak\` under these names. \`add\`, \`sub\`, \`mul\` and \`div\` also take a number on the right.`;

/** Exported functions that have no specification, because they only call others. */
const SHORT = 'Made of these, and without a row of their own:';

const BEHIND = `## Kernels behind them

Not exported by \`daybreak\`: gradients, and parts that the functions above, the optimizer and the planner are made of.`;

/** A cell's text: the bars of |x| would end it. */
const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');

const row = ({ name, summary, differentiable, samples }: Specified): string =>
  `| \`${name}\` | ${cell(summary)} | ${differentiable ? 'yes' : 'no'} | ${samples.length} |`;

function table(operations: readonly Specified[]): string {
  return ['| name | what | gradient | samples |', '| --- | --- | --- | --- |', ...operations.map(row)].join('\n');
}

/** The whole document. */
export function operationsDocument(): string {
  const all = specifications();
  const own = all.filter(({ name }) => name in functions);
  const behind = all.filter(({ name }) => !(name in functions));
  const listed = new Set(all.map(({ name }) => name));
  // The order of a module's names is up to the loader.
  const short = Object.keys(functions)
    .filter(name => !listed.has(name))
    .sort();
  const others = `${SHORT} ${short.map(name => `\`${name}\``).join(', ')}.`;
  return `${[INTRODUCTION, OWN, table(own), others, BEHIND, table(behind)].join('\n\n')}\n`;
}

/** `daybreak ablate blocks`: PSNR and time against the number of residual blocks, as in figure 7 of Ledig et al. */

import { basename, join, resolve } from 'node:path';
import Table from 'cli-table3';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { count, forShell } from '../common/text.ts';
import { markdownTable } from '../eval/markdown-table.ts';
import { decimals } from '../eval/protocols.ts';
import { checkFolder, writeText } from '../files/output.node.ts';
import { ablationFigure, type TimedRow } from '../train/ablation/figure.ts';
import {
  ABLATION_DEFAULTS,
  type AblationCase,
  type AblationRow,
  ablationCases,
  identityOf,
  runName,
} from '../train/ablation/plan.ts';
import type { TrainConfig } from '../train/config/config.ts';
import { ConfigError } from '../train/errors.ts';
import { variantOf } from '../train/variants.ts';
import { positiveInteger } from './arguments.ts';
import { UsageError } from './failures.ts';
import { addDeviceOptions, type DeviceChoice } from './open-device.ts';
import { withDisplay } from './train-display.ts';
import { addConfigOptions, commandOf } from './train-options.ts';

const HELP = `
Trains an SRResNet for each number of blocks, with and without the long skip, on the
same crops; scores them on the first --eval set; then times them in turns. Writes
DIR/ablation.svg, ablation.md, ablation.csv and ablation.json, and the runs in folders
beside them. Finished networks are kept: a stopped ablation continues with the same
command. The defaults suit a CPU; with --channels 64 --batch 16 --crop 96
--steps 1000000 --lr 1e-4 --lr-schedule constant the networks are the paper's.

Example:
  daybreak ablate blocks --data photographs --eval Set5 --blocks 1,2,4,8 --out ablation`;

/** Options of this invocation, which the runs do not store. */
interface Invocation extends DeviceChoice {
  readonly blocks: readonly number[];
  readonly timed: number;
  readonly runs: number;
}

/** Adds `ablate` to the program. */
export function addAblateCommand(program: Command): void {
  const ablate = program
    .command('ablate')
    .description('Train networks that differ in one respect, and plot their scores.');
  const command = ablate
    .command('blocks')
    .description('PSNR and time against the number of residual blocks, with and without the long skip.')
    .addOption(
      new Option('--blocks <list>', 'numbers of residual blocks').argParser(numbersOf).default([1, 2, 4, 8], '1,2,4,8'),
    );
  addConfigOptions(command, variantOf('srresnet')!, { ...ABLATION_DEFAULTS, blocks: null, longSkip: null, init: null });
  addDeviceOptions(command.optionsGroup('This invocation:'))
    .option('--timed <PX>', 'side of the LR picture that is upscaled for the time', positiveInteger, 64)
    .option('--runs <N>', 'runs of which the time is the median', positiveInteger, 100)
    .addHelpText('after', HELP)
    .action(async (options: Record<string, unknown>) => {
      await ablateBlocks(options);
    });
}

function numbersOf(text: string): number[] {
  const numbers = text.split(',').map(part => (/^\d+$/.test(part.trim()) ? Number(part) : Number.NaN));
  if (numbers.some(Number.isNaN)) throw new InvalidArgumentError('expected numbers with commas, such as 1,2,4,8.');
  return numbers;
}

const INVOCATION: readonly string[] = ['blocks', 'timed', 'runs', 'adapter', 'tuned'] satisfies (keyof Invocation)[];

async function ablateBlocks(options: Record<string, unknown>): Promise<void> {
  const invocation = options as unknown as Invocation;
  const given = Object.fromEntries(Object.entries(options).filter(([key]) => !INVOCATION.includes(key)));
  const { out } = given;
  if (typeof out !== 'string') throw new UsageError('--out: missing; expected a folder');
  if (!Array.isArray(given.eval) || given.eval.length === 0)
    throw new UsageError('--eval: missing; expected a set to score the networks on');
  const set = basename(resolve(String(given.eval[0])));
  const cases = casesOf(invocation, given, out);
  await checkFolder(out);
  const rows = await trainAndTime(cases, out, invocation);
  await writeResults(rows, { out, set, size: invocation.timed, config: cases[0].config });
  process.stdout.write(
    `${terminalTable(rows, set, invocation.timed)}\n${join(out, 'ablation.svg')}, .md, .csv, .json\n`,
  );
}

function casesOf({ blocks }: Invocation, given: Readonly<Record<string, unknown>>, out: string) {
  try {
    return ablationCases(blocks, given, run => join(out, run));
  } catch (error) {
    if (error instanceof ConfigError) throw new UsageError(error.message);
    throw error;
  }
}

async function trainAndTime(
  cases: readonly AblationCase[],
  out: string,
  invocation: Invocation,
): Promise<readonly TimedRow[]> {
  const { readRows, timeRows, trainCase, writeRows } = await import('../train/ablation/ablation.node.ts');
  const known = await readRows(out);
  const rows: AblationRow[] = [];
  let [{ config }] = cases;
  let timed: readonly TimedRow[] = [];
  await withDisplay(
    () => config,
    invocation,
    async session => {
      for (const [i, one] of cases.entries()) {
        config = one.config;
        const finished = known.find(({ identity }) => identity === identityOf(one));
        if (finished) {
          rows.push(finished);
          continue;
        }
        session.onLine?.(`${i + 1}/${cases.length} ${runName(one)}`);
        // Each run reads the pictures itself, within --data-budget.
        const { result, row } = await trainCase(one, out, { ...session, command: commandOf(config) });
        if (!result.finished) return result;
        if (!row) throw new UsageError('--eval: no picture can be scored');
        rows.push(row);
        // Those of later cases may be known, too.
        await writeRows(out, [...known, ...rows.filter(row => !known.includes(row))]);
      }
      const { timed: size, runs } = invocation;
      timed = await timeRows(rows, out, { ...session, size, runs });
      await writeRows(out, timed);
      return { step: config.steps, finished: true };
    },
    () => `the same command (finished networks are kept in ${forShell(out)})`,
  );
  return timed;
}

interface Results {
  readonly out: string;
  readonly set: string;
  /** Side of the LR picture that was timed. */
  readonly size: number;
  /** That of any of the runs. */
  readonly config: TrainConfig;
}

const headsOf = (set: string, size: number) => [
  'blocks',
  'long skip',
  'parameters',
  `PSNR on ${set}`,
  'SSIM',
  `ms, ${size}×${size} LR`,
];

const cellsOf = ({ blocks, longSkip, parameters, psnr, ssim, seconds }: TimedRow) => [
  ...[String(blocks), longSkip === 'add' ? 'yes' : 'no', count(parameters)],
  ...[decimals(psnr, 3), ssim.toFixed(4), (1000 * seconds).toFixed(1)],
];

async function writeResults(rows: readonly TimedRow[], { out, set, size, config }: Results): Promise<void> {
  const { channels, batch, crop, steps, lr } = config;
  const about =
    `${channels} channels, ${count(steps)} updates at a learning rate of ${lr}, ${batch} crops of ${crop} pixels each. ` +
    `Bicubic: ${decimals(rows[0].bicubic, 3)} dB.`;
  const columns = headsOf(set, size).map(head => ({ head, align: 'right' as const }));
  await writeText(join(out, 'ablation.svg'), ablationFigure(rows, set, size));
  await writeText(
    join(out, 'ablation.md'),
    `# PSNR and time against the number of residual blocks\n\n![The figure](ablation.svg)\n\n${about}\n\n${markdownTable(columns, rows.map(cellsOf))}\n`,
  );
  const lines = rows.map(row => [row.blocks, row.longSkip, row.parameters, row.psnr, row.ssim, row.seconds].join(','));
  await writeText(
    join(out, 'ablation.csv'),
    `${['blocks,long_skip,parameters,psnr,ssim,seconds', ...lines].join('\n')}\n`,
  );
}

function terminalTable(rows: readonly TimedRow[], set: string, size: number): string {
  const head = headsOf(set, size);
  const style = { head: [], border: [], compact: true };
  const table = new Table({ head, colAligns: head.map(() => 'right' as const), style });
  for (const row of rows) table.push(cellsOf(row));
  return table.toString();
}

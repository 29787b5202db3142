/** `bench baseline`: records the speed of the convolutions, for the guard in the tests (see `guard.ts`). */
import { existsSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { positiveInteger } from '../cli/arguments.ts';
import { figure, markdownTable, percent } from '../eval/markdown-table.ts';
import { type Baselines, baselineFor, parseBaselines, placeOf, ratioOf, WATCHED } from './guard.ts';
import { median } from './measure.ts';
import { say, withDevice } from './options.ts';

const FILE = new URL('./baseline.json', import.meta.url);

/** The recorded baselines. */
export const readBaselines = (): Baselines => (existsSync(FILE) ? parseBaselines(readFileSync(FILE, 'utf8')) : []);

interface BaselineOptions {
  readonly runs: number;
  readonly dryRun?: boolean;
  readonly adapter?: string;
}

/** Adds `baseline` to the program. */
export function add(program: Command): void {
  program
    .command('baseline')
    .description(
      'Update bench/baseline.json for this driver and processor: how many times faster than the plain kernel the ' +
        'convolutions are. npm test fails if they lose more than a quarter of that.',
    )
    .option('--runs <n>', 'runs for the median', positiveInteger, 5)
    .option('--dry-run', 'only print')
    .option('--adapter <name>', "part of the GPU driver's name, e.g. llvmpipe or NVIDIA")
    .action(write);
}

async function write({ runs, dryRun, ...options }: BaselineOptions): Promise<void> {
  // By rule, as in the test.
  await withDevice({ ...options, tuned: false }, async (device, signal) => {
    const found = new Map<string, number[]>(WATCHED.map(({ name }) => [name, []]));
    for (let run = 0; run < runs; run++) {
      for (const watched of WATCHED) {
        signal.throwIfAborted();
        found.get(watched.name)!.push(await ratioOf(device, watched));
      }
      say(`${run + 1}/${runs}`);
    }
    const all = readBaselines();
    const before = baselineFor(device, all);
    const ratios = Object.fromEntries([...found].map(([name, runs]) => [name, Number(median(runs).toPrecision(3))]));
    const rows = [...found].map(([name, runs]) => [
      name,
      figure(before?.ratios[name]),
      figure(ratios[name]),
      percent((Math.max(...runs) - Math.min(...runs)) / median(runs)),
    ]);
    const columns = [
      { head: 'times the plain kernel', align: 'left' as const },
      { head: 'before' },
      { head: 'now' },
      { head: 'spread' },
    ];
    process.stdout.write(`${markdownTable(columns, rows)}\n`);
    if (dryRun) return;
    const date = new Date().toISOString().slice(0, 10);
    await writeFile(
      FILE,
      `${JSON.stringify([...all.filter(one => one !== before), { ...placeOf(device), date, ratios }], undefined, 2)}\n`,
    );
  });
}

/**
 * Kills training runs at random moments, resumes them, and compares the results with an unbroken run, byte for byte:
 * npx tsx scripts/kill-runs.ts --kills 20 --terms 5 --interrupts 5 --hang-ups 5 --seed 1. The same seed gives the same moments.
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import Table from 'cli-table3';
import { Command } from 'commander';
import { naturalNumber } from '../cli/arguments.ts';
import { runScript } from '../cli/failures.ts';
import { Philox } from '../engine/basics/philox.ts';
import { start } from '../test/cli/daybreak.ts';
import { differences } from '../test/cli/run-difference.ts';
import { loggedStep, TRAIN } from '../test/cli/training-run.ts';

type Signal = 'SIGKILL' | 'SIGTERM' | 'SIGINT' | 'SIGHUP';
const EXIT_CODES = { SIGTERM: 143, SIGINT: 130, SIGHUP: 129 } as const;

interface KillOptions {
  readonly kills: number;
  readonly terms: number;
  readonly interrupts: number;
  readonly hangUps: number;
  readonly seed: number;
  readonly keep?: boolean;
}

const STEPS = 300;

/** Different intervals: some updates save, score and sample at once, most do nothing of it. */
const OPTIONS = [
  ...TRAIN,
  ...[
    '--steps',
    String(STEPS),
    '--save-every',
    '20',
    '--eval',
    'synthetic',
    '--eval-every',
    '40',
    '--sample-every',
    '30',
  ],
  ...['--log-every', '7', '--keep', '3', '--flips', '--rotations'],
];

/** One interruption: when, and the progress of the run. */
interface Stop {
  readonly signal: Signal;
  /** Milliseconds after the process was started. */
  readonly after: number;
  /** The last update in the log. */
  readonly step: number;
  readonly during: string;
}

const commandFor = (run: string): string[] =>
  existsSync(join(run, 'config.json')) ? ['train', 'srresnet', '--resume', '--out', run] : [...OPTIONS, '--out', run];

/** The state of a run, from the files in its folder. */
function during(run: string): string {
  if (!existsSync(join(run, 'config.json'))) return 'before config.json';
  const checkpoints = join(run, 'checkpoints');
  const beingWritten = ['last', 'best'].find(name =>
    ['new', 'old'].some(suffix => existsSync(join(checkpoints, `.${name}.${suffix}`))),
  );
  if (beingWritten) return `writing ${beingWritten}`;
  if (loggedStep(run) >= STEPS) return existsSync(join(run, 'comparison.png')) ? 'reporting' : 'scoring at the end';
  return existsSync(join(checkpoints, 'last')) ? 'after a checkpoint' : 'before the first checkpoint';
}

/**
 * States that are too short to be hit by chance, each targeted by every fourth stop: writing a checkpoint, and the work
 * after the last update.
 */
const AIMS: readonly (RegExp | undefined)[] = [undefined, /^(scoring at the end|reporting)/, undefined, /^writing/];

/**
 * Starts or resumes a run and stops it at `moment`, or, with an `aim`, once that state is reached and `later` has passed
 * (both in milliseconds). Undefined if the run finished first.
 */
async function stopOnce(
  run: string,
  signal: Signal,
  { moment, later, aim }: { readonly moment: number; readonly later: number; readonly aim: RegExp | undefined },
): Promise<Stop | undefined> {
  const began = performance.now();
  const { child, ended } = start(commandFor(run));
  let done = false;
  const watched = ended.finally(() => {
    done = true;
  });
  while (!done && performance.now() - began < moment) await wait(Math.min(5, moment));
  while (aim && !done && !aim.test(during(run))) await wait(0);
  if (aim && later > 0 && !done) await wait(later);
  const stop = { signal, after: performance.now() - began, step: loggedStep(run), during: during(run) };
  child.kill(signal);
  const { code, stderr } = await watched;
  if (code === 0) return undefined;
  // A process that has not yet installed its handlers is killed by the signal.
  const expected = code === null || (signal !== 'SIGKILL' && code === EXIT_CODES[signal]);
  if (!expected) throw new Error(`${signal} in ${run}, ${stop.during}: exit code ${code}: ${stderr.trim()}`);
  return stop;
}

async function unbrokenRun(run: string): Promise<number> {
  const began = performance.now();
  const { code, stderr } = await start([...OPTIONS, '--out', run]).ended;
  if (code !== 0) throw new Error(`the unbroken run ended with ${code}: ${stderr.trim()}`);
  return performance.now() - began;
}

async function main({ kills, terms, interrupts, hangUps, seed, keep }: KillOptions): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'daybreak-kills-'));
  const random = new Philox(seed);
  const unbroken = join(folder, 'unbroken');
  await unbrokenRun(unbroken);
  rmSync(unbroken, { recursive: true });
  // Again with a warm shader cache, to measure the duration of a run.
  let duration = await unbrokenRun(unbroken);
  process.stdout.write(`the unbroken run takes ${(duration / 1000).toFixed(1)} s\n`);

  const table = new Table({
    style: { head: [], border: [], compact: true },
    head: ['run', 'stopped by', 'after', 'update', 'during', 'the unbroken run'],
  });
  let [number, wrong] = [0, 0];
  for (const [signal, wanted] of [
    ['SIGKILL', kills],
    ['SIGTERM', terms],
    ['SIGINT', interrupts],
    ['SIGHUP', hangUps],
  ] as const) {
    for (let made = 0; made < wanted; ) {
      const run = join(folder, `run-${++number}`);
      const stops: Stop[] = [];
      const inThisRun = 1 + Math.floor(3 * random.uniform());
      for (let i = 0; i < inThisRun && made < wanted; i++) {
        // Spread over the whole run.
        const moment = i === 0 ? ((made + random.uniform()) / wanted) * duration : random.uniform() * 0.7 * duration;
        const aim = AIMS[made % AIMS.length];
        // Scoring and reporting take about a twentieth of the run; a checkpoint, milliseconds.
        const later = aim === AIMS[1] ? random.uniform() * 0.05 * duration : 0;
        const began = performance.now();
        const stop = await stopOnce(run, signal, { moment, later, aim });
        if (!stop) {
          // The machine is now less busy: later moments would never be reached.
          if (i === 0) duration = Math.min(duration, performance.now() - began);
          break;
        }
        stops.push(stop);
        made++;
      }
      const { code, stderr } = await start(commandFor(run)).ended;
      const different = code === 0 ? differences(run, unbroken) : [`exit code ${code}: ${stderr.trim()}`];
      wrong += different.length;
      const verdict = different.length === 0 ? 'equal' : different.join(', ');
      for (const { signal, after, step, during } of stops)
        table.push([number, signal, `${(after / 1000).toFixed(2)} s`, step, during, verdict]);
      if (stops.length > 0) process.stderr.write(`run ${number}: ${stops.length} × ${signal}, ${verdict}\n`);
      if (different.length === 0) rmSync(run, { recursive: true });
    }
  }
  process.stdout.write(`${table.toString()}\n${number} runs, ${wrong} differences\n`);
  if (wrong > 0) process.exitCode = 1;
  if (keep || wrong > 0) process.stdout.write(`runs kept in ${folder}\n`);
  else rmSync(folder, { recursive: true });
}

const program = new Command('kill-runs')
  .description('kill training runs at random moments, resume them, and compare them with an unbroken run')
  .option('--kills <N>', 'number of SIGKILLs', naturalNumber, 20)
  .option('--terms <N>', 'number of SIGTERMs', naturalNumber, 5)
  .option('--interrupts <N>', 'number of SIGINTs (Ctrl-C)', naturalNumber, 5)
  .option('--hang-ups <N>', 'number of SIGHUPs (a closed terminal)', naturalNumber, 5)
  .option('--seed <N>', 'random seed', naturalNumber, 1)
  .option('--keep', 'keep the unbroken run')
  .action(main);

await runScript(program);

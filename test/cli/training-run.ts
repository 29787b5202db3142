/** Runs of `daybreak train` as the tests of the command line look at them. */
import type { ChildProcess } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SMALL_FLAGS } from '../train/small-training.ts';

/** The small training on synthetic pictures, but for --out and --steps. */
export const TRAIN = ['train', 'srresnet', '--data', 'synthetic', ...SMALL_FLAGS];

/** The bytes of every file of a checkpoint. */
export function checkpointOf(run: string, name = 'last'): Record<string, string> {
  const folder = join(run, 'checkpoints', name);
  return Object.fromEntries(
    readdirSync(folder).map(file => [file, readFileSync(join(folder, file)).toString('base64')]),
  );
}

/** Updates that the run's log tells of. */
export function loggedStep(run: string): number {
  const path = join(run, 'metrics.jsonl');
  const lines = existsSync(path) ? readFileSync(path, 'utf8').split('\n').slice(0, -1) : [];
  const last = lines.at(-1);
  return last === undefined ? 0 : (JSON.parse(last) as { step: number }).step;
}

/** Waits until the log is beyond update `step`, or the process has ended. */
export async function trainedBeyond(run: string, step: number, child: ChildProcess): Promise<void> {
  while (loggedStep(run) <= step && child.exitCode === null && child.signalCode === null)
    await new Promise(resolve => setTimeout(resolve, 20));
}

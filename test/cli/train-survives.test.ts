/** Runs that are stopped from outside end as if nobody had. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Philox } from '../../engine/basics/philox.ts';
import { temporaryFolder } from '../eval/temporary.ts';
import { CAN_MOUNT, fillDisk, NO_MOUNT, smallDisk } from '../small-disk.ts';
import { BIN, daybreak, start } from './daybreak.ts';
import { differences } from './run-difference.ts';
import { checkpointOf, loggedStep, TRAIN, trainedBeyond } from './training-run.ts';

const STEPS = 360;
const OPTIONS = [
  ...TRAIN,
  '--steps',
  String(STEPS),
  '--save-every',
  '40',
  '--log-every',
  '2',
  '--flips',
  '--rotations',
];
const resume = (run: string) => ['train', 'srresnet', '--resume', '--out', run];

let unbroken: string;
beforeAll(async () => {
  unbroken = mkdtempSync(join(tmpdir(), 'daybreak-unbroken-'));
  expect(await daybreak([...OPTIONS, '--out', unbroken])).toMatchObject({ code: 0 });
});
afterAll(() => rmSync(unbroken, { recursive: true }));

test('Ctrl-C exits with 130, SIGTERM with 143, a closed terminal with 129, all after saving; the resumed run gives the bytes of an unbroken one', async () => {
  const run = join(temporaryFolder(), 'run');
  let before = 0;
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const) {
    const { child, ended } = start(before === 0 ? [...OPTIONS, '--out', run] : resume(run));
    await trainedBeyond(run, before + 30, child);
    child.kill(signal);
    const { code: got, stderr, stdout } = await ended;
    const { step } = JSON.parse(readFileSync(join(run, 'checkpoints/last/state.json'), 'utf8')) as { step: number };
    expect([got, stdout]).toEqual([code, '']);
    expect(stderr).toContain('Saving a checkpoint … Interrupt again to stop immediately.\n');
    expect(stderr).toContain(
      `saved after ${step} updates; resume with: npx daybreak train srresnet --resume --out ${run}\n`,
    );
    expect(stderr.endsWith(`error: stopped by ${signal}\n`)).toBe(true);
    expect(step).toBeGreaterThan(before + 30);
    expect(step).toBeLessThan(STEPS);
    expect(loggedStep(run)).toBe(step);
    expect(existsSync(join(run, 'run.lock'))).toBe(false);
    before = step;
  }
  expect(await daybreak(resume(run))).toMatchObject({ code: 0 });
  expect(differences(run, unbroken)).toEqual([]);
});

test.skipIf(process.platform === 'win32')('with nohup a closed terminal has no effect', async () => {
  const run = join(temporaryFolder(), 'run');
  const program = 'nohup "$@" > /dev/null 2>&1 & echo $!; wait $!';
  const child = spawn('bash', ['-c', program, 'bash', process.execPath, BIN, ...OPTIONS, '--out', run], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  const [number] = await once(child.stdout, 'data');
  await trainedBeyond(run, 30, child);
  process.kill(Number(number), 'SIGHUP');
  expect(await ended).toEqual([0, null]);
  expect(differences(run, unbroken)).toEqual([]);
});

test('a signal before the first update leaves nothing that blocks the next start', async () => {
  const run = join(temporaryFolder(), 'run');
  const reading = [...TRAIN, '--out', run, '--steps', '5', '--synthetic-count', '100000', '--synthetic-size', '64'];
  const { child, ended } = start(reading);
  let sent = false;
  child.stderr?.on('data', text => {
    if (sent || !String(text).includes('reading')) return;
    sent = child.kill('SIGINT');
  });
  expect(await ended).toMatchObject({ code: 130, stderr: expect.stringMatching(/error: stopped by SIGINT\n$/) });
  expect(await daybreak([...TRAIN, '--out', run, '--steps', '5'])).toMatchObject({ code: 0 });
});

const KILLS = process.env.DAYBREAK_LONG ? 4 : 2;

test('a run killed at random moments gives the same bytes', async () => {
  const run = join(temporaryFolder(), 'run');
  const random = new Philox(Date.now());
  const killed: number[] = [];
  for (let i = 0; i < KILLS; i++) {
    const began = i === 0 ? 0 : (killed.at(-1) ?? 0);
    // What is beyond the last checkpoint is made again.
    const { child, ended } = start(i === 0 ? [...OPTIONS, '--out', run] : resume(run));
    await trainedBeyond(run, Math.floor(began / 40) * 40 + 4, child);
    await new Promise(resolve => setTimeout(resolve, 400 * random.uniform()));
    child.kill('SIGKILL');
    const { code, stderr } = await ended;
    if (code === 0) break;
    expect([code, stderr]).toEqual([null, expect.not.stringContaining('error:')]);
    killed.push(loggedStep(run));
  }
  expect(killed.length, 'runs that were killed before their end').toBeGreaterThan(0);
  const last = await daybreak(resume(run));
  expect(last, `killed after ${killed.join(', ')} updates`).toMatchObject({ code: 0 });
  // Nothing half-written is left either.
  expect(differences(run, unbroken), `killed after ${killed.join(', ')} updates`).toEqual([]);
});

test.skipIf(!CAN_MOUNT)(
  `a full disk ends a run with one line; with free space again it gives the same bytes${NO_MOUNT}`,
  async () => {
    const disk = smallDisk();
    const run = join(disk, 'run');
    expect(await daybreak([...OPTIONS, '--out', run, '--stop-after', '60'])).toMatchObject({ code: 0 });
    const before = checkpointOf(run);
    const free = fillDisk(disk, 100);
    const { code, stdout, stderr } = await daybreak(resume(run));
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr.split('\n').filter(line => line.startsWith('error:'))).toEqual([
      `error: ${run}/checkpoints/last: cannot be written: the disk is full (ENOSPC); the run is saved up to update 60: resume ` +
        'it with --resume',
    ]);
    expect(checkpointOf(run)).toEqual(before);
    free();
    expect(await daybreak(resume(run))).toMatchObject({ code: 0 });
    rmSync(join(disk, 'filler'), { force: true });
    expect(differences(run, unbroken)).toEqual([]);
  },
);

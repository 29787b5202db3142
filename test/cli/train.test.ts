/** `daybreak train` from outside: repeated, stopped, resumed, interrupted, and told wrong things. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../eval/temporary.ts';
import { daybreak, daybreakProcess, start } from './daybreak.ts';
import { TRAIN as SMALL_TRAIN } from './training-run.ts';

/** Of the sizes that all tests of runs share, so that their kernels are compiled once. */
const TRAIN = [...SMALL_TRAIN, '--flips', '--rotations'];

/** SHA-256 of each file of a run's last checkpoint. */
function checkpoint(run: string): Record<string, string> {
  const hash = (name: string) =>
    createHash('sha256')
      .update(readFileSync(join(run, 'checkpoints/last', name)))
      .digest('hex');
  return Object.fromEntries(
    ['model.safetensors', 'optimizer.safetensors', 'state.json'].map(name => [name, hash(name)]),
  );
}

test('the same command gives the same bytes, unbroken or resumed', async () => {
  const folder = temporaryFolder();
  const [first, second, broken] = ['first', 'second', 'broken'].map(name => join(folder, name));
  // In two processes: nothing of the first one's may count.
  expect((await daybreakProcess([...TRAIN, '--out', first, '--steps', '20'])).code).toBe(0);
  expect((await daybreak([...TRAIN, '--out', second, '--steps', '20'])).code).toBe(0);
  expect(checkpoint(second)).toEqual(checkpoint(first));

  const stopped = await daybreak([...TRAIN, '--out', broken, '--steps', '20', '--stop-after', '10']);
  expect(stopped).toMatchObject({ code: 0, stdout: expect.stringContaining('stopped after 10 of 20 updates') });
  expect(checkpoint(broken)).not.toEqual(checkpoint(first));
  expect((await daybreak(['train', 'srresnet', '--resume', '--out', broken])).code).toBe(0);
  expect(checkpoint(broken)).toEqual(checkpoint(first));

  for (const name of ['config.json', 'env.json', 'metrics.jsonl', 'report.html', 'comparison.png'])
    expect([name, existsSync(join(first, name))]).toEqual([name, true]);
  const again = await daybreak([...TRAIN, '--out', first, '--steps', '20']);
  expect(again).toMatchObject({ code: 1, stderr: expect.stringContaining('already has a run') });
});

test('--profile gives the same bytes, a trace in the run folder or the given file, and a summary', async () => {
  const folder = temporaryFolder();
  const [plain, run] = ['plain', 'run'].map(name => join(folder, name));
  expect((await daybreak([...TRAIN, '--out', plain, '--steps', '6'])).code).toBe(0);
  const profiled = [...TRAIN, '--out', run, '--steps', '6', '--profile', '--profile-steps', '2'];
  expect(await daybreak(profiled)).toMatchObject({
    code: 0,
    stderr: expect.stringContaining('% of it in convolutions'),
  });
  expect(checkpoint(run)).toEqual(checkpoint(plain));
  expect(JSON.parse(readFileSync(join(run, 'profile.json'), 'utf8')).traceEvents.length).toBeGreaterThan(100);

  const file = join(folder, 'trace.json');
  const other = [...TRAIN, '--out', join(folder, 'other'), '--steps', '3', '--json', '--profile-steps', '1'];
  const { code, stdout } = await daybreak([...other, '--profile', file]);
  expect(code).toBe(0);
  const { profile } = JSON.parse(stdout) as { profile: { dispatches: number; updates: unknown } };
  expect(profile.updates).toEqual({ whole: 1, timed: 1 });
  expect(JSON.parse(readFileSync(file, 'utf8')).otherData.summary.dispatches).toBe(profile.dispatches);
  expect((await daybreak([...other, '--profile-steps', '0'])).code).toBe(2);
});

test.each([
  ['SIGINT', 130, []],
  ['SIGTERM', 143, []],
  // All updates but the first are skipped, and there is nothing to show.
  ['SIGINT', 130, ['--lr', '1e30', '--max-non-finite', '1000000']],
] as const)('%s saves first and exits with %i; the run can be resumed %s', async (signal, code, more) => {
  const run = join(temporaryFolder(), 'run');
  const options = ['--out', run, '--steps', '1000000', '--save-every', '1000000', ...more];
  const { child, ended } = start([...TRAIN, ...options]);
  const log = join(run, 'metrics.jsonl');
  // The first lines of the log come with the first updates.
  while (!existsSync(log) || readFileSync(log, 'utf8').split('\n').length < 4) {
    if (child.exitCode !== null) throw new Error((await ended).stderr);
    await new Promise(wake => setTimeout(wake, 50));
  }
  child.kill(signal);
  expect(await ended).toMatchObject({ code, stderr: expect.stringContaining('saved after') });
  const { step } = JSON.parse(readFileSync(join(run, 'checkpoints/last/state.json'), 'utf8')) as { step: number };
  expect(step).toBeGreaterThan(0);
  const resumed = await daybreak(['train', 'srresnet', '--resume', '--out', run, '--stop-after', String(step + 5)]);
  expect(resumed.code).toBe(0);
  expect(JSON.parse(readFileSync(join(run, 'checkpoints/last/state.json'), 'utf8'))).toMatchObject({ step: step + 5 });
});

test('a training with non-finite updates exits with 1, names the first tensor, and keeps the state before', async () => {
  const run = join(temporaryFolder(), 'run');
  const broken = ['--lr', '1e30', '--out', run, '--steps', '20', '--max-non-finite', '3'];
  const { code, stderr } = await daybreak([...TRAIN, ...broken]);
  expect([code, stderr]).toEqual([
    1,
    expect.stringMatching(
      /error: updates 2 to 4 contained NaN or infinity \(the last: 1 of the losses, .*\); .*; first: .* generator \w+/,
    ),
  ]);
  const skipped = stderr.split('\n').filter(line => line.startsWith('skipped update '));
  expect(skipped).toEqual([
    expect.stringMatching(/^skipped update 2, NaN or infinity in .* \(1 in a row, 3 end the run\)$/),
    expect.stringMatching(/^skipped update 3, NaN or infinity in .* \(2 in a row, 3 end the run\)$/),
    expect.stringMatching(/^skipped update 4, NaN or infinity in .* \(3 in a row end the run\)$/),
  ]);
  expect(JSON.parse(readFileSync(join(run, 'checkpoints/last/state.json'), 'utf8'))).toMatchObject({
    step: 4,
    skipped: { all: 3, inRow: 3 },
  });
  expect(existsSync(join(run, 'checkpoints/last/model.safetensors'))).toBe(true);
});

test.each([
  [['--out', 'x'], /--data: missing/],
  [['--data', 'synthetic', '--out', 'x', '--crop', '33'], /--crop: expected a multiple of 4 from 4 to 4096, got 33/],
  [['--resume'], /--resume needs --out/],
  [['--nonsense'], /unknown option/],
])('wrong usage: %j', async (options, message) => {
  const { code, stderr } = await daybreak(['train', 'srresnet', ...options], temporaryFolder());
  expect([code, stderr]).toEqual([2, expect.stringMatching(message)]);
});

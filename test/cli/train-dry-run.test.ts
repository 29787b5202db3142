/** `daybreak train --dry-run`, `--set` and configuration files from outside. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../eval/temporary.ts';
import { SMALL } from '../train/small-training.ts';
import { daybreak } from './daybreak.ts';
import { TRAIN } from './training-run.ts';

const BASE = {
  data: 'synthetic',
  synthetic: { count: 3, size: 32 },
  ...SMALL,
  lr: 1e-3,
  'lr.schedule': 'cosine',
  steps: 6,
};

test('prints what a run needs and where each option was set; trains and writes nothing', async () => {
  const folder = temporaryFolder();
  const [file, out] = [join(folder, 'base.json'), join(folder, 'run')];
  writeFileSync(file, JSON.stringify(BASE));
  const command = ['train', 'srresnet', '--config', file, '--set', 'lr.schedule=constant', '--out', out];

  const dry = await daybreak([...command, '--dry-run']);
  expect(dry.code).toBe(0);
  expect(dry.stdout).toMatch(/^syntheticSize +32 +\S*base\.json$/m);
  expect(dry.stdout).toMatch(/^lrSchedule +constant +command line$/m);
  expect(dry.stdout).toMatch(/^keep +5 +default$/m);
  expect(dry.stdout).toMatch(/^would make 6 updates\nparameters {2}generator [\d,]+\npictures {4}3 to train on$/m);
  expect(existsSync(out)).toBe(false);

  const json = await daybreak([...command, '--dry-run', '--json']);
  const found = JSON.parse(json.stdout);
  expect(found).toMatchObject({ step: 0, pictures: 3, config: { lrSchedule: 'constant', channels: 8 } });

  const run = await daybreak([...command, '--stop-after', '2']);
  expect(run.stderr).toMatch(/^options: .*lr 0\.001 \(.*base\.json\), lrSchedule constant \(command line\)/m);
  const last = join(out, 'checkpoints', 'last');
  const bytes = readdirSync(last).filter(name => name !== 'manifest.json');
  const size = bytes.reduce((sum, name) => sum + readFileSync(join(last, name)).length, 0);
  expect(found.disk.checkpointBytes).toBe(size);

  const before = readdirSync(out, { recursive: true }).sort();
  const resumed = await daybreak(['train', 'srresnet', '--resume', '--out', out, '--set', 'steps=9', '--dry-run']);
  expect(resumed.stdout).toMatch(/^steps +9 +command line$/m);
  expect(resumed.stdout).toMatch(/^batch +2 +the run$/m);
  expect(resumed.stdout).toMatch(/^would resume after 2 of 9 updates$/m);
  expect(readdirSync(out, { recursive: true }).sort()).toEqual(before);
});

test('rejects what a run would reject', async () => {
  const folder = temporaryFolder();
  const file = join(folder, 'base.json');
  writeFileSync(file, JSON.stringify(BASE));
  writeFileSync(join(folder, 'taken'), '');
  const command = ['train', 'srresnet', '--config', file, '--dry-run'];
  const wrong: [string[], RegExp, number][] = [
    [['--out', folder], /is not empty and has no run/, 1],
    [['--out', join(folder, 'taken')], /taken: is not a folder/, 1],
    [
      ['--out', join(folder, 'a'), '--set', 'lr=1', '--lr', '1'],
      /^error: --set lr=1: expected lr once, got it twice$/m,
      2,
    ],
    [
      ['--out', join(folder, 'a'), '--set', 'lr.shedule=step'],
      /^error: --lr-shedule: unknown option; the options are/m,
      2,
    ],
    [['--out', join(folder, 'a'), '--stop-after', '1'], /^error: --dry-run trains nothing/m, 2],
  ];
  for (const [more, message, code] of wrong) {
    const { stderr, code: ended } = await daybreak([...command, ...more]);
    expect([more, ended, stderr]).toEqual([more, code, expect.stringMatching(message)]);
  }
});

test('overfits one batch', async () => {
  const run = join(temporaryFolder(), 'run');
  const more = ['--lr', '4e-3', '--steps', '150', '--overfit-batch', '--log-every', '1'];
  expect((await daybreak([...TRAIN, ...more, '--out', run])).code).toBe(0);
  const losses = readFileSync(join(run, 'metrics.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map(line => JSON.parse(line).loss as number);
  expect(losses.at(-1)! / losses[0]).toBeLessThan(0.1);
});

test('another variant is an error in --set and a note in a file; hints are quoted for a shell', async () => {
  const folder = temporaryFolder();
  const file = join(folder, 'base.json');
  writeFileSync(file, JSON.stringify({ ...BASE, model: 'srgan-mse' }));
  const out = join(folder, "Ann's run");
  const command = ['train', 'srresnet', '--config', file, '--out', out];
  const other = await daybreak([...command, '--set', 'model=srgan-mse']);
  expect([other.code, other.stderr]).toEqual([
    2,
    expect.stringMatching(
      /^error: --set model: expected srresnet-mse, the variant of this command, got srgan-mse; .*, use daybreak train srgan-mse /m,
    ),
  ]);
  const none = await daybreak([...command, '--set', 'model=gan']);
  expect([none.code, none.stderr]).toEqual([2, expect.stringContaining('daybreak train VARIANT (srresnet-mse (or')]);
  const { code, stdout, stderr } = await daybreak([...command, '--set', 'model=srresnet-mse', '--stop-after', '1']);
  expect([code, stderr]).toEqual([
    0,
    expect.stringMatching(/^note: .*base\.json was written for srgan-mse; training srresnet/m),
  ]);
  expect(stdout).toContain(`resume with: npx daybreak train srresnet --resume --out '${out.replace("'", "'\\''")}'`);
});

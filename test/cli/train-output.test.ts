/** What `daybreak train` says and leaves. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { writePicture } from '../../image/files.node.ts';
import { syntheticPicture } from '../../image/synthetic.ts';
import { parseConfig } from '../../train/config/config.ts';
import { temporaryFolder } from '../eval/temporary.ts';
import { formulaPicture } from '../image/fixtures.ts';
import { RUN_CONTENT } from '../train/small-training.ts';
import { daybreak, start } from './daybreak.ts';
import { TRAIN, trainedBeyond } from './training-run.ts';

const SIZES = ['--channels', '8', '--blocks', '1', '--batch', '2', '--crop', '16'];

const json = (...path: string[]) => JSON.parse(readFileSync(join(...path), 'utf8'));
const linesOf = (text: string) => text.split('\n').filter(line => line !== '' && !line.startsWith('Warning: max'));

test('a run on a folder with broken pictures, scored during training, with its result as JSON', async () => {
  const folder = temporaryFolder();
  for (const i of [0, 1]) await writePicture(join(folder, 'data', `good-${i}.png`), syntheticPicture(3, i, 32));
  await writePicture(join(folder, 'data', 'tiny.png'), formulaPicture([8, 8, 3, 1]));
  writeFileSync(join(folder, 'data', 'broken.png'), readFileSync(join(folder, 'data', 'good-0.png')).subarray(0, 900));
  writeFileSync(join(folder, 'data', 'notes.txt'), 'no picture, and not asked to be one');
  await writePicture(join(folder, 'held out', 'a.png'), syntheticPicture(4, 0, 24));
  const args = ['--data', 'data', '--eval', 'held out', '--eval-every', '4', '--save-every', '4', '--log-every', '3'];
  const given = [...SIZES, ...args, '--steps', '10', '--lr', '1e-3', '--flips', '--seed', '7', '--out', 'run'];
  const { code, stdout, stderr } = await daybreak(['train', 'srresnet', ...given, '--json'], folder);
  expect(code).toBe(0);

  const lines = linesOf(stderr);
  expect(lines.filter(line => line.includes('skipped'))).toEqual([
    expect.stringMatching(/^skipped: data\/broken\.png: .+$/),
    'skipped: data/tiny.png: 8x8, 3 channels: smaller than the crops of 16x16',
    'skipped 2 files; training on 2 pictures',
  ]);
  expect(lines.filter(line => /^step \d+: held out [\d.]+ dB/.test(line))).toHaveLength(3);
  expect(lines).toContainEqual(
    expect.stringMatching(/^step 10\/10 {2}loss [\d.]+ {2}[\d.,]+ images\/s {2}GPU [\d,]+ MiB {2}left 0 s$/),
  );

  const run = join(folder, 'run');
  const result = JSON.parse(stdout);
  expect(result).toMatchObject({ folder: run, step: 10, finished: true, scores: [{ data: 'held out' }] });
  expect(result.waitedForData).toBeLessThan(10);
  const [image] = result.scores[0].images;
  for (const method of ['model', 'bicubic'])
    expect(Object.keys(image[method]).sort()).toEqual(
      expect.arrayContaining(['psnr', 'psnr_paper', 'ssim', 'ssim_paper']),
    );

  expect(readdirSync(run).sort()).toEqual(RUN_CONTENT);
  expect(readdirSync(join(run, 'checkpoints')).sort()).toEqual(['best', 'last', 'step-4', 'step-8']);
  const config = { channels: 8, blocks: 1, batch: 2, crop: 16, data: ['data'], eval: ['held out'], evalEvery: 4 };
  const { version, paths, ...options } = json(run, 'config.json');
  expect([version, paths]).toEqual([2, { relativeTo: folder, run }]);
  expect(options).toEqual(
    parseConfig({ ...config, saveEvery: 4, logEvery: 3, steps: 10, lr: 1e-3, flips: true, seed: 7, out: 'run' }),
  );

  const environment = json(run, 'env.json');
  expect(environment).toMatchObject({
    daybreak: json('package.json').version,
    node: process.version,
    webgpu: '0.6.2',
    cpu: { cores: expect.any(Number) },
    adapter: { description: expect.any(String) },
    limits: { maxStorageBufferBindingSize: expect.any(Number) },
    kernels: {
      'conv2d.forward': expect.arrayContaining(['plain']),
      'conv2d.weightGradient': expect.arrayContaining(['plain']),
    },
  });
  expect(environment.features).toEqual(expect.any(Array));
  expect(Date.parse(environment.date)).toBeGreaterThan(Date.now() - 600_000);
  if (existsSync('.git')) expect(environment.commit.hash).toMatch(/^[0-9a-f]{40}$/);
  // Nothing that names a folder of this machine.
  expect(JSON.stringify(environment)).not.toContain(folder);

  const metrics = readFileSync(join(run, 'metrics.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line));
  const steps = metrics.filter(entry => 'loss' in entry);
  expect(steps.map(({ step }) => step)).toEqual([1, 3, 4, 6, 8, 9, 10]);
  for (const entry of steps) {
    expect(entry).toEqual({
      step: expect.any(Number),
      loss: expect.any(Number),
      terms: { mse: entry.loss },
      lr: 1e-3,
      imagesPerSecond: expect.any(Number),
      seconds: expect.any(Number),
      waitedForDataSeconds: expect.any(Number),
    });
    expect(entry.loss).toBeGreaterThan(0);
  }
  expect(steps.map(({ seconds }) => seconds)).toEqual(steps.map(({ seconds }) => seconds).toSorted((a, b) => a - b));
  expect(metrics.filter(entry => 'evaluation' in entry).map(({ step }) => step)).toEqual([4, 8, 10]);

  const report = readFileSync(join(run, 'report.html'), 'utf8');
  const [, words] = /<div class="command"><pre>(.*?)<\/pre>/.exec(report) ?? [];
  const command = words?.replaceAll(/<[^>]*>/g, '').replaceAll('&#39;', "'");
  expect(command).toBe(
    "npx daybreak train srresnet --data data --batch 2 --crop 16 --flips --channels 8 --blocks 1 --steps 10 --lr 0.001 --seed 7 --out run --eval 'held out' --eval-every 4 --save-every 4 --log-every 3",
  );
  expect(report).not.toMatch(/(src|href)="(?!data:|#)/);
});

describe('the configuration', () => {
  test('is read from a file, and the command line overrides it', async () => {
    const folder = temporaryFolder();
    const file = {
      channels: 8,
      blocks: 1,
      batch: 2,
      crop: 16,
      data: 'synthetic',
      syntheticCount: 1,
      syntheticSize: 32,
    };
    writeFileSync(join(folder, 'my.json'), JSON.stringify({ ...file, steps: 50, lr: 0.5, flips: true }));
    const args = ['--config', 'my.json', '--lr', '1e-3', '--out', 'run', '--stop-after', '0'];
    const { code, stdout } = await daybreak(['train', 'srresnet', ...args], folder);
    expect([code, stdout]).toEqual([0, expect.stringContaining('stopped after 0 of 50 updates')]);
    expect(json(folder, 'run', 'config.json')).toMatchObject(
      parseConfig({ ...file, steps: 50, lr: 1e-3, flips: true, out: 'run' }),
    );
  });

  test('of an extended run is the new one, also in the output', async () => {
    const folder = temporaryFolder();
    expect(await daybreak([...TRAIN, '--out', 'run', '--steps', '3'], folder)).toMatchObject({ code: 0 });
    mkdirSync(join(folder, 'elsewhere'));
    const resume = ['train', 'srresnet', '--resume', '--out', '../run'];
    const args = [...resume, '--steps', '9', '--stop-after', '7'];
    const { code, stdout, stderr } = await daybreak(args, join(folder, 'elsewhere'));
    expect([code, stdout]).toEqual([
      0,
      expect.stringContaining(
        'stopped after 7 of 9 updates; resume with: npx daybreak train srresnet --resume --out ../run',
      ),
    ]);
    expect(linesOf(stderr)).toContainEqual(expect.stringMatching(/^step 7\/9 /));
    expect(json(folder, 'run', 'config.json')).toMatchObject({ steps: 9, out: '../run' });
    expect(stdout).toContain(`model: ${join(folder, 'run')}/checkpoints/last/model.safetensors`);
  });
});

describe('errors', () => {
  test.each([
    [['--resume', '--out', 'nowhere'], 2, /^nowhere: not the folder of a run \(no config\.json\)/],
    [['--resume', '--out', 'x', '--config', 'y'], 2, /^--config is for new runs/],
    [
      ['--data', 'synthetic', '--out', 'x', '--config', 'y.json'],
      2,
      /^y\.json: cannot be read: no such file or folder \(ENOENT\)$/,
    ],
    [['--data', 'synthetic', '--out', 'x', '--lr', '0'], 2, /^--lr: expected a number above 0, got 0$/],
    [
      ['--data', 'synthetic', '--out', 'x', '--steps', 'many'],
      2,
      /^--steps: expected an integer from 1 to 16777216, got "many"$/,
    ],
    [
      ['--data', 'synthetic', '--out', 'x', '--lr-schedule', 'warm', '--batch', '0'],
      2,
      /^--batch: expected an integer from 1 to 65536, got 0; --lr-schedule: expected constant, cosine, step, got "warm"$/,
    ],
    [['--data', 'synthetic', '--out', 'x', '--stop-after', '1.5'], 2, /^option '--stop-after <N>' argument '1.5' is/],
    [
      ['--data', 'nowhere', '--out', 'x'],
      1,
      /^nowhere: cannot list this folder: no such file or folder \(ENOENT\); --data takes a folder/,
    ],
    [['--data', 'synthetic', '--out', 'x', '--adapter', 'abacus'], 1, /^No WebGPU adapter with "abacus" in the name/],
  ] as const)('%j: exit %i and one line', async (options, expected, message) => {
    const folder = temporaryFolder();
    const { code, stdout, stderr } = await daybreak(['train', 'srresnet', ...options], folder);
    const lines = linesOf(stderr);
    expect([code, stdout, lines.length]).toEqual([expected, '', 1]);
    expect(lines[0]).toMatch(/^error: /);
    expect(lines[0].slice('error: '.length)).toMatch(message);
    if (expected === 2) expect(readdirSync(folder)).toEqual([]);
  });

  test('a configuration file with an unknown option is an error that names the file', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'my.json'), '{"chanels": 8}');
    const args = ['train', 'srresnet', '--data', 'synthetic', '--out', 'x', '--config', 'my.json'];
    const { code, stderr } = await daybreak(args, folder);
    expect([code, stderr]).toEqual([
      2,
      expect.stringMatching(/^error: my\.json: chanels: unknown option; the options are /),
    ]);
  });

  test('a second process in the same run is an error; the first continues', async () => {
    const run = join(temporaryFolder(), 'run');
    const { child, ended } = start([...TRAIN, '--out', run, '--steps', '1000000', '--log-every', '1']);
    await trainedBeyond(run, 2, child);
    const { code, stderr } = await daybreak(['train', 'srresnet', '--resume', '--out', run]);
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/run\.lock: process \d+ since .* is writing to this run folder/),
    ]);
    child.kill('SIGTERM');
    expect(await ended).toMatchObject({ code: 143 });
  });
});

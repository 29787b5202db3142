/** `scripts/ship-model.ts`: from a run to a network that ships. */
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { signed } from '../../common/text.ts';
import { setCurrentDevice } from '../../engine/tensor.ts';
import { evaluate } from '../../eval/evaluate.ts';
import { interpolation, network } from '../../eval/methods.ts';
import { textureRatio } from '../../eval/texture.ts';
import { writePicture } from '../../image/files.node.ts';
import { syntheticPicture } from '../../image/synthetic.ts';
import { decodeModel } from '../../models/model-file.ts';
import { listPretrained } from '../../models/pretrained.node.ts';
import { NetworkUpscaler } from '../../models/upscaler.ts';
import { type ShipOptions, ship as shipModel } from '../../scripts/ship-model.ts';
import { daybreak } from '../cli/daybreak.ts';
import { sharedDevice } from '../device.ts';
import { runTypeScript } from '../docs/run.ts';
import { pairsOf } from '../eval/pairs.ts';
import { temporaryFolder } from '../eval/temporary.ts';
import { checkShipped } from '../models/shipped.ts';
import { SMALL_FLAGS } from '../train/small-training.ts';

const device = sharedDevice();

/** Runs what opens a device of its own, and makes this file's the default again. */
async function keepingDevice(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } finally {
    setCurrentDevice(device());
  }
}

afterEach(() => vi.unstubAllEnvs());

const OPTIONS = {
  summary: 'for a test',
  trainedOn: ['three synthetic pictures (MIT)'],
  note: ['made in a hurry'],
  licence: 'MIT, as the project',
};

/** The same on the command line. */
const TEXTS = [
  '--summary',
  'for a test',
  '--trained-on',
  'three synthetic pictures (MIT)',
  '--note',
  'made in a hurry',
];

test('a run becomes a file, a card and a line of the registry, which the command line finds', async () => {
  const folder = temporaryFolder();
  for (let i = 0; i < 2; i++) await writePicture(join(folder, 'scored', `${i}.png`), syntheticPicture(4, i, 48));
  const run = join(folder, 'runs/small');
  const trained = await daybreak([
    'train',
    'srresnet',
    '--data',
    'synthetic',
    ...SMALL_FLAGS,
    '--out',
    run,
    '--steps',
    '2',
  ]);
  expect(trained.code, trained.stderr).toBe(0);
  const checkpoint = join(run, 'checkpoints/last/model.safetensors');
  const out = join(folder, 'shipped');
  const data = [join(folder, 'scored')];
  const ship = (more: Partial<ShipOptions>) =>
    keepingDevice(() => shipModel(checkpoint, { ...OPTIONS, name: 'other', data, out, ...more }));
  const command = [checkpoint, '--name', 'other', ...TEXTS, '--out', out];
  await runTypeScript('scripts/ship-model.ts', [...command, '--data', data[0]]);
  await ship({ name: 'srresnet' });

  const models = await listPretrained(out);
  expect(models.map(({ name }) => name)).toEqual(['srresnet', 'other']);
  for (const model of models) checkShipped(model, out);

  // The figures are those of the file, of bicubic, and of the weights before they were rounded.
  const [{ scores, card: path, file }] = models;
  // Tables are padded: a cell by its text.
  const card = readFileSync(join(out, path), 'utf8').replaceAll(/ +/g, ' ');
  const measure = async (...pair: Parameters<typeof textureRatio>) => ({ texture: textureRatio(...pair) });
  const pairs = await pairsOf(join(folder, 'scored'));
  const means = async (weights: string) => {
    using net = decodeModel(readFileSync(weights));
    using upscaler = new NetworkUpscaler(net, 'net');
    return (await evaluate(network(upscaler), pairs, { measure })).mean!;
  };
  const [float16, float32] = [await means(join(out, file)), await means(checkpoint)];
  expect(scores).toEqual({ scored: float16 });
  const difference = float16.psnr - float32.psnr;
  expect(card).toContain(`float16: scored ${signed(difference, 4)} dB / `);
  const { mean: bicubic } = await evaluate(interpolation('bicubic'), pairs, { measure });
  expect(card).toContain(`| scored | 2 | ${bicubic!.psnr.toFixed(3)} / ${bicubic!.ssim.toFixed(4)} | `);

  // What the run was, from its folder.
  for (const text of ['- 2 updates', '`batch` 2', '`crop` 16', '- made in a hurry', 'SRResNet, 1 block of 8 channels'])
    expect(card).toContain(text);
  expect(card).not.toContain(folder);

  vi.stubEnv('DAYBREAK_PRETRAINED', out);
  const listed = await daybreak(['models']);
  expect(listed.stdout).toContain('srresnet (default): for a test (card: srresnet.md)');
  expect(await daybreak(['upscale', 'scored/0.png', '-o', 'x.png'], folder)).toMatchObject({ code: 0 });

  // A second of the same name replaces it.
  await ship({ summary: 'better' });
  const again = await listPretrained(out);
  expect(again.map(({ name, summary }) => [name, summary])).toEqual([
    ['srresnet', 'for a test'],
    ['other', 'better'],
  ]);

  await expect(ship({ name: 'Not A Name' })).rejects.toThrow('expected lowercase letters');
  await expect(ship({ trainedOn: [] })).rejects.toThrow('--data are required');
  await expect(runTypeScript('scripts/ship-model.ts', command)).rejects.toThrow('--data are required');
  rmSync(join(run, 'config.json'));
  await expect(ship({})).rejects.toThrow('config.json');
});

test('pictures that it was trained on do not score it', async () => {
  const folder = temporaryFolder();
  for (let i = 0; i < 2; i++) await writePicture(join(folder, 'set', `${i}.png`), syntheticPicture(4, i, 48));
  const run = join(folder, 'run');
  const trained = await daybreak([
    'train',
    'srresnet',
    '--data',
    join(folder, 'set'),
    ...SMALL_FLAGS,
    '--out',
    run,
    '--steps',
    '1',
  ]);
  expect(trained.code, trained.stderr).toBe(0);
  const checkpoint = join(run, 'checkpoints/last/model.safetensors');
  const options = { ...OPTIONS, name: 'other', data: [join(folder, 'set')], out: join(folder, 'out') };
  await expect(keepingDevice(() => shipModel(checkpoint, options))).rejects.toThrow('was trained on these images');
});

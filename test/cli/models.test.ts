/** `daybreak models`, and the names that it lists as `--model` of the other commands, from outside. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { openDataSet, readPairs } from '../../eval/dataset.node.ts';
import { evaluate } from '../../eval/evaluate.ts';
import { network } from '../../eval/methods.ts';
import { upscalePicture } from '../../eval/upscale.ts';
import { readPicture, writePicture } from '../../image/files.node.ts';
import { decodeModel, encodeModel } from '../../models/model-file.ts';
import { NetworkUpscaler } from '../../models/upscaler.ts';
import { sharedDevice } from '../device.ts';
import { temporaryFolder } from '../eval/temporary.ts';
import { formulaPicture } from '../image/fixtures.ts';
import { shippedFolder } from '../models/shipped.ts';
import { trainedLike } from '../models/trained-like.ts';
import { daybreak } from './daybreak.ts';

sharedDevice();

afterEach(() => vi.unstubAllEnvs());

/** Has the command line find these names, all of them one small network, whose file is returned. */
async function ship(...names: string[]): Promise<Uint8Array> {
  using net = trainedLike({ channels: 8, blocks: 1, seed: 6 });
  const bytes = await encodeModel(net, { dtype: 'F16' });
  vi.stubEnv('DAYBREAK_PRETRAINED', shippedFolder(names, bytes));
  return bytes;
}

test('lists names, sizes, scores and what each is good for', async () => {
  const bytes = await ship('srresnet', 'srgan');
  const { code, stdout, stderr } = await daybreak(['models']);
  expect([code, stderr]).toEqual([0, '']);
  const row = stdout.split('\n').find(line => line.startsWith('│ srgan '));
  const size = `${(bytes.length / 1e6).toFixed(2)} MB`;
  expect(row?.split('│').map(cell => cell.trim())).toEqual([
    '',
    'srgan',
    'SRResNet, 1 blocks of 8 channels',
    size,
    '30.12 / 0.8123',
    '',
  ]);
  expect(stdout).toContain('srresnet (default): what srresnet is good for (card: srresnet.md)\n');
  expect(stdout).toContain('srgan: what srgan is good for (card: srgan.md)\n');
});

test('--json prints the registry, and which is the default', async () => {
  await ship('srresnet', 'srgan');
  const { code, stdout } = await daybreak(['models', '--json']);
  const registry = JSON.parse(readFileSync(join(String(process.env.DAYBREAK_PRETRAINED), 'registry.json'), 'utf8'));
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toEqual([
    { ...registry[0], default: true },
    { ...registry[1], default: false },
  ]);
});

test('a damaged registry is one line and exits 1', async () => {
  const folder = temporaryFolder();
  vi.stubEnv('DAYBREAK_PRETRAINED', folder);
  writeFileSync(join(folder, 'registry.json'), '{');
  const path = join(folder, 'registry.json');
  expect(await daybreak(['models'])).toEqual({ code: 1, stdout: '', stderr: `error: ${path}: is not JSON.\n` });
});

describe('--model', () => {
  test('upscale takes the default where nothing is said, and names', async () => {
    const bytes = await ship('srresnet', 'other');
    const folder = temporaryFolder();
    const picture = formulaPicture([13, 9, 3, 1]);
    await writePicture(join(folder, 'in.png'), picture);
    expect(await daybreak(['upscale', 'in.png', '-o', 'out.png'], folder)).toMatchObject({ code: 0 });
    const named = await daybreak(['upscale', 'in.png', '-o', 'named.png', '--model', 'other'], folder);
    expect(named).toMatchObject({ code: 0 });
    using net = decodeModel(bytes);
    using upscaler = new NetworkUpscaler(net, 'net');
    expect(await readPicture(join(folder, 'out.png'))).toEqual(await upscalePicture(picture, upscaler));
    expect(readFileSync(join(folder, 'named.png'))).toEqual(readFileSync(join(folder, 'out.png')));
  });

  test('a file of the same name is told by its path', async () => {
    await ship('other');
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'other'), 'no network, but long enough');
    await writePicture(join(folder, 'in.png'), formulaPicture([5, 4, 3, 1]));
    expect(await daybreak(['upscale', 'in.png', '-o', 'a.png', '--model', 'other'], folder)).toMatchObject({ code: 0 });
    const file = await daybreak(['upscale', 'in.png', '-o', 'b.png', '--model', './other'], folder);
    expect(file.code).toBe(1);
    expect(file.stderr).toContain('error: ./other: is not a safetensors file');
  });

  test('eval scores the default, or several methods in one table and one JSON', async () => {
    const bytes = await ship('srresnet');
    const folder = temporaryFolder();
    await writePicture(join(folder, 'set/a.png'), formulaPicture([44, 40, 3, 1]));
    using net = decodeModel(bytes);
    using upscaler = new NetworkUpscaler(net, 'net');
    const scores = await evaluate(network(upscaler), readPairs(await openDataSet(join(folder, 'set'))));
    const alone = await daybreak(['eval', '--data', 'set', '--json', '-'], folder);
    const adapter = expect.stringMatching(/./);
    expect(JSON.parse(alone.stdout)).toEqual({ adapter, model: 'srresnet', data: 'set', ...scores });
    const args = ['eval', '--data', 'set', '--model', 'nearest', '--model', 'srresnet', '--json', 'scores.json'];
    const both = await daybreak(args, folder);
    expect(both).toMatchObject({ code: 0 });
    const { data, methods } = JSON.parse(readFileSync(join(folder, 'scores.json'), 'utf8'));
    expect(data).toBe('set');
    expect(methods).toEqual([
      { adapter: null, model: 'nearest', images: [expect.objectContaining({ name: 'a' })], mean: expect.anything() },
      { adapter, model: 'srresnet', ...scores },
    ]);
    for (const { model, mean } of methods) {
      const row = both.stdout.split('\n').find(line => line.startsWith(`│ ${model} `));
      const figures = [
        mean.psnr.toFixed(3),
        mean.ssim.toFixed(4),
        mean.psnr_paper.toFixed(3),
        mean.ssim_paper.toFixed(4),
      ];
      expect(row?.split('│').map(cell => cell.trim())).toEqual(['', model, ...figures, '']);
    }
  });
});

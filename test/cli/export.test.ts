/** `daybreak export`: what it writes can be read by others and by us. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { parse } from 'yaml';
import { writePicture } from '../../image/files.node.ts';
import { decodeModel, encodeModel } from '../../models/model-file.ts';
import { toOnnx } from '../../models/onnx.ts';
import { readSafetensors } from '../../models/safetensors.ts';
import { sharedDevice } from '../device.ts';
import { temporaryFolder } from '../eval/temporary.ts';
import { formulaPicture } from '../image/fixtures.ts';
import { shippedFolder } from '../models/shipped.ts';
import { trainedLike } from '../models/trained-like.ts';
import { daybreak } from './daybreak.ts';

sharedDevice();

afterEach(() => vi.unstubAllEnvs());

/** A folder with `net.safetensors`, and the network's ONNX model. */
async function prepared(metadata: Record<string, string> = {}) {
  using net = trainedLike({ channels: 2, blocks: 1, seed: 8 });
  const folder = temporaryFolder();
  const bytes = await encodeModel(net, { dtype: 'F16', metadata });
  writeFileSync(join(folder, 'net.safetensors'), bytes);
  // Of the rounded weights.
  using rounded = decodeModel(bytes);
  return { folder, bytes, onnx: await toOnnx(rounded) };
}

test('--onnx writes the model, beside the working directory’s files or where -o says, and replaces none', async () => {
  const { folder, onnx } = await prepared();
  const run = (...more: string[]) => daybreak(['export', '--onnx', 'net.safetensors', ...more], folder);
  expect(await run()).toMatchObject({ code: 0, stdout: expect.stringMatching(/^net\.onnx: \d.+\n$/) });
  expect(new Uint8Array(readFileSync(join(folder, 'net.onnx')))).toEqual(onnx);
  expect(await run()).toMatchObject({
    code: 2,
    stderr: 'error: net.onnx exists: use --overwrite to replace it\n',
  });
  writeFileSync(join(folder, 'net.onnx'), '');
  expect(await run('--overwrite')).toMatchObject({ code: 0 });
  expect(await run('-o', 'deep/other.onnx')).toMatchObject({ code: 0 });
  for (const name of ['net.onnx', 'deep/other.onnx'])
    expect(new Uint8Array(readFileSync(join(folder, name)))).toEqual(onnx);
});

test('--hub writes a repository with what the Hub reads, which is a model for us', async () => {
  const { folder, bytes, onnx } = await prepared({ licence: 'MIT, as the project', step: '7' });
  expect(await daybreak(['export', '--hub', 'repo', 'net.safetensors'], folder)).toMatchObject({ code: 0 });
  const read = (name: string) => readFileSync(join(folder, 'repo', name));
  expect(readdirSync(join(folder, 'repo')).sort()).toEqual([
    'README.md',
    'config.json',
    'model.onnx',
    'model.safetensors',
  ]);
  expect(new Uint8Array(read('model.onnx'))).toEqual(onnx);
  expect(readSafetensors(read('model.safetensors'))).toEqual(readSafetensors(bytes));
  expect(JSON.parse(read('config.json').toString())).toMatchObject({
    architectures: ['SRResNet'],
    model_type: 'srresnet',
    upscale: 4,
    channels: 2,
    blocks: 1,
    longSkip: 'add',
  });
  const [, front, body] = /^---\n(.+?)\n---\n(.+)$/s.exec(read('README.md').toString()) ?? [];
  expect(parse(front)).toEqual({
    license: 'mit',
    library_name: 'daybreak',
    pipeline_tag: 'image-to-image',
    tags: ['super-resolution', 'image-super-resolution', 'srresnet', 'webgpu', 'onnx'],
  });
  expect(body).toContain('# net\n');

  await writePicture(join(folder, 'in.png'), formulaPicture([5, 4, 3, 1]));
  const upscale = (model: string, out: string) => daybreak(['upscale', 'in.png', '-o', out, '--model', model], folder);
  expect(await upscale('repo', 'a.png')).toMatchObject({ code: 0 });
  expect(await upscale('net.safetensors', 'b.png')).toMatchObject({ code: 0 });
  expect(readFileSync(join(folder, 'a.png'))).toEqual(readFileSync(join(folder, 'b.png')));
  expect(await daybreak(['export', '--hub', 'repo', 'net.safetensors'], folder)).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('exists: use --overwrite'),
  });
});

test('the card of a shipped network has its scores', async () => {
  const { folder, bytes } = await prepared();
  vi.stubEnv('DAYBREAK_PRETRAINED', shippedFolder(['srresnet'], bytes));
  const ended = await daybreak(['export', '--hub', 'repo', 'srresnet', '--license', 'cc0-1.0'], folder);
  expect(ended).toMatchObject({ code: 0 });
  const text = readFileSync(join(folder, 'repo/README.md'), 'utf8');
  expect(text).toContain('| Set5 | 30.12 | 0.8123 |');
  expect(parse(text.split('---\n')[1])).toMatchObject({
    license: 'cc0-1.0',
    metrics: ['psnr', 'ssim'],
    'model-index': [
      {
        name: 'srresnet',
        results: [
          {
            task: { type: 'image-to-image' },
            dataset: { name: 'Set5', type: 'set5' },
            metrics: [
              { type: 'psnr', value: 30.1234 },
              { type: 'ssim', value: 0.81234 },
            ],
          },
        ],
      },
    ],
  });
});

test.each<[string[], string]>([
  [['net.safetensors'], 'expected either --onnx or --hub DIR'],
  [['net.safetensors', '--onnx', '--hub', 'repo'], 'expected either --onnx or --hub DIR'],
  [['net.safetensors', '--onnx', '-o', 'net.bin'], '--out: expected an .onnx file, got net.bin'],
  [['net.safetensors', '--hub', 'repo', '-o', 'net.onnx'], '--out: expected with --onnx only'],
  [['net.safetensors', '--onnx', '--license', 'mit'], '--license: expected with --hub only'],
  [['net.safetensors', '--hub', 'repo', '--license', 'my own'], '--license: expected an identifier such as mit'],
  [['bicubic', '--onnx'], 'expected a network, got bicubic, which has no weights'],
])('%o is refused before anything is written', async (args, message) => {
  const { folder } = await prepared();
  const ended = await daybreak(['export', ...args], folder);
  expect(ended.code).toBe(2);
  expect(ended.stderr).toContain(message);
  expect(readdirSync(folder)).toEqual(['net.safetensors']);
  expect(existsSync(join(folder, 'repo'))).toBe(false);
});

test('a model that is not there', async () => {
  expect(await daybreak(['export', '--onnx', './none.safetensors'], temporaryFolder())).toMatchObject({ code: 1 });
});

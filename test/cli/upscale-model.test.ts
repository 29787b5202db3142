/** `daybreak upscale` and `daybreak eval` with a network's file, from outside. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openDataSet, readPairs } from '../../eval/dataset.node.ts';
import { evaluate } from '../../eval/evaluate.ts';
import { network } from '../../eval/methods.ts';
import { upscalePicture } from '../../eval/upscale.ts';
import { readPicture, writePicture } from '../../image/files.node.ts';
import type { Picture } from '../../image/picture.ts';
import { decodeModel, encodeModel } from '../../models/model-file.ts';
import { writeSafetensors } from '../../models/safetensors.ts';
import { NetworkUpscaler } from '../../models/upscaler.ts';
import { sharedDevice } from '../device.ts';
import { temporaryFolder } from '../eval/temporary.ts';
import { formulaPicture } from '../image/fixtures.ts';
import { trainedLike } from '../models/trained-like.ts';
import { daybreak, start } from './daybreak.ts';

sharedDevice();

/** A folder with `net.safetensors` and these pictures as PNG. */
async function folderWith(pictures: Record<string, Picture> = {}, channels = 8): Promise<string> {
  const folder = temporaryFolder();
  using net = trainedLike({ channels, blocks: 1, seed: 6 });
  writeFileSync(join(folder, 'net.safetensors'), await encodeModel(net));
  for (const [name, picture] of Object.entries(pictures)) await writePicture(join(folder, name), picture);
  return folder;
}

/** What the network of the folder makes of a picture, in this process and whole. */
async function expected(folder: string, picture: Picture): Promise<Picture> {
  using net = decodeModel(readFileSync(join(folder, 'net.safetensors')));
  using upscaler = new NetworkUpscaler(net, 'net');
  return await upscalePicture(picture, upscaler, { tile: 0 });
}

const upscale = (folder: string, out: string, ...more: string[]) =>
  daybreak(['upscale', 'in.png', '-o', out, '--model', 'net.safetensors', ...more], folder);

const errors = (stderr: string) => stderr.split('\n').filter(line => line !== '' && !line.startsWith('Warning: max'));

test('whole, in tiles of any size and in those of a memory budget: the same file to the byte', async () => {
  const picture = formulaPicture([61, 43, 3, 5]);
  const folder = await folderWith({ 'in.png': picture });
  const ways = { 'whole.png': ['--tile', '0'], 'seven.png': ['--tile', '7'], 'thirty.png': ['--tile', '30'] };
  for (const [out, options] of Object.entries(ways))
    expect(await upscale(folder, out, ...options)).toMatchObject({
      code: 0,
      stdout: '1 enlarged, 0 skipped, 0 failed\n',
    });
  const budget = await upscale(folder, 'budget.png', '--memory-budget', '4');
  expect(budget.code).toBe(0);
  expect(await readPicture(join(folder, 'whole.png'))).toEqual(await expected(folder, picture));
  const whole = readFileSync(join(folder, 'whole.png'));
  for (const out of ['seven.png', 'thirty.png', 'budget.png'])
    expect(readFileSync(join(folder, out)).equals(whole), out).toBe(true);
});

test('alpha is kept, grey stays grey; a folder goes through one network', async () => {
  const pictures = {
    'in/alpha.png': formulaPicture([13, 9, 4, 1]),
    'in/grey.png': formulaPicture([9, 13, 1, 2]),
    'in/grey-alpha.png': formulaPicture([5, 1, 2, 3]),
  };
  const folder = await folderWith(pictures);
  const ended = await daybreak(['upscale', 'in', '-o', 'out', '--model', 'net.safetensors'], folder);
  expect(ended).toMatchObject({ code: 0, stdout: '3 enlarged, 0 skipped, 0 failed\n' });
  for (const [name, picture] of Object.entries(pictures)) {
    const result = await readPicture(join(folder, name.replace('in/', 'out/').replace('.png', '_x4.png')));
    expect(result.channels).toBe(picture.channels);
    expect(result).toEqual(await expected(folder, picture));
  }
});

test('eval scores the network as the library does, and names the adapter', async () => {
  const folder = await folderWith({
    'set/a.png': formulaPicture([44, 40, 3, 1]),
    'set/b.png': formulaPicture([24, 36, 1, 2]),
  });
  const ended = await daybreak(['eval', '--data', 'set', '--model', 'net.safetensors', '--json', '-'], folder);
  expect(ended.code).toBe(0);
  using net = decodeModel(readFileSync(join(folder, 'net.safetensors')));
  using upscaler = new NetworkUpscaler(net, 'net');
  const scores = await evaluate(network(upscaler), readPairs(await openDataSet(join(folder, 'set'))));
  expect(JSON.parse(ended.stdout)).toEqual({
    adapter: expect.stringMatching(/./),
    model: 'net.safetensors',
    data: 'set',
    ...scores,
  });
});

describe('what cannot be done is one line and exit 1', () => {
  const model: [string, (bytes: Buffer) => Uint8Array, RegExp][] = [
    ['cut off', bytes => bytes.subarray(0, 5000), /^error: net\.safetensors: is truncated/],
    [
      'another file',
      () => Buffer.from('no network, but long enough'),
      /^error: net\.safetensors: is not a safetensors file/,
    ],
    [
      'another network',
      () => writeSafetensors({ 'features.0.weight': { shape: [1], data: new Float32Array(1) } }, { arch: 'VGG19' }),
      /^error: net\.safetensors: not SRResNet weights: .* Its metadata says it is "VGG19"\. The file has features\.0\.weight \[1\]\.$/,
    ],
  ];
  test.each(model)('a model that is %s', async (_, spoil, message) => {
    const folder = await folderWith({ 'in.png': formulaPicture([5, 4, 3, 1]) });
    const path = join(folder, 'net.safetensors');
    writeFileSync(path, spoil(readFileSync(path)));
    const { code, stdout, stderr } = await upscale(folder, 'out.png');
    expect([code, stdout, errors(stderr).length]).toEqual([1, '', 1]);
    expect(errors(stderr)[0]).toMatch(message);
    expect(readdirSync(folder)).not.toContain('out.png');
  });

  test('weights that are not finite', async () => {
    const folder = await folderWith({ 'in.png': formulaPicture([5, 4, 3, 1]) });
    using net = trainedLike({ channels: 8, blocks: 1 });
    net.convOut.bias!.write(Float32Array.of(0, Number.NaN, 0));
    writeFileSync(join(folder, 'net.safetensors'), await encodeModel(net));
    const { code, stdout, stderr } = await upscale(folder, 'out.png');
    expect([code, stdout]).toEqual([1, '0 enlarged, 0 skipped, 1 failed\n']);
    expect(errors(stderr)).toEqual([
      expect.stringMatching(/^failed: in\.png: net\.safetensors: the result contains NaN or infinity/),
    ]);
    expect(readdirSync(folder)).not.toContain('out.png');
  });

  test('a memory budget below the smallest tile', async () => {
    // Features of 32 channels alone exceed it, whatever kernels the adapter has.
    const folder = await folderWith({ 'in.png': formulaPicture([61, 61, 3, 1]) }, 32);
    const { code, stderr } = await upscale(folder, 'out.png', '--memory-budget', '1');
    expect(code).toBe(1);
    expect(errors(stderr)).toEqual([
      expect.stringMatching(
        /^failed: in\.png: Cannot upscale: the smallest tile, 24x24 pixels with a halo of 10, needs [\d.]+ MiB, but the memory budget is 1\.0 MiB/,
      ),
    ]);
  });
});

test('Ctrl-C stops between two tiles, exits 130 and leaves no half picture', async () => {
  const folder = await folderWith({
    'in/1.png': formulaPicture([5, 4, 3, 1]),
    'in/2.png': formulaPicture([300, 300, 3, 1]),
  });
  const args = ['upscale', 'in', '-o', 'out', '--model', 'net.safetensors', '--tile', '4'];
  const { child, ended } = start(args, folder);
  // The first is done when this is printed; the 5,625 tiles of the second take far longer than a signal.
  child.stderr?.on('data', (text: Buffer) => text.includes('in/1.png') && child.kill('SIGINT'));
  const { code, stderr } = await ended;
  expect([code, stderr]).toEqual([
    130,
    expect.stringMatching(/Stopping after this tile\.[\s\S]*error: stopped by SIGINT\n$/),
  ]);
  expect(readdirSync(join(folder, 'out'))).toEqual(['1_x4.png']);
});

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openDataSet, readPairs } from '../../eval/dataset.node.ts';
import { evaluate } from '../../eval/evaluate.ts';
import { network } from '../../eval/methods.ts';
import { decodeModel } from '../../models/model-file.ts';
import { findPretrained, listPretrained, pretrainedFolder } from '../../models/pretrained.node.ts';
import { DEFAULT_PRETRAINED, PretrainedError, parseRegistry, REGISTRY_FILE } from '../../models/pretrained.ts';
import { NetworkUpscaler } from '../../models/upscaler.ts';
import { sharedDevice } from '../device.ts';
import { temporaryFolder } from '../eval/temporary.ts';
import { DATA } from '../image/fixtures.ts';
import { checkShipped, shippedFolder } from './shipped.ts';

const folder = pretrainedFolder();
const shipped = await listPretrained(folder);

/** Means of bicubic by the protocol matlab, in dB. */
const BICUBIC: Readonly<Record<string, number>> = { Set5: 28.418, Set14: 25.993, BSD100: 25.956 };

/** What networks that minimize the squared error must add to that at least. */
const MORE: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  [DEFAULT_PRETRAINED]: { Set5: 2, Set14: 1.3, BSD100: 0.8 },
  srcnn: { Set5: 0.3, Set14: 0.2, BSD100: 0.1 },
  espcn: { Set5: 0.5, Set14: 0.3, BSD100: 0.2 },
  vdsr: { Set5: 1, Set14: 0.5, BSD100: 0.3 },
};

describe('what ships', () => {
  sharedDevice({ optimized: true });

  test('is listed, all of it, each under its own name', () => {
    const files = shipped.flatMap(({ file, card }) => [file, card]);
    expect(readdirSync(folder).sort()).toEqual([REGISTRY_FILE, ...files].sort());
    expect(new Set(shipped.map(({ name }) => name)).size).toBe(shipped.length);
  });

  test.each(shipped)('$name: small, float16, loads, and has a card that says all', model => {
    checkShipped(model, folder);
  });

  test.for(shipped)('$name scores on Set5 as its card says', async ({ file, scores: { Set5 } }, context) => {
    if (DATA === undefined) return context.skip('DAYBREAK_DATA is not set: no benchmark pictures');
    using net = decodeModel(readFileSync(join(folder, file)), file);
    using upscaler = new NetworkUpscaler(net, file);
    const { mean } = await evaluate(network(upscaler), readPairs(await openDataSet(join(DATA, 'Set5'))));
    expect(Math.abs(mean!.psnr - Set5.psnr)).toBeLessThan(0.005);
    expect(Math.abs(mean!.psnr_paper - Set5.psnr_paper)).toBeLessThan(0.005);
    expect(Math.abs(mean!.ssim - Set5.ssim)).toBeLessThan(0.0005);
  });

  test.each(shipped.filter(({ name }) => name !== 'srgan'))('$name is well above bicubic', ({ name, scores }) => {
    expect(Object.keys(scores).sort()).toEqual(Object.keys(BICUBIC).sort());
    for (const [set, psnr] of Object.entries(BICUBIC))
      expect(scores[set].psnr - psnr, set).toBeGreaterThanOrEqual(MORE[name][set]);
  });

  test.each(shipped.filter(({ name }) => name === 'srgan'))('$name has more of the texture', ({ scores }) => {
    const faithful = shipped.find(({ name }) => name === DEFAULT_PRETRAINED);
    expect(Object.keys(scores).sort()).toEqual(Object.keys(BICUBIC).sort());
    for (const [set, { texture }] of Object.entries(scores))
      expect(Math.abs(1 - texture), set).toBeLessThan(Math.abs(1 - faithful!.scores[set].texture));
  });
});

describe('a registry', () => {
  test('gives the paths of the files that it names', async () => {
    const other = shippedFolder(['one', 'two']);
    expect((await listPretrained(other)).map(({ name }) => name)).toEqual(['one', 'two']);
    expect(await findPretrained('two', other)).toBe(join(other, 'two.safetensors'));
    expect(await findPretrained('three', other)).toBeUndefined();
  });

  test('that is missing or damaged is an error that names it', async () => {
    const empty = temporaryFolder();
    const path = join(empty, REGISTRY_FILE);
    await expect(listPretrained(empty)).rejects.toThrow(`${path}: cannot be read: no such file or folder (ENOENT).`);
    writeFileSync(path, '{');
    await expect(findPretrained('one', empty)).rejects.toThrow(PretrainedError);
    for (const text of ['{}', '[1]', '[{"name":"a"}]', 'null'])
      expect(() => parseRegistry(text, 'r.json')).toThrow('r.json: expected a list of networks with name, summary');
    const one = JSON.parse(readFileSync(join(shippedFolder(['one']), REGISTRY_FILE), 'utf8'));
    expect(parseRegistry(JSON.stringify(one))).toEqual(one);
    delete one[0].scores.Set5.ssim;
    expect(() => parseRegistry(JSON.stringify(one))).toThrow('expected a list of networks');
    expect(parseRegistry('[]')).toEqual([]);
  });
});

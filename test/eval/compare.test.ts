import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { compareSet, comparisonPath } from '../../eval/compare.node.ts';
import { type ComparisonRow, comparisonPicture } from '../../eval/comparison.ts';
import { openDataSet } from '../../eval/dataset.node.ts';
import { interpolation } from '../../eval/methods.ts';
import type { ImageError } from '../../image/errors.ts';
import { readPicture, writePicture } from '../../image/files.node.ts';
import { createPicture } from '../../image/picture.ts';
import { syntheticPicture } from '../../image/synthetic.ts';
import { pairsOf } from './pairs.ts';
import { temporaryFolder } from './temporary.ts';

const METHODS = (['nearest', 'bicubic'] as const).map(name => ({ label: name, method: interpolation(name) }));

async function folderWithSet(): Promise<string> {
  const folder = temporaryFolder();
  for (const [i, name] of ['a', 'b'].entries())
    await writePicture(join(folder, 'set', `${name}.png`), syntheticPicture(4, i, 48));
  return folder;
}

async function compared(folder: string, options: Parameters<typeof compareSet>[3] = {}): Promise<string[]> {
  const paths: string[] = [];
  const set = await openDataSet(join(folder, 'set'));
  for await (const path of compareSet(set, METHODS, join(folder, 'out'), options)) paths.push(path);
  return paths;
}

test('one comparison picture for each original, under its name', async () => {
  const folder = await folderWithSet();
  const paths = await compared(folder, { zoom: 2, protocol: 'paper' });
  expect(paths).toEqual(['a', 'b'].map(name => comparisonPath(join(folder, 'out'), name)));
  const [pair] = await pairsOf(join(folder, 'set'));
  const results = [];
  for (const { label, method } of METHODS) results.push({ label, picture: await method(pair.lr) });
  const expected = comparisonPicture([{ ...pair, results }], { zoom: 2, protocol: 'paper' });
  const written = await readPicture(paths[0]);
  // toEqual takes minutes over this many numbers.
  expect([written.width, Buffer.from(written.data).equals(expected.data)]).toEqual([expected.width, true]);
});

test('pictures that exist are left alone unless asked', async () => {
  const folder = await folderWithSet();
  await writePicture(comparisonPath(join(folder, 'out'), 'a'), createPicture(3, 2, 1));
  const skipped: ImageError[] = [];
  const [path] = await compared(folder, { onSkip: error => skipped.push(error) });
  expect(path).toBe(comparisonPath(join(folder, 'out'), 'b'));
  expect(skipped.map(({ message }) => message)).toEqual([
    `${comparisonPath(join(folder, 'out'), 'a')}: already exists: use --overwrite to replace it`,
  ]);
  expect(await readPicture(comparisonPath(join(folder, 'out'), 'a'))).toMatchObject({ width: 3, height: 2 });
  expect(await compared(folder, { overwrite: true })).toHaveLength(2);
  expect((await readPicture(comparisonPath(join(folder, 'out'), 'a'))).width).toBeGreaterThan(48);
});

test('originals that cannot be read are told of, the others go on; an abort leaves whole files', async () => {
  const folder = await folderWithSet();
  writeFileSync(join(folder, 'set/aa.png'), 'no picture');
  const skipped: string[] = [];
  const controller = new AbortController();
  const going = compared(folder, {
    signal: controller.signal,
    onSkip: ({ message }) => {
      skipped.push(message);
      controller.abort(new Error('enough'));
    },
  });
  await expect(going).rejects.toThrow('enough');
  expect(skipped).toEqual([expect.stringContaining('not a picture')]);
  expect(readdirSync(join(folder, 'out'))).toEqual(['a_compared.png']);
  expect(existsSync(comparisonPath(join(folder, 'out'), 'b'))).toBe(false);
});

test('rows alone: nothing is written, and each is heard before the next is made', async () => {
  const folder = await folderWithSet();
  const set = await openDataSet(join(folder, 'set'));
  const heard: string[] = [];
  const control = {
    onStart: (name: string) => heard.push(`start ${name}`),
    onRow: async ({ name, results }: ComparisonRow) => {
      await new Promise(resolve => setTimeout(resolve, 5));
      heard.push(`${name} ${results.map(({ label }) => label)}`);
    },
  };
  for await (const path of compareSet(set, METHODS, undefined, control)) heard.push(path);
  expect(heard).toEqual(['start a', 'a nearest,bicubic', 'start b', 'b nearest,bicubic']);
  expect(readdirSync(folder)).toEqual(['set']);
});

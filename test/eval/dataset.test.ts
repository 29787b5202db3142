import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openDataSet, readPairs } from '../../eval/dataset.node.ts';
import { evaluate, type Pair } from '../../eval/evaluate.ts';
import { interpolation } from '../../eval/methods.ts';
import { meanScores, scores } from '../../eval/protocols.ts';
import { writePicture } from '../../image/files.node.ts';
import { cropToMultiple, type Picture, splitAlpha } from '../../image/picture.ts';
import { shrink } from '../../image/resize.ts';
import { formulaPicture } from '../image/fixtures.ts';
import { temporaryFolder } from './temporary.ts';

/** A folder with these pictures, by path. */
async function folderOf(pictures: Record<string, Picture>): Promise<string> {
  const folder = temporaryFolder();
  for (const [path, picture] of Object.entries(pictures)) await writePicture(join(folder, path), picture);
  return folder;
}

/** All pairs of a folder, and what was said about the files that are none. */
async function pairsOf(folder: string): Promise<{ pairs: Pair[]; skipped: string[] }> {
  const skipped: string[] = [];
  const onSkip = (error: Error) => skipped.push(error.message.replace(folder, ''));
  const pairs: Pair[] = [];
  for await (const pair of readPairs(await openDataSet(folder), { onSkip })) pairs.push(pair);
  return { pairs, skipped };
}

const photo = formulaPicture([44, 40, 3, 1]);

test('a folder of pictures: cropped to fours, LR by the exact bicubic, natural order', async () => {
  const uneven = formulaPicture([43, 27, 1, 2]);
  const { pairs, skipped } = await pairsOf(await folderOf({ 'img_10.png': photo, 'img_2.png': uneven }));
  expect(skipped).toEqual([]);
  const hr = cropToMultiple(uneven, 4);
  expect(pairs).toEqual([
    { name: 'img_2', hr, lr: shrink(hr, 4, 'clamp') },
    { name: 'img_10', hr: photo, lr: shrink(photo, 4, 'clamp') },
  ]);
  expect(hr).toMatchObject({ width: 40, height: 24 });
});

test('HR and LRx4 are paired by name, and LRx4 is used as it is', async () => {
  const lr = formulaPicture([11, 10, 3, 9]);
  const { pairs, skipped } = await pairsOf(await folderOf({ 'HR/a.png': photo, 'LRx4/a.png': lr }));
  expect(skipped).toEqual([]);
  expect(pairs).toEqual([{ name: 'a', hr: photo, lr }]);
});

test('HR alone gives its LR', async () => {
  const { pairs } = await pairsOf(await folderOf({ 'HR/a.png': photo, 'elsewhere/b.png': photo }));
  expect(pairs).toEqual([{ name: 'a', hr: photo, lr: shrink(photo) }]);
});

test('alpha is dropped', async () => {
  const clear = formulaPicture([44, 40, 4, 1]);
  const { pairs } = await pairsOf(await folderOf({ 'a.png': clear }));
  expect(pairs[0].hr).toEqual(splitAlpha(clear).colour);
  expect(pairs[0].lr.channels).toBe(3);
});

test('what cannot be used is skipped with one line each', async () => {
  const folder = await folderOf({
    'HR/fine.png': photo,
    'LRx4/fine.png': shrink(photo),
    'HR/lonely.png': photo,
    'LRx4/stray.png': shrink(photo),
    'HR/other-size.png': photo,
    'LRx4/other-size.png': formulaPicture([11, 11, 3, 0]),
    'HR/small.png': formulaPicture([16, 40, 3, 0]),
    'LRx4/small.png': formulaPicture([4, 10, 3, 0]),
    'LRx4/broken.png': shrink(photo),
  });
  writeFileSync(join(folder, 'HR/broken.png'), 'no picture');
  const { pairs, skipped } = await pairsOf(folder);
  expect(pairs.map(pair => pair.name)).toEqual(['fine']);
  expect(skipped).toEqual([
    '/HR/lonely.png: LRx4 holds no picture named lonely',
    '/LRx4/stray.png: there is no original named stray',
    '/HR/broken.png: not a picture (PNG, JPEG, WebP, AVIF, TIFF, GIF)',
    '/LRx4/other-size.png: 11x11, 3 channels: expected 11x10, a quarter of 44x40, 3 channels',
    '/HR/small.png: 16x40, 3 channels: too small to score, expected at least 20x20',
  ]);
});

test('nothing to be found is an error', async () => {
  const folder = temporaryFolder();
  await expect(openDataSet(folder)).rejects.toThrow(`${folder}: no pictures here: expected HR/*.png and optionally`);
  mkdirSync(join(folder, 'HR'));
  await expect(openDataSet(folder)).rejects.toThrow('no pictures here');
  await expect(openDataSet(join(folder, 'nowhere'))).rejects.toThrow(
    'nowhere: cannot list this folder: no such file or folder (ENOENT)',
  );
});

test('evaluate gives the scores of the method on each pair, and their means', async () => {
  const folder = await folderOf({ 'a.png': photo, 'b.png': formulaPicture([36, 24, 1, 5]) });
  const { pairs } = await pairsOf(folder);
  const heard: string[] = [];
  const method = interpolation('bilinear');
  const { images, mean } = await evaluate(method, readPairs(await openDataSet(folder)), {
    onPicture: (one, index) => heard.push(`${index} ${one.name}`),
  });
  const expected = await Promise.all(pairs.map(async ({ hr, lr }) => scores(await method(lr), hr)));
  expect(images).toEqual(expected.map((one, i) => ({ name: 'ab'[i], ...one })));
  expect(mean).toEqual(meanScores(expected));
  expect(heard).toEqual(['0 a', '1 b']);
  expect(await evaluate(method, pairs)).toEqual({ images, mean });
  expect(await evaluate(method, [])).toEqual({ images: [], mean: undefined });
});

test('an abort ends an evaluation with its reason', async () => {
  const folder = await folderOf({ 'a.png': photo, 'b.png': photo });
  const controller = new AbortController();
  const { signal } = controller;
  const running = evaluate(interpolation('nearest'), readPairs(await openDataSet(folder), { signal }), {
    signal,
    onPicture: () => controller.abort(new Error('enough')),
  });
  await expect(running).rejects.toThrow('enough');
});

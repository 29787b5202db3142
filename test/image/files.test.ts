import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { isThere, openPicture, readPicture, savePicture, writePicture } from '../../image/files.node.ts';
import { createPicture, toSixteenBit } from '../../image/picture.ts';
import { formulaPicture } from './fixtures.ts';

const sharp = await import('sharp').then(
  module => module.default,
  () => undefined,
);

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'daybreak-files-'));
});
afterAll(() => rm(folder, { recursive: true }));

test('a written picture reads back, and nothing else is left in its folder', async () => {
  const path = join(folder, 'new', 'p.png');
  const picture = formulaPicture([7, 5, 4, 3]);
  await writePicture(path, formulaPicture([2, 2, 3, 1]));
  await writePicture(path, picture);
  expect(await readPicture(path)).toEqual(picture);
  expect(await readdir(join(folder, 'new'))).toEqual(['p.png']);
  await expect(writePicture(join(folder, 'p.jpg'), picture)).rejects.toThrow('written as .png only');
});

test('a missing file is one clear line', async () => {
  await expect(readPicture(join(folder, 'none.png'))).rejects.toThrow(
    /none\.png: cannot be read: no such file or folder \(ENOENT\)$/,
  );
});

test('saving says what the format cannot hold; nothing where it holds all', async () => {
  const picture = createPicture(2, 1, 2, Uint8Array.of(100, 128, 7, 0));
  const deep = toSixteenBit(picture);
  const save = async (name: string) => await savePicture(join(folder, 'saved', name), deep, { metadata: {} });
  expect(await save('a.png')).toEqual([]);
  expect((await openPicture(join(folder, 'saved/a.png'))).picture).toEqual(deep);
  const without = { metadata: { exif: new Uint8Array(3) } };
  expect(await savePicture(join(folder, 'saved/b.png'), picture, without)).toEqual([
    'its EXIF is damaged and was dropped',
  ]);
  expect((await openPicture(join(folder, 'saved/b.png'))).picture).toEqual(picture);
});

test.each([
  ['a', 1],
  ['é', 2],
  ['漢', 3],
  ['🦊', 4],
])('any name that the file system takes can be written: of %s', async (letter, bytes) => {
  const long = letter.repeat(Math.floor(251 / bytes));
  const name = `${'-'.repeat(251 - Buffer.byteLength(long))}${long}.png`;
  expect(Buffer.byteLength(name)).toBe(255);
  const place = join(folder, `long-${bytes}`);
  const picture = formulaPicture([3, 2, 3, 1]);
  await writePicture(join(place, name), picture);
  expect(await isThere(join(place, name))).toBe(true);
  expect(await readPicture(join(place, name))).toEqual(picture);
  expect(await readdir(place)).toEqual([name]);
  const longer = join(place, `-${name}`);
  const problem = /\.png: cannot be written: its name is too long for the file system \(ENAMETOOLONG\)$/;
  await expect(writePicture(longer, picture)).rejects.toThrow(problem);
  await expect(isThere(longer)).rejects.toThrow(problem);
  expect(await readdir(place)).toEqual([name]);
});

test('opening a picture heeds a signal before, while its file is read, and while it is decoded', async () => {
  const reason = new Error('enough');
  const path = join(folder, 'aborted.png');
  // Large enough to be read in several pieces; no picture, so that what is decoded would be told of.
  await writeFile(path, new Uint8Array(64 << 20));
  await expect(openPicture(path, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  const controller = new AbortController();
  const opening = openPicture(path, { signal: controller.signal });
  setImmediate(() => controller.abort(reason));
  await expect(opening).rejects.toBe(reason);
  // Without it the file is read to its end, and refused for what it holds.
  await expect(openPicture(path, { signal: new AbortController().signal })).rejects.toThrow('not a picture');
  await expect(openPicture(join(folder, 'none.png'), { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
});

test.skipIf(sharp === undefined)(
  'a picture whose decoding ends after an abort is not given out (skipped without the package sharp)',
  async () => {
    const path = join(folder, 'slow.jpg');
    const red = sharp!({ create: { width: 7000, height: 7000, channels: 3, background: 'red' } });
    await writeFile(path, await red.jpeg().toBuffer());
    const controller = new AbortController();
    const reason = new Error('enough');
    const opening = openPicture(path, { signal: controller.signal }).then(
      () => 'given out',
      error => error,
    );
    // Half a megabyte is read long before; decoding takes several times as long.
    setTimeout(() => controller.abort(reason), 50);
    expect(await opening).toBe(reason);
  },
);

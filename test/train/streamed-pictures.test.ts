import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { encodePng } from '../../image/codec.node.ts';
import { writePicture } from '../../image/files.node.ts';
import { PictureSourceError, ScratchFileError } from '../../train/errors.ts';
import { PictureStore } from '../../train/pictures/picture-store.node.ts';
import { loadTrainingPictures } from '../../train/pictures/pictures.node.ts';
import type { TrainingSources } from '../../train/pictures/sources.node.ts';
import { formulaPicture } from '../image/fixtures.ts';

let folder: string;
let scratch: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'daybreak-streamed-'));
  scratch = await mkdtemp(join(tmpdir(), 'daybreak-scratch-'));
});
afterEach(async () => {
  // Whatever became of the run: nothing is left behind.
  expect(await readdir(scratch).catch(() => [])).toEqual([]);
  for (const each of [folder, scratch]) await rm(each, { recursive: true, force: true });
});

const save = (name: string, ...shape: number[]) => writePicture(join(folder, name), formulaPicture(shape));

const sources = (more: Partial<TrainingSources> = {}): TrainingSources => ({
  data: [folder, 'synthetic'],
  crop: 16,
  seed: 0,
  syntheticCount: 3,
  syntheticSize: 32,
  ...more,
});

/** A folder with good and bad files, read whole. */
async function mixedFolder(): Promise<void> {
  for (let i = 0; i < 6; i++) await save(`good_${i}.png`, 32 + 4 * i, 20 + i, [1, 3, 4][i % 3], i);
  await save('good_3small.png', 15, 64, 3, 1);
  await writeFile(join(folder, 'good_0empty.png'), '');
  const png = await encodePng(formulaPicture([30, 30, 3, 1]));
  await writeFile(join(folder, 'good_2cut.png'), png.subarray(0, png.length >> 1));
}

/** What was loaded, to be compared. */
const contentOf = ({ pictures, skipped }: Awaited<ReturnType<typeof loadTrainingPictures>>) => ({
  pictures: pictures.map(({ name, hr, lr }) => ({
    name,
    hr: { ...hr, data: [...hr.data] },
    lr: { ...lr, data: [...lr.data] },
  })),
  skipped: skipped.map(error => `${error.name} ${error.file}: ${error.message}`),
});

describe('a set', () => {
  test('is the same with and without threads, in memory and in a file: pictures, order, skipped files', async () => {
    await mixedFolder();
    using plain = await loadTrainingPictures(sources(), { threads: 0 });
    expect(plain.packed).toBeUndefined();
    expect(plain.pictures).toHaveLength(9);
    expect(plain.skipped.map(({ message }) => message)).toEqual([
      expect.stringMatching(/good_0empty\.png: empty file$/),
      expect.stringMatching(/good_2cut\.png: damaged PNG/),
      expect.stringMatching(/good_3small\.png: 15x64, 3 channels: smaller than the crops of 16x16$/),
    ]);
    const expected = contentOf(plain);
    for (const [threads, budget] of [
      [2, Number.POSITIVE_INFINITY],
      [2, 0],
      [1, 10_000],
      [0, 10_000],
    ]) {
      const told: number[] = [];
      using loaded = await loadTrainingPictures(sources(), {
        threads,
        budget,
        folder: scratch,
        onProgress: ({ done }) => told.push(done),
      });
      expect(contentOf(loaded)).toEqual(expected);
      expect(loaded.packed !== undefined).toBe(budget < Number.POSITIVE_INFINITY);
      expect(told).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3]);
    }
  });

  test('that fits the budget is in memory; a byte more, and it is in a file, whose size is reported first', async () => {
    const bytes = 3 * (32 * 32 + 8 * 8) * 3;
    const only = sources({ data: ['synthetic'] });
    using resident = await loadTrainingPictures(only, { threads: 0, budget: bytes, folder: scratch });
    expect(resident.packed).toBeUndefined();
    expect(resident.bytesInMemory).toBe(bytes);
    const told: number[] = [];
    using streamed = await loadTrainingPictures(only, {
      threads: 0,
      budget: bytes - 1,
      folder: scratch,
      onSpill: (about, free) => told.push(about, free),
    });
    expect(streamed.packed!.file.bytes).toBe(bytes);
    expect(streamed.bytesInMemory).toBe(0);
    expect(told).toEqual([bytes, expect.any(Number)]);
    expect(told[1]).toBeGreaterThan(0);
  });

  test('without a usable picture is the same error with threads', async () => {
    await save('a.png', 15, 15, 3, 1);
    await save('b.png', 15, 15, 3, 1);
    const errors = await Promise.all(
      [0, 2].map(threads =>
        loadTrainingPictures(sources({ data: [folder] }), { threads, budget: 0, folder: scratch }).catch(
          error => error,
        ),
      ),
    );
    expect(errors[0]).toBeInstanceOf(PictureSourceError);
    expect(errors[1]).toEqual(errors[0]);
  });

  test('stops reading at once when aborted', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    const began = performance.now();
    const loading = loadTrainingPictures(sources({ data: ['synthetic'], syntheticCount: 40, syntheticSize: 512 }), {
      threads: 2,
      budget: 10_000,
      folder: scratch,
      signal: controller.signal,
      onProgress: ({ done }) => done === 1 && setTimeout(() => controller.abort(reason), 1),
    });
    await expect(loading).rejects.toBe(reason);
    // Forty pictures take some twenty seconds of a thread.
    expect(performance.now() - began).toBeLessThan(8000);
  });

  test('that cannot be stored in the folder is one clear error', async () => {
    const loading = loadTrainingPictures(sources({ data: ['synthetic'] }), {
      threads: 0,
      budget: 0,
      folder: join(scratch, 'none'),
    });
    await expect(loading).rejects.toThrow(ScratchFileError);
    await expect(loading).rejects.toThrow(`${join(scratch, 'none')}: cannot create a scratch file here (ENOENT)`);
  });
});

describe('the picture store', () => {
  const picture = (name: string, side: number) => ({
    name,
    hr: formulaPicture([side, side, 3, 1]),
    lr: formulaPicture([side / 4, side / 4, 3, 2]),
  });

  test('never has more than its budget in memory, also with concurrent writes', async () => {
    using store = new PictureStore(6, { budget: 5000, folder: scratch });
    const sizes = [16, 32, 16, 40, 8, 20];
    const held: number[] = [];
    await Promise.all(
      sizes.map(async (side, i) => {
        await store.put(5 - i, picture(`${side}`, side));
        held.push(store.bytes);
      }),
    );
    expect(Math.max(...held)).toBeLessThanOrEqual(5000);
    expect(store.bytes).toBe(0);
    const { pictures, packed } = await store.all();
    expect(pictures.map(({ name }) => Number(name))).toEqual(sizes.toReversed());
    for (const { name, hr, lr } of pictures) expect({ name, hr, lr }).toEqual(picture(name, Number(name)));
    expect(packed!.file.bytes).toBe(sizes.reduce((sum, side) => sum + 3 * side * side * (1 + 1 / 16), 0));
  });
});

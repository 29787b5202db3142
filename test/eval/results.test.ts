import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openDataSet, readPairs } from '../../eval/dataset.node.ts';
import { evaluateMethods } from '../../eval/evaluate.ts';
import { interpolation } from '../../eval/methods.ts';
import { openResults } from '../../eval/results.node.ts';
import { matchResults } from '../../eval/results.ts';
import { writePicture } from '../../image/files.node.ts';
import { createPicture, crop } from '../../image/picture.ts';
import { DATA, formulaPicture } from '../image/fixtures.ts';
import { temporaryFolder } from './temporary.ts';

/** Groups as `decoration → original:file`. */
function matched(originals: readonly string[], files: readonly string[]) {
  const { groups, unmatched } = matchResults(originals, files);
  return {
    ...Object.fromEntries(groups.map(({ decoration, files }) => [decoration, [...files].map(pair => pair.join(':'))])),
    unmatched: unmatched.map(({ file, reason }) => `${file}: ${reason}`),
  };
}

test('results are matched by the usual names', () => {
  expect(matched(['baby', 'bird'], ['baby.png', 'bird.bmp'])).toEqual({
    '': ['baby:baby.png', 'bird:bird.bmp'],
    unmatched: [],
  });
  expect(
    matched(
      ['baby', 'bird'],
      [
        'babyx4.png',
        'baby_SRResNet-MSE.png',
        'Baby_x4_SwinIR.png',
        'bird-x4-SwinIR.png',
        'bird (1).png',
        'bird.x4.png',
      ],
    ),
  ).toEqual({
    x4: ['baby:babyx4.png', 'bird:bird.x4.png'],
    'SRResNet-MSE': ['baby:baby_SRResNet-MSE.png'],
    x4_SwinIR: ['baby:Baby_x4_SwinIR.png'],
    'x4-SwinIR': ['bird:bird-x4-SwinIR.png'],
    '(1)': ['bird:bird (1).png'],
    unmatched: [],
  });
});

test('a name belongs to the longest original that it begins with, and needs a separator after it', () => {
  expect(
    matched(['a', 'a_b', '1', '12'], ['a_b_SRGAN.png', 'a_SRGAN.png', 'ab_SRGAN.png', '12_SRGAN.png', '123.png']),
  ).toEqual({
    SRGAN: ['a_b:a_b_SRGAN.png', 'a:a_SRGAN.png', '12:12_SRGAN.png'],
    unmatched: ['ab_SRGAN.png: no original', '123.png: no original'],
  });
});

test('marks of the set may be missing, and its own pictures are no results', () => {
  const originals = ['img_001_SRF_4_HR', 'img_002_SRF_4_HR'];
  expect(
    matched(originals, [
      'img_001_SRF_4_HR.png',
      'img_001_SRF_4_LR.png',
      'img_001_SRF_4_SRCNN.png',
      'img_002_SRF_4_HR.png',
      'img_002_SRCNN.png',
    ]),
  ).toEqual({
    SRCNN: ['img_001_SRF_4_HR:img_001_SRF_4_SRCNN.png', 'img_002_SRF_4_HR:img_002_SRCNN.png'],
    unmatched: [
      'img_001_SRF_4_LR.png: original or LR',
      'img_001_SRF_4_HR.png: original or LR',
      'img_002_SRF_4_HR.png: original or LR',
    ],
  });
  // Alone they are results with the originals' names.
  expect(matched(originals, ['img_001_SRF_4_HR.png'])).toEqual({
    '': ['img_001_SRF_4_HR:img_001_SRF_4_HR.png'],
    unmatched: [],
  });
});

test('of two files for one original the first counts', () => {
  expect(matched(['a'], ['a_x.bmp', 'a_x.png'])).toEqual({ x: ['a:a_x.bmp'], unmatched: ['a_x.png: second'] });
});

test('results of several methods in folders are rows; what is missing or of another size is skipped', async () => {
  const folder = temporaryFolder();
  const at = (...path: string[]) => join(folder, ...path);
  const [a, b] = [formulaPicture([47, 41, 3, 1]), formulaPicture([24, 36, 1, 2])];
  await writePicture(at('set/HR/a.png'), a);
  await writePicture(at('set/HR/b.png'), b);
  // The original is cropped to 44x40; results of both sizes count.
  await writePicture(at('out/whole/a_whole.png'), a);
  await writePicture(at('out/whole/b_whole.png'), b);
  await writePicture(at('out/cropped/a.png'), crop(a, 0, 0, 44, 40));
  await writePicture(at('out/cropped/b.png'), createPicture(20, 36, 1));
  await writePicture(at('out/LRx4/a.png'), createPicture(11, 10, 3));
  const set = await openDataSet(at('set'));
  const [skipped, notes]: [string[], string[]] = [[], []];
  const opened = await openResults(at('out'), ['a', 'b'], note => notes.push(note));
  expect(opened.map(({ label }) => label)).toEqual(['cropped', 'whole']);
  expect(notes).toEqual([`${at('out/LRx4')}: skipped, named like originals or LR`]);
  const [cropped, whole, bicubic] = await evaluateMethods(
    [...opened.map(({ results }) => results), interpolation('bicubic')],
    readPairs(set),
    () => ({ onSkip: ({ message }) => skipped.push(message) }),
  );
  expect(skipped).toEqual([`${at('out/cropped/b.png')}: 20x36, 1 channel: expected 24x36, the size of the original`]);
  expect(cropped.images.map(({ name, psnr }) => [name, psnr])).toEqual([['a', Number.POSITIVE_INFINITY]]);
  expect(whole.images.map(({ ssim, ssim_paper }) => [ssim, ssim_paper])).toEqual([
    [1, 1],
    [1, 1],
  ]);
  expect(bicubic.images).toHaveLength(2);
});

test('a folder without results of the set is an error', async () => {
  const folder = temporaryFolder();
  await writePicture(join(folder, 'c.png'), createPicture(4, 4, 1));
  await expect(openResults(folder, ['a'], () => {})).rejects.toThrow(
    'no results of this set: expected names such as a_METHOD.png',
  );
});

/** Ledig et al. 2017, table 1, and the pictures per set of `data/Ledig2017` by the paper's protocol. */
const PRINTED = {
  Set5: { 'SRGAN-VGG54': ['29.40', '0.8472'], 'SRResNet-MSE': ['32.05', '0.9019'] },
  Set14: { 'SRGAN-VGG54': ['26.02', '0.7397'], 'SRResNet-MSE': ['28.49', '0.8184'] },
};
const PAPER_RESULTS = join(DATA ?? '', 'Ledig2017');

const SETS = process.env.DAYBREAK_LONG ? (['Set5', 'Set14'] as const) : (['Set5'] as const);

test.for(SETS)("the authors' own results on %s have the printed scores", async (name, { skip }) => {
  if (DATA === undefined || !existsSync(PAPER_RESULTS)) return skip('DAYBREAK_DATA holds no Ledig2017');
  const set = await openDataSet(join(DATA, name));
  const originals = set.entries.map(entry => entry.name);
  const rows = await openResults(PAPER_RESULTS, originals, () => {});
  const evaluations = await evaluateMethods(
    rows.map(({ results }) => results),
    readPairs(set),
  );
  const means = evaluations.map(({ mean }) => [mean!.psnr_paper.toFixed(2), mean!.ssim_paper.toFixed(4)]);
  expect(Object.fromEntries(rows.map(({ label }, i) => [label, means[i]]))).toEqual(PRINTED[name]);
});

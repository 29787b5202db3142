/** The methods on whole sets, by both protocols. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openDataSet, readPairs } from '../../eval/dataset.node.ts';
import { readDictionary } from '../../eval/dictionary-file.node.ts';
import { evaluate } from '../../eval/evaluate.ts';
import { withoutTraining } from '../../eval/methods.ts';
import { findLumaMethod } from '../../methods/list.ts';
import { daybreak } from '../cli/daybreak.ts';
import { temporaryFolder } from '../eval/temporary.ts';
import { DATA } from '../image/fixtures.ts';

// NEDI: as an independent program computes. The others have no published figures: as measured here.
test.for([
  ['nedi', 'Set5', 27.99, 0.8004, 28.0, 0.8097],
  ['nedi', 'Set14', 25.76, 0.6875, 25.76, 0.7303],
  ['edi', 'Set5', 27.7, 0.8047, 27.7, 0.8176],
  ['edi', 'Set14', 25.54, 0.7076, 25.56, 0.7583],
] as const)('%s on %s', async ([name, set, psnr, ssim, psnrPaper, ssimPaper], context) => {
  if (DATA === undefined) return context.skip('DAYBREAK_DATA is not set: no benchmark pictures');
  const { mean } = await evaluate(
    withoutTraining(findLumaMethod(name)!),
    readPairs(await openDataSet(join(DATA, set))),
  );
  expect(mean?.psnr).toBeCloseTo(psnr, 2);
  expect(mean?.ssim).toBeCloseTo(ssim, 4);
  expect(mean?.psnr_paper).toBeCloseTo(psnrPaper, 2);
  expect(mean?.ssim_paper).toBeCloseTo(ssimPaper, 4);
});

// With the dictionary that the command makes of the training pictures.
test('freeman and markov on Set5', async context => {
  if (DATA === undefined) return context.skip('DAYBREAK_DATA is not set: no benchmark pictures');
  const file = join(temporaryFolder(), 'patches.safetensors');
  expect(await daybreak(['dictionary', join(DATA, 'train'), '-o', file])).toMatchObject({ code: 0 });
  const dictionary = await readDictionary(file);
  for (const [name, psnr, ssim] of [
    ['freeman', 27.945, 0.791],
    ['markov', 28.572, 0.8118],
  ] as const) {
    const method = withoutTraining(findLumaMethod(name)!, { dictionary });
    const { mean } = await evaluate(method, readPairs(await openDataSet(join(DATA, 'Set5'))));
    expect(mean?.psnr).toBeCloseTo(psnr, 2);
    expect(mean?.ssim).toBeCloseTo(ssim, 4);
  }
});

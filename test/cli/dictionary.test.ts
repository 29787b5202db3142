/** `daybreak dictionary`, and the methods that read its files. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readDictionary } from '../../eval/dictionary-file.node.ts';
import { withoutTraining } from '../../eval/methods.ts';
import { readPicture, writePicture } from '../../image/files.node.ts';
import { createPicture } from '../../image/picture.ts';
import { EXAMPLES } from '../../methods/examples.ts';
import { temporaryFolder } from '../eval/temporary.ts';
import { formulaPicture } from '../image/fixtures.ts';
import { daybreak } from './daybreak.ts';

test('collects patches, the same for the same seed, and upscale, eval and compare use them', async () => {
  const folder = temporaryFolder();
  await writePicture(join(folder, 'photos/colour.png'), formulaPicture([20, 16, 3, 1]));
  await writePicture(join(folder, 'photos/grey.png'), formulaPicture([12, 11, 1, 2]));
  await writePicture(join(folder, 'photos/alpha.png'), formulaPicture([9, 8, 4, 3]));
  const make = (...more: string[]) => daybreak(['dictionary', 'photos', '-o', 'a.safetensors', ...more], folder);
  // (20 - 4) · (16 - 4) + (12 - 4) · (10 - 4) + (8 - 4) · (8 - 4) patches, none of them flat.
  expect(await make()).toMatchObject({ code: 0, stdout: 'a.safetensors: 256 patches of 256 from 3 pictures\n' });
  expect(await make()).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('a.safetensors exists: use --overwrite'),
  });
  const bytes = () => readFileSync(join(folder, 'a.safetensors'));
  const few = ['--patches', '40', '--overwrite'];
  expect(await make(...few)).toMatchObject({ stdout: 'a.safetensors: 40 patches of 256 from 3 pictures\n' });
  const first = bytes();
  await make(...few, '--seed', '1');
  expect(bytes()).not.toEqual(first);
  await make(...few);
  expect(bytes()).toEqual(first);

  const picture = formulaPicture([7, 6, 3, 4]);
  await writePicture(join(folder, 'small.png'), picture);
  const options = ['--model', 'freeman', '--dictionary', 'a.safetensors'];
  expect(await daybreak(['upscale', 'small.png', '-o', 'big.png', ...options], folder)).toMatchObject({ code: 0 });
  const dictionary = await readDictionary(join(folder, 'a.safetensors'));
  expect(await readPicture(join(folder, 'big.png'))).toEqual(await withoutTraining(EXAMPLES, { dictionary })(picture));
  await writePicture(join(folder, 'set/one.png'), formulaPicture([24, 20, 3, 5]));
  const scored = await daybreak(['eval', '--data', 'set', ...options, '--model', 'markov', '--json', '-'], folder);
  expect(scored.code).toBe(0);
  const { methods } = JSON.parse(scored.stdout) as { methods: { adapter: null; model: string; mean: object }[] };
  expect(methods.map(({ adapter, model }) => [adapter, model])).toEqual([
    [null, 'freeman'],
    [null, 'markov'],
  ]);
  expect(methods[0].mean).not.toEqual(methods[1].mean);
  const compared = await daybreak(['compare', '--data', 'set', '-o', 'compared', ...options, '--model', 'edi'], folder);
  expect(compared).toMatchObject({ code: 0, stdout: '1 compared, 0 skipped\n' });
});

test('what is wrong is said in one line', async () => {
  const folder = temporaryFolder();
  await writePicture(join(folder, 'one.png'), formulaPicture([7, 6, 3, 4]));
  const upscale = (...more: string[]) =>
    daybreak(['upscale', 'one.png', '-o', 'big.png', '--model', 'markov', ...more], folder);
  expect(await upscale()).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('--dictionary: expected a file for markov, made by daybreak dictionary, got none'),
  });
  expect(await upscale('--dictionary', 'none.safetensors')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('none.safetensors: cannot be read: no such file'),
  });
  const make = (from: string, out: string) => daybreak(['dictionary', from, '-o', out], folder);
  expect(await make('.', 'a.bin')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('--out: expected a .safetensors file, got a.bin'),
  });
  await writePicture(join(folder, 'flat/flat.png'), createPicture(20, 20, 3));
  writeFileSync(join(folder, 'flat/broken.png'), 'no picture');
  const flat = await make('flat', 'a.safetensors');
  expect(flat).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('flat: no picture here has patches that are not flat'),
  });
  expect(flat.stderr).toMatch(/skipped: flat\/broken.png: not a picture/);
});

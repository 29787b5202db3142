import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openDataSet, readPairs } from '../../eval/dataset.node.ts';
import { evaluate } from '../../eval/evaluate.ts';
import { interpolation } from '../../eval/methods.ts';
import { PROTOCOLS } from '../../eval/protocols.ts';
import { writePicture } from '../../image/files.node.ts';
import { temporaryFolder } from '../eval/temporary.ts';
import { formulaPicture } from '../image/fixtures.ts';
import { daybreak } from './daybreak.ts';

/** A folder with a data set of two pictures called `set`, one of them broken where asked. */
async function folderWithSet(options: { broken?: boolean } = {}): Promise<string> {
  const folder = temporaryFolder();
  await writePicture(join(folder, 'set/a.png'), formulaPicture([44, 40, 3, 1]));
  await writePicture(join(folder, 'set/b.png'), formulaPicture([24, 36, 1, 2]));
  if (options.broken) writeFileSync(join(folder, 'set/c.png'), 'no picture');
  return folder;
}

test('prints a table with both protocols, their meaning and the origin of LR', async () => {
  const folder = await folderWithSet();
  const { code, stdout, stderr } = await daybreak(['eval', '--data', 'set', '--model', 'bicubic'], folder);
  expect([code, stderr]).toEqual([0, '1/2 a\n2/2 b\n']);
  const { images, mean } = await evaluate(interpolation('bicubic'), readPairs(await openDataSet(join(folder, 'set'))));
  const [first, ...rest] = stdout.split('\n');
  expect(first).toBe('bicubic on set: 2 pictures; LR made from HR: bicubic, 1/4, edges clamped, 8 bit');
  for (const one of [...images, { name: 'mean of 2', ...mean! }]) {
    const figures = [one.psnr.toFixed(3), one.ssim.toFixed(4), one.psnr_paper.toFixed(3), one.ssim_paper.toFixed(4)];
    const row = rest.find(line => line.startsWith(`│ ${one.name} `));
    expect(row?.split('│').map(cell => cell.trim())).toEqual(['', one.name, ...figures, '']);
  }
  for (const [name, meaning] of Object.entries(PROTOCOLS)) expect(rest).toContain(`${name}: ${meaning}`);
});

test('--json writes the scores, or prints them and nothing else', async () => {
  const folder = await folderWithSet();
  const args = ['eval', '--data', 'set', '--model', 'nearest', '--json'];
  const [file, printed] = await Promise.all([
    daybreak([...args, 'new/scores.json'], folder),
    daybreak([...args, '-'], folder),
  ]);
  const evaluation = await evaluate(interpolation('nearest'), readPairs(await openDataSet(join(folder, 'set'))));
  const expected = { adapter: null, model: 'nearest', data: 'set', ...evaluation };
  expect(file).toMatchObject({ code: 0 });
  expect(file.stdout).toContain('mean of 2');
  expect(JSON.parse(readFileSync(join(folder, 'new/scores.json'), 'utf8'))).toEqual(expected);
  expect(printed).toMatchObject({ code: 0, stdout: `${JSON.stringify(expected)}\n` });
});

test('broken pictures are named, counted and left out', async () => {
  const folder = await folderWithSet({ broken: true });
  const { code, stdout, stderr } = await daybreak(['eval', '--data', 'set', '--model', 'bilinear'], folder);
  expect(code).toBe(0);
  expect(stderr).toContain('skipped: set/c.png: not a picture (PNG or JPEG)\n');
  expect(stdout).toContain('bilinear on set: 2 pictures, 1 skipped;');
  expect(stdout).toContain('mean of 2');
});

test('nothing to score is a failure', async () => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'set'));
  writeFileSync(join(folder, 'set/c.png'), '');
  const { code, stdout, stderr } = await daybreak(['eval', '--data', 'set', '--model', 'bilinear'], folder);
  expect([code, stdout]).toEqual([1, '']);
  expect(stderr).toBe('skipped: set/c.png: empty file\nerror: set: none of the 1 pictures here can be scored\n');
});

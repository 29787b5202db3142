import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openDataSet, readPairs } from '../../eval/dataset.node.ts';
import { evaluate } from '../../eval/evaluate.ts';
import { interpolation } from '../../eval/methods.ts';
import { PROTOCOLS } from '../../eval/protocols.ts';
import { textureRatio } from '../../eval/texture.ts';
import { vggDistance } from '../../eval/vgg-distance.ts';
import { writePicture } from '../../image/files.node.ts';
import { writeSafetensors } from '../../models/safetensors.ts';
import { vgg19Random } from '../../models/vgg19.ts';
import { sharedDevice } from '../device.ts';
import { pairsOf } from '../eval/pairs.ts';
import { PAIRS, setFolder } from '../eval/set-folder.ts';
import { temporaryFolder } from '../eval/temporary.ts';
import { formulaPicture } from '../image/fixtures.ts';
import { daybreak, start } from './daybreak.ts';

sharedDevice();

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

test('--rgb adds a column and a key, the others stay as they are', async () => {
  const folder = await folderWithSet();
  const args = ['eval', '--data', 'set', '--model', 'bicubic', '--json'];
  const [plain, table] = await Promise.all([
    daybreak([...args, '-'], folder),
    daybreak([...args, 'scores.json', '--rgb'], folder),
  ]);
  const { images, mean } = JSON.parse(readFileSync(join(folder, 'scores.json'), 'utf8'));
  expect(images.map(({ psnr_rgb, ...rest }: Record<string, unknown>) => rest)).toEqual(JSON.parse(plain.stdout).images);
  expect(mean.psnr_rgb).toBeCloseTo((images[0].psnr_rgb + images[1].psnr_rgb) / 2, 10);
  expect(table.stdout).toContain(images[0].psnr_rgb.toFixed(3));
});

test('broken pictures are named, counted and left out', async () => {
  const folder = await folderWithSet({ broken: true });
  const { code, stdout, stderr } = await daybreak(['eval', '--data', 'set', '--model', 'bilinear'], folder);
  expect(code).toBe(1);
  expect(stderr).toContain('skipped: set/c.png: not a picture (PNG, JPEG, WebP, AVIF, TIFF, GIF)\n');
  expect(stdout).toContain('bilinear on set: 2 pictures, 1 skipped;');
  expect(stdout).toContain('mean of 2');
});

test('nothing to score is a failure', async () => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'set'));
  writeFileSync(join(folder, 'set/c.png'), '');
  const { code, stdout, stderr } = await daybreak(['eval', '--data', 'set', '--model', 'bilinear'], folder);
  expect([code, stdout]).toEqual([1, '']);
  expect(stderr).toBe('skipped: set/c.png: empty file\nerror: set: no picture here can be scored (1 skipped)\n');
});

test('--texture and --vgg add a column each, explained, and their figures to the JSON', async () => {
  const folder = await folderWithSet();
  using vgg = vgg19Random({ widths: [4, 6], seed: 1, input: 'caffe' });
  const weights = writeSafetensors(await vgg.stateDict());
  writeFileSync(join(folder, 'vgg.safetensors'), weights);
  const weighed = ['--texture', '--vgg', 'vgg.safetensors', '--vgg-input', 'caffe'];
  const args = ['eval', '--data', 'set', '--model', 'bicubic', ...weighed];
  const { code, stdout, stderr } = await daybreak([...args, '--json', 'scores.json'], folder);
  expect(code, stderr).toBe(0);
  const distance = vggDistance(vgg, 2, 2);
  const pairs = await pairsOf(join(folder, 'set'));
  const { images, mean } = JSON.parse(readFileSync(join(folder, 'scores.json'), 'utf8'));
  for (const [i, { lr, hr }] of pairs.entries()) {
    const result = await interpolation('bicubic')(lr);
    expect(images[i].texture).toBe(textureRatio(result, hr));
    expect(images[i].vgg_distance).toBeCloseTo(await distance(result, hr), 5);
  }
  expect(mean.texture).toBeCloseTo((images[0].texture + images[1].texture) / 2, 12);
  expect(mean.vgg_distance).toBeCloseTo((images[0].vgg_distance + images[1].vgg_distance) / 2, 12);
  const row = stdout.split('\n').find(line => line.startsWith('│ mean of 2 '));
  expect(
    row
      ?.split('│')
      .map(cell => cell.trim())
      .slice(-3),
  ).toEqual([mean.texture.toFixed(3), mean.vgg_distance.toFixed(3), '']);
  expect(stdout).toContain('texture: energy of rounded BT.601 luma');
  expect(stdout).toContain('VGG distance: squared difference of features φ22 of vgg.safetensors over');
  const deeper = await daybreak([...args, '--vgg-layer', '54'], folder);
  expect(deeper.code).toBe(1);
  expect(deeper.stderr).toContain('error: φ54 needs conv5_4');
});

const EVAL = ['eval', '--data', '.', '--model', 'bicubic'];

test('what was skipped is an exit code of 1, and stands in the JSON', async () => {
  const { 'LRx4/bird.png': _, ...files } = PAIRS;
  const { code, stdout } = await daybreak([...EVAL, '--json', '-'], setFolder({ ...files, 'HR/c.bmp': 'bytes' }));
  expect(code).toBe(1);
  expect(JSON.parse(stdout)).toMatchObject({
    images: [{ name: 'baby' }],
    skipped: [{ file: 'HR/bird.png', reason: 'LRx4 holds no picture named bird' }],
  });
});

test('identical pictures are ∞, and left out of the mean PSNR of each method', async () => {
  const folder = setFolder({ 'a.png': 'black', 'b.png': 'hr-1', 'c.bmp': 'bytes' });
  const [one, two] = await Promise.all([
    daybreak([...EVAL, '--json', 'scores.json'], folder),
    daybreak([...EVAL, '--model', 'nearest'], folder),
  ]);
  expect([one.code, two.code]).toEqual([0, 0]);
  expect(one.stdout).toMatch(/│ a +│ +∞ │ 1\.0000 │ +∞ │ 1\.0000 │/);
  expect(one.stdout).toMatch(/│ mean of 2 │ +29\.618 │ 0\.8855 │/);
  expect(one.stdout).toContain('\nmean: PSNR of 1 of 2 pictures (1 identical: ∞)\n');
  expect(one.stderr).toContain('note: .: skipped 1 file: .bmp is not supported, convert it\n');
  const { images, mean } = JSON.parse(readFileSync(join(folder, 'scores.json'), 'utf8'));
  expect(images[0].psnr).toBe(null);
  expect(mean).toMatchObject({ psnr: images[1].psnr, identical: 1, identical_paper: 1 });
  for (const name of ['bicubic', 'nearest']) {
    expect(two.stdout).toContain(`\n${name}: PSNR of 1 of 2 pictures (1 identical: ∞)\n`);
  }
  expect(two.stderr).toContain('1/4 bicubic: a\n2/4 nearest: a\n3/4 bicubic: b\n4/4 nearest: b\n');
});

test('a JSON that cannot be written is known before any work is done', async () => {
  const folder = setFolder(PAIRS);
  writeFileSync(join(folder, 'file'), '');
  const impossible = ['.', 'file/scores.json', ...(process.platform === 'linux' ? ['/proc/x/y'] : [])];
  const ends = await Promise.all(impossible.map(path => daybreak([...EVAL, '--json', path], folder)));
  for (const [i, { code, stdout, stderr }] of ends.entries()) {
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/^error: \S+: cannot be written: .* \(.*\)\n$/);
    expect(stderr).toContain(`error: ${impossible[i]}: `);
  }
  expect(readdirSync(folder).sort()).toEqual(['HR', 'LRx4', 'file']);
});

test('the table is printed even if the JSON cannot be written', async () => {
  const folder = setFolder(PAIRS);
  const { child, ended } = start([...EVAL, '--json', 'new/scores.json'], folder);
  // After the check, once the first picture is scored.
  child.stderr?.once('data', () => writeFileSync(join(folder, 'new'), 'in the way'));
  const { code, stdout, stderr } = await ended;
  expect(code).toBe(1);
  expect(stdout).toContain('│ mean of 2 │  30.250 │ 0.8045 │');
  expect(stderr).toMatch(/\nerror: new\/scores\.json: cannot be written: .* \(.*\)\n$/);
});

test('--results scores pictures that exist, in rows beside models; what is missing is told and exits with 1', async () => {
  const folder = await folderWithSet();
  const picture = formulaPicture([44, 40, 3, 5]);
  await writePicture(join(folder, 'out/mine/a_mine.png'), picture);
  await writePicture(join(folder, 'out/mine/b_mine.png'), formulaPicture([24, 36, 1, 2]));
  await writePicture(join(folder, 'out/other/a.png'), picture);
  const alone = await daybreak(['eval', '--data', 'set', '--results', 'out/mine', '--json', '-'], folder);
  expect(alone.code).toBe(0);
  const report = JSON.parse(alone.stdout);
  expect(report).toMatchObject({ adapter: null, model: 'mine', results: 'out/mine', mean: { identical: 1 } });
  const several = await daybreak(
    ['eval', '--data', 'set', '--results', 'out', '--model', 'nearest', '--json', 'all.json'],
    folder,
  );
  expect(several).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('skipped: out/other/b: no result of other for this picture'),
  });
  expect(several.stdout).toContain('nearest, mine, other on set: 2 pictures, 1 skipped;');
  expect(several.stdout).toContain('│ other (1 of 2 pictures) ');
  const { methods, skipped } = JSON.parse(readFileSync(join(folder, 'all.json'), 'utf8'));
  expect(methods.map(({ model }: { model: string }) => model)).toEqual(['nearest', 'mine', 'other']);
  expect(methods[1].images).toEqual(report.images);
  expect(skipped).toEqual([{ file: join('out/other/b'), reason: 'no result of other for this picture' }]);
  expect(await daybreak(['eval', '--data', 'set', '--results', 'nowhere'], folder)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('nowhere: cannot list this folder'),
  });
});

test("--lr makes the LR by MATLAB's or Pillow's bicubic, even where the set has some", async () => {
  const folder = setFolder(PAIRS);
  const scoresOf = async (...args: string[]) => {
    const { stdout } = await daybreak(['eval', '--data', folder, '--model', 'bicubic', '--json', '-', ...args]);
    return JSON.parse(stdout).mean.psnr as number;
  };
  const [own, matlab, pillow] = [await scoresOf(), await scoresOf('--lr', 'matlab'), await scoresOf('--lr', 'pillow')];
  expect(pillow).not.toBe(matlab);
  expect(Math.abs(pillow - matlab)).toBeLessThan(0.5);
  expect(own).toBeGreaterThan(0);
  expect(await daybreak(['eval', '--data', folder, '--lr', 'other'])).toMatchObject({ code: 2 });
});

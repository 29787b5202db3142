import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openDataSet, readPairs } from '../../eval/dataset.node.ts';
import { evaluate } from '../../eval/evaluate.ts';
import { interpolation } from '../../eval/methods.ts';
import { PAPER_METHODS, paperMethodOf } from '../../eval/paper-tables.ts';
import { tablesCsv, tablesMarkdown } from '../../eval/table.ts';
import { writePicture } from '../../image/files.node.ts';
import { temporaryFolder } from '../eval/temporary.ts';
import { formulaPicture } from '../image/fixtures.ts';
import { daybreak } from './daybreak.ts';

/** A folder with a set of two pictures, called as one of the paper's. */
async function folderWithSet(): Promise<string> {
  const folder = temporaryFolder();
  await writePicture(join(folder, 'Set5/a.png'), formulaPicture([44, 40, 3, 1]));
  await writePicture(join(folder, 'Set5/b.png'), formulaPicture([24, 36, 1, 2]));
  return folder;
}

const table = (folder: string, ...args: string[]) => daybreak(['table', '--data', 'Set5', ...args], folder);
const reportOf = (folder: string) => JSON.parse(readFileSync(join(folder, 'tables/tables.json'), 'utf8')).sets;

test('rows have the scores of eval beside the printed ones; what the paper has and we do not is told', async () => {
  const folder = await folderWithSet();
  const { code, stdout, stderr } = await table(folder, '--method', 'nearest', '--method', 'Mine=bicubic');
  expect([code, stderr]).toEqual([0, '1/2 Set5 nearest\n2/2 Set5 Mine\n']);
  expect(stdout).toContain('Set5: 2 pictures; LR made from HR');
  const [set] = reportOf(folder);
  const { mean } = await evaluate(interpolation('nearest'), readPairs(await openDataSet(join(folder, 'Set5'))));
  expect(set.rows[0]).toMatchObject({
    label: 'nearest',
    mean,
    pictures: 2,
    note: '',
    printed: { psnr: 26.26, ssim: 0.7552, mos: 1.28 },
  });
  expect(set.rows[0].seconds).toBeGreaterThan(0);
  expect(set.rows[1]).toMatchObject({ label: 'Mine', printed: null });
  expect(set.rows.slice(2).map(({ label }: { label: string }) => label)).toEqual(
    PAPER_METHODS.map(({ name }) => name).filter(name => name !== 'nearest'),
  );
  const lines = readFileSync(join(folder, 'tables/tables.md'), 'utf8').split('\n');
  expect(lines).toContain('npx daybreak table --data Set5 --method nearest --method Mine=bicubic');
  const cells = (label: string) =>
    lines
      .find(line => line.startsWith(`| ${label} `))!
      .split('|')
      .map(cell => cell.trim());
  expect(cells('nearest').slice(1, 4)).toEqual(['nearest', mean!.psnr_paper.toFixed(2), '26.26']);
  expect(cells('DRCN').slice(1, 5)).toEqual(['DRCN', '', '31.52', '']);
  expect(cells('DRCN').at(-2)).toContain('--method DRCN=FILE');
  expect(cells('SRGAN').at(-2)).toBe('not asked for; --method srgan adds it');
  const csv = readFileSync(join(folder, 'tables/tables.csv'), 'utf8').split('\r\n');
  expect(csv[0]).toMatch(/^set,method,pictures,psnr_paper/);
  expect(csv[1].split(',').slice(0, 6)).toEqual([
    'Set5',
    'nearest',
    '2',
    `${mean!.psnr_paper}`,
    `${mean!.ssim_paper}`,
    '26.26',
  ]);
});

test('finished pictures are kept, and made again when pictures change or the file is damaged', async () => {
  const folder = await folderWithSet();
  const rows = join(folder, 'tables/rows');
  const [file] = ['Set5-nearest.json'];
  await table(folder, '--method', 'nearest');
  expect(readdirSync(rows)).toEqual([file]);
  const text = readFileSync(join(rows, file), 'utf8');
  // A finished picture whose score was changed shows that it is not made again.
  const stored = JSON.parse(text);
  stored.images = [{ ...stored.images[0], psnr: 77 }];
  writeFileSync(join(rows, file), JSON.stringify(stored));
  await table(folder, '--method', 'nearest');
  expect(JSON.parse(readFileSync(join(rows, file), 'utf8')).images.map((one: { psnr: number }) => one.psnr)).toEqual([
    77,
    JSON.parse(text).images[1].psnr,
  ]);
  const before = statSync(join(rows, file)).mtimeMs;
  await table(folder, '--method', 'nearest');
  expect(statSync(join(rows, file)).mtimeMs).toBe(before);
  const scoresOf = () =>
    JSON.parse(readFileSync(join(rows, file), 'utf8')).images.map((one: { psnr: number }) => one.psnr);
  for (const spoil of [
    () => writeFileSync(join(rows, file), '{'),
    () => writePicture(join(folder, 'Set5/a.png'), formulaPicture([44, 40, 3, 9])),
  ]) {
    await spoil();
    expect(await table(folder, '--method', 'nearest')).toMatchObject({ code: 0 });
    expect(scoresOf()).not.toContain(77);
  }
});

test('a method that cannot be opened has a row with the reason, and the others are scored', async () => {
  const folder = await folderWithSet();
  const { code, stderr } = await table(
    folder,
    '--method',
    'srnet',
    '--method',
    'SRCNN=lost.safetensors',
    '--method',
    'nearest',
  );
  expect(code).toBe(1);
  expect(stderr).toContain('skipped: SRCNN: lost.safetensors: no such model file');
  const [{ rows }] = reportOf(folder);
  expect(rows[0]).toMatchObject({
    label: 'srnet',
    pictures: 0,
    note: expect.stringContaining('srnet: no such model file'),
  });
  expect(rows[1]).toMatchObject({ label: 'SRCNN', printed: { psnr: 30.07 } });
  expect(rows[2]).toMatchObject({ label: 'nearest', pictures: 2 });
});

test('results are rows, and missing ones are told', async () => {
  const folder = await folderWithSet();
  await writePicture(join(folder, 'theirs/a_x.png'), formulaPicture([44, 40, 3, 1]));
  const { code, stderr } = await table(folder, '--results', 'DRCN=theirs');
  expect(code).toBe(1);
  const [{ rows }] = reportOf(folder);
  expect(rows[0]).toMatchObject({
    label: 'DRCN',
    pictures: 1,
    printed: { psnr: 31.52 },
    note: expect.stringMatching(/b: no result of/),
  });
  expect(stderr).toContain('skipped: DRCN: ');
  // Results are not kept: they are there already.
  expect(existsSync(join(folder, 'tables/rows'))).toBe(false);
  // Identical to its original: JSON has no infinity.
  expect(rows[0].mean).toMatchObject({ psnr: null, ssim: 1 });
  expect(readFileSync(join(folder, 'tables/tables.md'), 'utf8')).toMatch(/^\| DRCN +\| +∞ \|/m);
});

test('equal labels and unknown programs are usage errors', async () => {
  const folder = await folderWithSet();
  expect(await table(folder, '--method', 'bicubic', '--method', 'bicubic')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('two rows are called bicubic: give one another label, LABEL=NAME'),
  });
  expect(await table(folder, '--lr', 'opencv')).toMatchObject({ code: 2 });
});

test("labels find the paper's methods whatever their case; a set of another name has no printed figures", () => {
  expect(paperMethodOf('srgan-vgg54')?.name).toBe('SRGAN');
  expect(paperMethodOf('SRResNet-MSE')?.name).toBe('SRResNet');
  expect(paperMethodOf('srcnn_955_x4')).toBeUndefined();
  const row = { label: 'bicubic', mean: undefined, pictures: 0, seconds: undefined, note: 'a "quoted", note' };
  const urban = { set: 'Urban100', pictures: 1, origin: 'LR from LRx4', rows: [row] };
  expect(tablesMarkdown([urban], 'T', [])).toContain('1 picture; LR from LRx4.');
  expect(tablesCsv([urban]).split('\r\n')[1]).toBe('Urban100,bicubic,0,,,,,,,,"a ""quoted"", note"');
});

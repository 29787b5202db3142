/** `daybreak compare`, from outside. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readPicture, writePicture } from '../../image/files.node.ts';
import { syntheticPicture } from '../../image/synthetic.ts';
import { setFolder } from '../eval/set-folder.ts';
import { temporaryFolder } from '../eval/temporary.ts';
import { daybreak } from './daybreak.ts';

const COMPARE = ['compare', '--data', 'set', '--model', 'bicubic', '--model', 'lanczos3', '-o', 'out'];

test('writes a picture for each original and refuses to replace it', async () => {
  const folder = temporaryFolder();
  await writePicture(join(folder, 'set/a.png'), syntheticPicture(4, 0, 48));
  await writePicture(join(folder, 'set/b.png'), syntheticPicture(4, 1, 48));
  expect(await daybreak(COMPARE, folder)).toEqual({
    code: 0,
    stdout: '2 compared, 0 skipped\n',
    stderr: 'out/a_compared.png\nout/b_compared.png\n',
  });
  const { height } = await readPicture(join(folder, 'out/a_compared.png'));
  const again = await daybreak(COMPARE, folder);
  expect(again).toMatchObject({ code: 1, stdout: '0 compared, 2 skipped\n' });
  expect(again.stderr).toContain('skipped: out/a_compared.png: already exists: use --overwrite to replace it\n');
  expect(await daybreak([...COMPARE, '--overwrite', '--zoom', '1'], folder)).toMatchObject({ code: 0 });
  expect((await readPicture(join(folder, 'out/a_compared.png'))).height).toBeLessThan(height);
  expect(readdirSync(join(folder, 'out')).sort()).toEqual(['a_compared.png', 'b_compared.png']);
});

test('a protocol that is none is bad usage', async () => {
  const { code, stderr } = await daybreak([...COMPARE, '--protocol', 'mine']);
  expect(code).toBe(2);
  expect(stderr).toContain("'--protocol <name>' argument 'mine' is invalid. Allowed choices are matlab, paper.");
});

test('tells what is not read and what it does not show, and checks its folder first', async () => {
  const folder = setFolder({ 'set/a_HR.png': 'hr-1', 'set/a_SRCNN.png': 'result-1', 'set/b.bmp': 'bytes' });
  const { code, stderr } = await daybreak(COMPARE, folder);
  expect(code).toBe(0);
  expect(stderr).toContain('note: set: skipped 1 file named like results or LR of originals here (*_SRCNN)\n');
  expect(stderr).toContain('out/a_HR_compared.png\n');
  const impossible = await daybreak([...COMPARE.slice(0, -1), 'set/a_HR.png/out'], folder);
  expect(impossible).toMatchObject({ code: 1, stdout: '' });
  expect(impossible.stderr).toMatch(/^error: set\/a_HR\.png\/out: cannot be written: .* \(.*\)\n$/);
});

test('--html: one page of all pictures, alone or with PNGs, replaced only if asked', async () => {
  const folder = temporaryFolder();
  await writePicture(join(folder, 'set/a.png'), syntheticPicture(4, 0, 48));
  await writePicture(join(folder, 'set/b.png'), syntheticPicture(4, 1, 32));
  const page = [...COMPARE.slice(0, -2), '--html', 'pages/compared.html'];
  const alone = await daybreak(page, folder);
  expect(alone).toMatchObject({ code: 0, stdout: '2 compared, 0 skipped\n' });
  expect(alone.stderr).toMatch(/^pages\/compared\.html {2}\d+\.\d KiB\n$/);
  expect(readdirSync(folder).sort()).toEqual(['pages', 'set']);
  const html = () => readFileSync(join(folder, 'pages/compared.html'), 'utf8');
  const names = () => [...html().matchAll(/data-name="(\w+)"/g)].map(([, name]) => name);
  expect(names()).toEqual(['a', 'b']);
  expect(html()).toContain('<h1>set</h1>');

  const exists = 'pages/compared.html: already exists: use --overwrite to replace it\n';
  expect(await daybreak([...page, '-o', 'out'], folder)).toEqual({ code: 1, stdout: '', stderr: `error: ${exists}` });
  const both = await daybreak([...page, '-o', 'out', '--overwrite'], folder);
  expect(both.stderr).toMatch(/^out\/a_compared\.png\nout\/b_compared\.png\npages\/compared\.html {2}.*\n$/);

  // PNGs that exist are kept; the page has all pictures nevertheless. A picture without the crop is left out.
  const other = [...COMPARE, '--html', 'other.html', '--crop', '0,30,8,8'];
  const cropped = await daybreak(other, folder);
  expect(cropped).toMatchObject({ code: 1, stdout: '1 compared, 3 skipped\n' });
  expect(cropped.stderr).toContain('skipped: out/a_compared.png: already exists');
  expect(cropped.stderr).toContain(
    'skipped: b: --crop: expected a rectangle inside 32x32 pixels, got 8x8 at (0, 30)\n',
  );
  expect(readFileSync(join(folder, 'other.html'), 'utf8')).toContain('data-region="0,30,8,8"');
});

test('no picture for the page: no page', async () => {
  const folder = temporaryFolder();
  await writePicture(join(folder, 'set/a.png'), syntheticPicture(4, 0, 48));
  const args = [...COMPARE.slice(0, -2), '--html', 'compared.html', '--crop', '50,0,8,8'];
  expect(await daybreak(args, folder)).toMatchObject({ code: 1, stdout: '0 compared, 1 skipped\n' });
  expect(readdirSync(folder)).toEqual(['set']);
});

test('nowhere to write to is bad usage', async () => {
  expect(await daybreak(COMPARE.slice(0, -2))).toEqual({
    code: 2,
    stdout: '',
    stderr: 'error: nowhere to write to: expected -o with a folder for PNGs, --html with a file, or both\n',
  });
  expect(await daybreak([...COMPARE, '--html', ''])).toMatchObject({
    code: 2,
    stderr: 'error: --html: expected a file, got an empty path\n',
  });
});

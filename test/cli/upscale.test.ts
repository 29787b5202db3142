import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { encodePng } from '#codec';
import { interpolation } from '../../eval/methods.ts';
import { readPicture, writePicture } from '../../image/files.node.ts';
import { temporaryFolder } from '../eval/temporary.ts';
import { formulaPicture } from '../image/fixtures.ts';
import { daybreak, start } from './daybreak.ts';

const picture = formulaPicture([9, 7, 4, 1]);

test('enlarges files and folders; the broken ones are named, the others go on, exit 1', async () => {
  const folder = temporaryFolder();
  await writePicture(join(folder, 'one.png'), picture);
  await writePicture(join(folder, 'in/deep/two.png'), picture);
  writeFileSync(join(folder, 'in/broken.png'), 'no picture');
  const { code, stdout, stderr } = await daybreak(
    ['upscale', 'one.png', 'in', 'nowhere.png', '-o', 'out', '--model', 'bicubic'],
    folder,
  );
  expect([code, stdout]).toEqual([1, '2 enlarged, 0 skipped, 2 failed\n']);
  expect(stderr.replace(/[\d.]+ s$/gm, 'N s').split('\n')).toEqual([
    'failed: nowhere.png: there is no such file or folder',
    'one.png 9x7 -> out/one_x4.png 36x28, N s',
    'failed: in/broken.png: not a picture (PNG or JPEG)',
    'in/deep/two.png 9x7 -> out/deep/two_x4.png 36x28, N s',
    '',
  ]);
  expect(await readPicture(join(folder, 'out/deep/two_x4.png'))).toEqual(await interpolation('bicubic')(picture));
});

test('a second run is refused, skips or overwrites as asked', async () => {
  const folder = temporaryFolder();
  await writePicture(join(folder, 'one.png'), picture);
  const args = ['upscale', 'one.png', '-o', 'large.png', '--model'];
  expect(await daybreak([...args, 'nearest'], folder)).toMatchObject({ code: 0 });
  const refused = await daybreak([...args, 'bicubic'], folder);
  expect(refused).toMatchObject({ code: 1, stdout: '0 enlarged, 0 skipped, 1 failed\n' });
  expect(refused.stderr).toBe('failed: large.png: exists already: --overwrite replaces, --skip-existing leaves it\n');
  const skipped = await daybreak([...args, 'bicubic', '--skip-existing'], folder);
  expect(skipped).toEqual({
    code: 0,
    stdout: '0 enlarged, 1 skipped, 0 failed\n',
    stderr: 'skipped: large.png exists\n',
  });
  expect(await readPicture(join(folder, 'large.png'))).toEqual(await interpolation('nearest')(picture));
  expect(await daybreak([...args, 'bicubic', '--overwrite'], folder)).toMatchObject({ code: 0 });
  expect(await readPicture(join(folder, 'large.png'))).toEqual(await interpolation('bicubic')(picture));
});

test('a folder cannot become one file', async () => {
  const folder = temporaryFolder();
  await writePicture(join(folder, 'in/a.png'), picture);
  await writePicture(join(folder, 'in/b.png'), picture);
  const ended = await daybreak(['upscale', 'in', '-o', 'large.png', '--model', 'nearest'], folder);
  expect(ended).toEqual({
    code: 2,
    stdout: '',
    stderr: 'error: -o large.png names one file, but there are several pictures: name a folder\n',
  });
  expect(readdirSync(folder)).toEqual(['in']);
});

test.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)('%s stops between pictures with exit code %i and leaves whole files only', async (signal, code) => {
  const folder = temporaryFolder();
  const large = formulaPicture([90, 90, 3, 1]);
  const names = Array.from({ length: 40 }, (_, i) => `${String(i).padStart(2, '0')}.png`);
  mkdirSync(join(folder, 'in'));
  const bytes = await encodePng(large);
  for (const name of names) writeFileSync(join(folder, 'in', name), bytes);
  const { child, ended } = start(['upscale', 'in', '-o', 'out', '--model', 'lanczos3', '--suffix', ''], folder);
  child.stderr?.once('data', () => child.kill(signal));
  const result = await ended;
  expect(result.code).toBe(code);
  expect(result.stderr).toContain('Stopping after this tile. Once more to stop at once.\n');
  expect(result.stderr).toMatch(new RegExp(`error: stopped by ${signal}\n$`));
  const written = readdirSync(join(folder, 'out')).sort();
  expect(written).toEqual(names.slice(0, written.length));
  expect(written.length).toBeLessThan(names.length);
  const expected = Buffer.from(await encodePng(await interpolation('lanczos3')(large)));
  for (const name of written) expect(readFileSync(join(folder, 'out', name)).equals(expected)).toBe(true);
});

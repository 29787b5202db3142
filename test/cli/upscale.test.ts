import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { encodePng } from '#codec';
import { interpolation, withoutTraining } from '../../eval/methods.ts';
import { temporaryPath } from '../../files/temporary.node.ts';
import { readPicture, writePicture } from '../../image/files.node.ts';
import { NEDI } from '../../methods/nedi.ts';
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
    ['upscale', 'one.png', 'in', 'nowhere.png', '-o', 'out', '-r', '--model', 'bicubic'],
    folder,
  );
  expect([code, stdout]).toEqual([1, '2 enlarged, 0 skipped, 2 failed\n']);
  expect(stderr.replace(/[\d.]+ s$/gm, 'N s').split('\n')).toEqual([
    'failed: nowhere.png: no such file or folder',
    'one.png 9x7 -> out/one_x4.png 36x28, N s',
    expect.stringMatching(/^failed: in\/broken.png: not a picture/),
    'in/deep/two.png 9x7 -> out/deep/two_x4.png 36x28, N s',
    '',
  ]);
  expect(await readPicture(join(folder, 'out/deep/two_x4.png'))).toEqual(await interpolation('bicubic')(picture));
});

test('a second run skips what is there, or overwrites if asked', async () => {
  const folder = temporaryFolder();
  await writePicture(join(folder, 'one.png'), picture);
  const args = ['upscale', 'one.png', '-o', 'large.png', '--model'];
  expect(await daybreak([...args, 'nearest'], folder)).toMatchObject({ code: 0 });
  expect(await daybreak([...args, 'bicubic'], folder)).toEqual({
    code: 0,
    stdout: '0 enlarged, 1 skipped, 0 failed; existing results are kept, use --overwrite to replace them\n',
    stderr: '',
  });
  expect(await readPicture(join(folder, 'large.png'))).toEqual(await interpolation('nearest')(picture));
  expect(await daybreak([...args, 'bicubic', '--overwrite'], folder)).toMatchObject({ code: 0 });
  expect(await readPicture(join(folder, 'large.png'))).toEqual(await interpolation('bicubic')(picture));
});

test('a method without training, by name and in threads; a wrong name lists it', async () => {
  const folder = temporaryFolder();
  await writePicture(join(folder, 'one.png'), picture);
  const args = ['upscale', 'one.png', '-o', 'large.png', '--overwrite', '--model'];
  for (const threads of ['1', '3']) {
    expect(await daybreak([...args, 'nedi', '--threads', threads], folder)).toMatchObject({ code: 0 });
    expect(await readPicture(join(folder, 'large.png'))).toEqual(await withoutTraining(NEDI)(picture));
  }
  const wrong = await daybreak([...args, 'neddy'], folder);
  expect(wrong).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/neddy: no such model file.* lanczos3, .*nedi/),
  });
});

test('Ctrl-C stops a method without training within a picture, in all its threads', async () => {
  const folder = temporaryFolder();
  await writePicture(join(folder, 'in/1.png'), picture);
  await writePicture(join(folder, 'in/2.png'), formulaPicture([700, 600, 1, 1]));
  const { child, ended } = start(['upscale', 'in', '-o', 'out', '--model', 'nedi', '--threads', '2'], folder);
  // The second picture takes many seconds.
  child.stderr?.on('data', (text: Buffer) => text.includes('in/1.png') && child.kill('SIGINT'));
  const { code, stdout, stderr } = await ended;
  expect([code, stdout]).toEqual([130, '1 enlarged, 0 skipped, 0 failed, 1 left: run the same command to continue\n']);
  expect(stderr).toMatch(/error: stopped by SIGINT\n$/);
});

test('a folder alone: what lies deeper is told of; names and formats as asked; names cannot control the terminal', async () => {
  const folder = temporaryFolder();
  await writePicture(join(folder, 'in/-\u001b[2J.png'), formulaPicture([3, 2, 3, 1]));
  await writePicture(join(folder, 'in/deep/b.png'), formulaPicture([3, 2, 3, 2]));
  const options = ['--name', '{model}.{name}', '--format', 'jpg', '--quality', '70', '--metadata', 'strip'];
  const ended = await daybreak(['upscale', 'in', '-o', 'out', '--model', 'nearest', ...options], folder);
  expect(ended).toMatchObject({ code: 0, stdout: '1 enlarged, 0 skipped, 0 failed\n' });
  expect(ended.stderr.split('\n').slice(0, 2)).toEqual([
    'note: in/deep contains pictures, too: use --recursive to include subfolders',
    expect.stringMatching(/^in\/-\\u\{1b\}\[2J\.png 3x2 -> out\/nearest\.-\\u\{1b\}\[2J\.jpg 12x8, /),
  ]);
  expect([...readFileSync(join(folder, 'out/nearest.-\u001b[2J.jpg')).subarray(0, 2)]).toEqual([0xff, 0xd8]);
});

test('a folder of what is not read says so', async () => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'in'));
  for (const name of ['a.heic', 'b.bmp']) writeFileSync(join(folder, 'in', name), '');
  const ended = await daybreak(['upscale', 'in', '-o', 'out', '--model', 'nearest'], folder);
  expect(ended).toMatchObject({
    code: 1,
    stdout: '0 enlarged, 0 skipped, 1 failed\n',
    stderr:
      'note: skipped 2 files: .bmp, .heic are not supported, convert them\nfailed: in: no pictures in this folder\n',
  });
});

test('what is called as a result is, where results go, is left out and told of', async () => {
  const folder = temporaryFolder();
  for (const name of ['a.png', 'a_x4.png', 'b_x4.png']) await writePicture(join(folder, name), picture);
  const ended = await daybreak(['upscale', '.', '-o', '.', '--model', 'nearest'], folder);
  expect(ended).toMatchObject({
    code: 0,
    stderr: 'note: skipped 2 files named like earlier results; use another -o to include them\n',
  });
});

test('the smallest picture, and a long strip', async () => {
  const folder = temporaryFolder();
  await writePicture(join(folder, 'in/dot.png'), formulaPicture([1, 1, 3, 1]));
  await writePicture(join(folder, 'in/strip.png'), formulaPicture([20_000, 10, 1, 1]));
  const args = ['upscale', 'in', '-o', 'out', '--model', 'nearest', '--max-pixels'];
  const ended = await daybreak([...args, '3200000'], folder);
  expect(ended).toMatchObject({ code: 0, stdout: '2 enlarged, 0 skipped, 0 failed\n' });
  expect(await readPicture(join(folder, 'out/strip_x4.png'))).toMatchObject({ width: 80_000, height: 40, channels: 1 });
  const refused = await daybreak([...args, '3199999', '--overwrite'], folder);
  expect(refused).toMatchObject({ code: 1, stdout: '1 enlarged, 0 skipped, 1 failed\n' });
  expect(refused.stderr).toContain(
    'failed: in/strip.png: its result of 80000x40 pixels exceeds the limit of 3199999: raise --max-pixels\n',
  );
});

test('a folder cannot become one file', async () => {
  const folder = temporaryFolder();
  await writePicture(join(folder, 'in/a.png'), picture);
  await writePicture(join(folder, 'in/b.png'), picture);
  const ended = await daybreak(['upscale', 'in', '-o', 'large.png', '--model', 'nearest'], folder);
  expect(ended).toEqual({
    code: 2,
    stdout: '',
    stderr: 'error: -o large.png is one file, but there are several pictures: use a folder\n',
  });
  expect(readdirSync(folder)).toEqual(['in']);
});

test('an output that cannot be written is told of before any work, in one line', async () => {
  const folder = temporaryFolder();
  for (const name of ['a.png', 'b.png']) await writePicture(join(folder, 'in', name), picture);
  writeFileSync(join(folder, 'file'), '');
  const upscale = (out: string) => daybreak(['upscale', 'in', '-o', out, '--model', 'nowhere.file'], folder);
  for (const out of ['file', 'file/deeper']) {
    const problem = `${out}: cannot be written: a parent is not a folder (ENOTDIR)`;
    expect(await upscale(out)).toEqual({ code: 1, stdout: '', stderr: `error: ${problem}\n` });
  }
  // No folder is made where it comes to nothing; no trace is left, nor stays of a process that was killed meanwhile.
  const dead = spawnSync(process.execPath, ['--version']).pid;
  const probe = temporaryPath(join(folder, 'daybreak-probe')).replace(/\d+(?=-[0-9a-f]{8}\.tmp$)/, `${dead}`);
  writeFileSync(probe, '.');
  expect((await upscale('new/out')).stderr).toMatch(/^error: nowhere\.file: no such model file/);
  expect(readdirSync(folder).sort()).toEqual(['file', 'in']);
});

test('a folder may be called as a picture is: where it exists, or by a slash', async () => {
  const folder = temporaryFolder();
  await writePicture(join(folder, 'a.png'), picture);
  mkdirSync(join(folder, 'there.png'));
  mkdirSync(join(folder, 'there.gif'));
  for (const out of ['there.png', 'there.gif', 'new.png/']) {
    const args = ['upscale', 'a.png', '-o', out, '--model', 'nearest', '--name', '{name}', '--format', 'tiff'];
    expect(await daybreak(args, folder)).toMatchObject({ code: 0, stdout: '1 enlarged, 0 skipped, 0 failed\n' });
    expect(readdirSync(join(folder, out))).toEqual(['a.tiff']);
  }
});

test.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)('%s stops between pictures with exit code %i and leaves whole files only', async (signal, code) => {
  const folder = temporaryFolder();
  const large = formulaPicture([90, 90, 3, 1]);
  const names = Array.from({ length: 16 }, (_, i) => `${String(i).padStart(2, '0')}.png`);
  mkdirSync(join(folder, 'in'));
  const bytes = await encodePng(large);
  for (const name of names) writeFileSync(join(folder, 'in', name), bytes);
  const args = ['upscale', 'in', '-o', 'out', '--model', 'lanczos3', '--name', '{name}'];
  const { child, ended } = start(args, folder);
  child.stderr?.once('data', () => child.kill(signal));
  const result = await ended;
  expect(result.code).toBe(code);
  expect(result.stderr).toContain('Stopping after this tile. Interrupt again to stop immediately.\n');
  expect(result.stderr).toMatch(new RegExp(`error: stopped by ${signal}\n$`));
  const written = readdirSync(join(folder, 'out')).sort();
  expect(written).toEqual(names.slice(0, written.length));
  expect(written.length).toBeLessThan(names.length);
  const rest = `${names.length - written.length} left: run the same command to continue`;
  expect(result.stdout).toBe(`${written.length} enlarged, 0 skipped, 0 failed, ${rest}\n`);
  const expected = Buffer.from(await encodePng(await interpolation('lanczos3')(large)));
  for (const name of written) expect(readFileSync(join(folder, 'out', name)).equals(expected)).toBe(true);
  // Once more: it goes on where it stopped.
  const again = await daybreak(args, folder);
  const left = names.length - written.length;
  expect(again).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(`^${left} enlarged, ${written.length} skipped`),
  });
  expect(readdirSync(join(folder, 'out')).sort()).toEqual(names);
});

test('what SIGKILL leaves of a result is gone once the result is there', async () => {
  const folder = temporaryFolder();
  // Noise of some size takes a while to reach the disk.
  await writePicture(join(folder, 'in/a.png'), formulaPicture([400, 400, 3, 1]));
  mkdirSync(join(folder, 'out'));
  const args = ['upscale', 'in', '-o', 'out', '--model', 'nearest', '--name', '{name}', '--overwrite'];
  const unfinished = () => readdirSync(join(folder, 'out')).filter(name => /^\.a\.png\..*\.tmp$/.test(name));
  for (let attempt = 0; attempt < 10 && unfinished().length === 0; attempt++) {
    const { child, ended } = start(args, folder);
    const timer = setInterval(() => {
      if (unfinished().length > 0) child.kill('SIGKILL');
    }, 1);
    await ended;
    clearInterval(timer);
  }
  expect(unfinished()).toHaveLength(1);
  expect(await daybreak(args, folder)).toMatchObject({ code: 0 });
  expect(readdirSync(join(folder, 'out'))).toEqual(['a.png']);
}, 60_000);

test('names at the limit of the file system, and one beyond it', async () => {
  const folder = temporaryFolder();
  // With _x4 before .png: 255 and 258 bytes.
  const [longest, longer] = [`${'漢'.repeat(81)}abcde`, `${'漢'.repeat(81)}abcdefgh`];
  for (const name of [longest, longer, 'z']) await writePicture(join(folder, 'in', `${name}.png`), picture);
  const { code, stdout, stderr } = await daybreak(['upscale', 'in', '-o', 'out', '--model', 'nearest'], folder);
  expect([code, stdout]).toEqual([1, '2 enlarged, 0 skipped, 1 failed\n']);
  expect(stderr.split('\n').filter(line => line.startsWith('failed: '))).toEqual([
    `failed: out/${longer}_x4.png: cannot be written: its name is too long for the file system (ENAMETOOLONG)`,
  ]);
  expect(readdirSync(join(folder, 'out')).sort()).toEqual(['z_x4.png', `${longest}_x4.png`]);
});

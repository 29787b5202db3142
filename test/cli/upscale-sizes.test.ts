/** `daybreak upscale`: results of any size, pictures through pipes, seamless textures. */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { decodeFile } from '../../image/codec.node.ts';
import { readPicture, writePicture } from '../../image/files.node.ts';
import { resize } from '../../image/resize.ts';
import { temporaryFolder } from '../eval/temporary.ts';
import { formulaPicture } from '../image/fixtures.ts';
import { BIN, daybreak, daybreakPiped } from './daybreak.ts';

const picture = formulaPicture([20, 10, 3, 1]);

/** A folder with the picture, as `in/a.png`, and one of other sides. */
async function folderOfTwo(): Promise<string> {
  const folder = temporaryFolder();
  await writePicture(join(folder, 'in/a.png'), picture);
  await writePicture(join(folder, 'in/b.png'), formulaPicture([40, 30, 3, 2]));
  return folder;
}

test.each([
  [['--scale', '2.5'], 'a_x2.5.png', { width: 50, height: 25 }],
  [['--width', '45'], 'a_w45.png', { width: 45, height: 23 }],
  [['--width', '30', '--height', '30', '--name', '{name}-{scale}'], 'a-30x30.png', { width: 30, height: 30 }],
] as const)('%j', async (options, name, size) => {
  const folder = await folderOfTwo();
  const ended = await daybreak(['upscale', 'in', '-o', 'out', '--model', 'bicubic', ...options], folder);
  expect(ended).toMatchObject({ code: 0, stdout: '2 enlarged, 0 skipped, 0 failed\n' });
  expect(await readPicture(join(folder, 'out', name))).toEqual(resize(picture, size));
});

test('results of a size are known by their names', async () => {
  const folder = await folderOfTwo();
  const again = ['upscale', 'in', '-o', 'in', '--model', 'nearest', '--height', '12'];
  expect((await daybreak(again, folder)).stdout).toContain('2 enlarged');
  expect((await daybreak(again, folder)).stdout).toContain('0 enlarged, 2 skipped');
});

test('more than four times, and sizes that contradict each other, are refused', async () => {
  const folder = await folderOfTwo();
  const upscale = (...options: string[]) =>
    daybreak(['upscale', 'in', '-o', 'out', '--model', 'nearest', ...options], folder);
  expect((await upscale('--scale', '4.01')).code).toBe(2);
  expect((await upscale('--scale', '2', '--width', '9')).stderr).toContain('cannot be combined');
  const ended = await upscale('--width', '100');
  expect(ended.code).toBe(1);
  expect(ended.stderr).toContain('a.png: 20x10 to 100x50 is more than 4 times as large');
  expect(readdirSync(join(folder, 'out'))).toEqual(['b_w100.png']);
});

test('a picture from standard input, its result to standard output', async () => {
  const folder = await folderOfTwo();
  const input = readFileSync(join(folder, 'in/a.png'));
  const args = ['upscale', '-', '--model', 'nearest'];
  const options = ['-o', '-', '--scale', '2'];
  const { status, stdout, stderr } = spawnSync(process.execPath, [BIN, ...args, ...options], { input });
  expect([status, stderr.toString().replace(/[\d.]+ s$/m, 'N s')]).toEqual([
    0,
    'standard input 20x10 -> standard output 40x20, N s\n1 enlarged, 0 skipped, 0 failed\n',
  ]);
  const { picture: result, format } = await decodeFile(stdout, 'stdout');
  expect([format, result]).toEqual(['png', resize(picture, 2, { method: 'nearest' })]);
  const piped = (...options: string[]) => daybreakPiped([...args, ...options], folder, input);
  for (const [format, written] of [
    ['webp', 'webp'],
    ['same', 'png'],
  ]) {
    const { bytes } = await piped('-o', '-', '--format', format);
    expect((await decodeFile(bytes, 'stdout')).format).toBe(written);
  }
  expect((await piped('-o', 'out')).code).toBe(0);
  expect(readdirSync(join(folder, 'out'))).toEqual(['stdin_x4.png']);
  expect((await piped('in/b.png', '-o', '-')).stderr).toContain('is one file, but there are several pictures');
  expect(readdirSync(folder).sort()).toEqual(['in', 'out']);
});

test('standard input that holds no picture', async () => {
  const run = (input: string) =>
    daybreakPiped(['upscale', '-', '-o', '-', '--model', 'nearest'], undefined, Buffer.from(input));
  expect((await run('')).stderr).toContain('failed: standard input: empty file');
  const { code, stdout, stderr } = await run('no picture');
  expect([code, stdout, stderr]).toEqual([
    1,
    '',
    expect.stringMatching(/^failed: standard input: not a picture.*\n0 enlarged, 0 skipped, 1 failed\n$/),
  ]);
});

test('--wrap: edges continue at the opposite edge', async () => {
  const folder = await folderOfTwo();
  const ended = await daybreak(['upscale', 'in/a.png', '-o', 'w.png', '--model', 'lanczos3', '--wrap'], folder);
  expect(ended.code).toBe(0);
  const expected = resize(picture, 4, { method: 'lanczos3', boundary: 'wrap' });
  expect(await readPicture(join(folder, 'w.png'))).toEqual(expected);
});

/** Files whose names are not valid UTF-8: each command skips them with one line. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { encodePng } from '#codec';
import { writePicture } from '../../image/files.node.ts';
import { temporaryFolder } from '../eval/temporary.ts';
import { formulaPicture } from '../image/fixtures.ts';
import { writeInvalidName } from '../invalid-name.ts';
import { daybreak } from './daybreak.ts';

const picture = formulaPicture([44, 40, 3, 1]);
const NOTE = 'skipped 1 file whose name is not valid UTF-8: rename it';

/** A folder `in` with a picture, and one that cannot be named; the reason if that is impossible here. */
async function folderWithBoth(): Promise<{ folder: string; problem: string | undefined }> {
  const folder = temporaryFolder();
  await writePicture(join(folder, 'in/a.png'), picture);
  return { folder, problem: writeInvalidName(join(folder, 'in'), await encodePng(picture)) };
}

test('upscale', async ({ skip }) => {
  const { folder, problem } = await folderWithBoth();
  skip(problem !== undefined, problem);
  const { code, stdout, stderr } = await daybreak(['upscale', 'in', '-o', 'out', '--model', 'nearest'], folder);
  expect([code, stdout]).toEqual([0, '1 enlarged, 0 skipped, 0 failed\n']);
  expect(stderr).toMatch(new RegExp(`^note: ${NOTE}\nin/a\\.png 44x40 -> [^\n]*\n$`));
  expect(readdirSync(join(folder, 'out'))).toEqual(['a_x4.png']);
});

test('eval', async ({ skip }) => {
  const { folder, problem } = await folderWithBoth();
  skip(problem !== undefined, problem);
  const { code, stderr } = await daybreak(['eval', '--data', 'in', '--model', 'nearest'], folder);
  expect([code, stderr]).toEqual([0, `note: in: ${NOTE}\n1/1 a\n`]);
});

test('train', async ({ skip }) => {
  const { folder, problem } = await folderWithBoth();
  skip(problem !== undefined, problem);
  const options = ['--batch', '1', '--crop', '32', '--channels', '4', '--blocks', '1', '--steps', '1', '--dry-run'];
  const args = ['train', 'srresnet', '--data', 'in', '--eval', 'in', '--out', 'run', ...options];
  const { code, stdout, stderr } = await daybreak(args, folder);
  expect(code, stderr).toBe(0);
  expect(stdout).toMatch(/^pictures +1 to train on/m);
  expect(stderr).toContain(`in: ${NOTE}\n`);
});

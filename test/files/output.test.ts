import { execFileSync } from 'node:child_process';
import { lstatSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { checkFile, writeText } from '../../files/output.node.ts';
import { temporaryFolder } from '../eval/temporary.ts';

test('a file is checked without a trace, and written with the folders above it', async () => {
  const folder = temporaryFolder();
  const file = join(folder, 'new/deep/scores.json');
  await checkFile(file);
  expect(readdirSync(folder)).toEqual([]);
  await writeText(file, 'one');
  await checkFile(file);
  expect(readFileSync(file, 'utf8')).toBe('one');
  await writeText(file, 'two');
  expect(readFileSync(file, 'utf8')).toBe('two');
});

test('what can be no file is named', async () => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'there'));
  await expect(checkFile(join(folder, 'there'))).rejects.toThrow('/there: cannot be written: it is a folder (EISDIR)');
  const long = join(folder, 'n'.repeat(300));
  await expect(checkFile(long)).rejects.toThrow('its name is too long for the file system (ENAMETOOLONG)');
});

test.skipIf(process.platform === 'win32')('a pipe is written to, and stays one', async () => {
  const pipe = join(temporaryFolder(), 'pipe');
  execFileSync('mkfifo', [pipe]);
  await checkFile(pipe);
  const [read] = await Promise.all([readFile(pipe, 'utf8'), writeText(pipe, 'scores')]);
  expect(read).toBe('scores');
  expect(lstatSync(pipe).isFIFO()).toBe(true);
});

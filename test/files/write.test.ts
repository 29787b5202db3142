import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { FileError } from '../../files/file-error.ts';
import { GrowingFile, writeAtomically } from '../../files/write.node.ts';
import { temporaryFolder } from '../eval/temporary.ts';

test('a failed write leaves the old content, and no temporary file', async () => {
  const folder = temporaryFolder();
  const path = join(folder, 'kept.txt');
  await writeAtomically(path, 'first');
  await expect(writeAtomically(join(path, 'below.txt'), 'x')).rejects.toThrow(FileError);
  expect(await readFile(path, 'utf8')).toBe('first');
  // A folder with content in the way: the rename fails after the temporary file was written.
  await mkdir(join(folder, 'taken', 'inside'), { recursive: true });
  await expect(writeAtomically(join(folder, 'taken'), Buffer.from('x'))).rejects.toThrow(/taken: cannot be written: /);
  expect((await readdir(folder)).filter(name => name.endsWith('.tmp'))).toEqual([]);
});

test('a FileError has the path as given, its message one printable line', () => {
  const error = new FileError('a\nb.json', 'cannot be written: the disk is full (ENOSPC)');
  expect(error.message).toBe('a\\u{a}b.json: cannot be written: the disk is full (ENOSPC)');
  expect(error).toMatchObject({ name: 'FileError', path: 'a\nb.json' });
});

test('a growing file is there when it is finished, and not before or if it never is', async () => {
  const folder = temporaryFolder();
  const path = join(folder, 'new', 'page.html');
  {
    await using file = await GrowingFile.create(path);
    await file.append('one, ');
    await file.append(new TextEncoder().encode('two'));
    expect((await readdir(join(folder, 'new'))).every(name => name.endsWith('.tmp'))).toBe(true);
    await file.finish();
  }
  expect(await readFile(path, 'utf8')).toBe('one, two');
  {
    await using file = await GrowingFile.create(path);
    await file.append('half');
  }
  expect(await readFile(path, 'utf8')).toBe('one, two');
  expect(await readdir(join(folder, 'new'))).toEqual(['page.html']);
  await expect(GrowingFile.create(join(path, 'below.html'))).rejects.toThrow(/below\.html: cannot be written: /);
});

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { listFolder } from '../../image/list-folder.node.ts';
import { temporaryFolder } from '../eval/temporary.ts';
import { invalidName, writeInvalidName } from '../invalid-name.ts';

const namesIn = async (folder: string) => {
  const { entries, undecodable } = await listFolder(folder);
  return [entries.map(({ name }) => name), undecodable.length];
};

test('a folder is listed in natural order, without hidden files', async () => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'below'));
  for (const name of ['img_10.png', 'img_2.PNG', 'b.jpeg', '.hidden.png', 'img_1.png']) {
    writeFileSync(join(folder, name), '');
  }
  expect(await namesIn(folder)).toEqual([['b.jpeg', 'below', 'img_1.png', 'img_2.PNG', 'img_10.png'], 0]);
  const nowhere = listFolder(join(folder, 'nowhere'));
  await expect(nowhere).rejects.toThrow(/nowhere: cannot list this folder: no such file or folder \(ENOENT\)/);
});

test('names that are not UTF-8 are told from those that hold the replacement character', async ({ skip }) => {
  const folder = temporaryFolder();
  const problem = writeInvalidName(folder);
  skip(problem !== undefined, problem);
  writeFileSync(join(folder, 'a.png'), '');
  expect(await namesIn(folder)).toEqual([['a.png'], 1]);
  writeFileSync(join(folder, invalidName.toString('utf8')), '');
  expect(await namesIn(folder)).toEqual([['a.png', '\ufffd.png'], 1]);
});

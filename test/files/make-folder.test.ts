import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { makeFolder } from '../../files/make-folder.node.ts';
import { writePicture } from '../../image/files.node.ts';
import { createPicture } from '../../image/picture.ts';
import { writeCheckpoint } from '../../train/run-folder/checkpoint-store.node.ts';
import { replaceFile } from '../../train/run-folder/replace-file.node.ts';
import { temporaryFolder } from '../eval/temporary.ts';

test('makeFolder makes what is missing, and leaves what is there', async () => {
  const folder = temporaryFolder();
  await Promise.all([makeFolder(join(folder, 'a/b/c')), makeFolder(join(folder, 'a/b/d'))]);
  expect(readdirSync(join(folder, 'a/b')).sort()).toEqual(['c', 'd']);
  writeFileSync(join(folder, 'a/b/c/kept'), '');
  await makeFolder(join(folder, 'a/b/c'));
  expect(readdirSync(join(folder, 'a/b/c'))).toEqual(['kept']);
  mkdirSync(join(folder, 'real'));
  symlinkSync(join(folder, 'real'), join(folder, 'link'));
  await makeFolder(join(folder, 'link/inside/'));
  expect(statSync(join(folder, 'real/inside')).isDirectory()).toBe(true);
});

test('makeFolder says what is in the way', async () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'file'), '');
  symlinkSync(join(folder, 'nowhere'), join(folder, 'dangling'));
  await expect(makeFolder(join(folder, 'file'))).rejects.toThrow('EEXIST');
  await expect(makeFolder(join(folder, 'file/below/it'))).rejects.toThrow('ENOTDIR');
  await expect(makeFolder(join(folder, 'dangling'))).rejects.toThrow('EEXIST');
  await expect(makeFolder(join(folder, 'n'.repeat(300), 'x'))).rejects.toThrow('ENAMETOOLONG');
});

// Node's own recursion never ends there.
test.runIf(process.platform === 'linux')('no writer hangs where the system makes no folder', async () => {
  await expect(makeFolder('/proc/daybreak/deep/er')).rejects.toThrow('ENOENT');
  await expect(makeFolder('/proc/self/daybreak')).rejects.toThrow('ENOENT');
  await expect(writePicture('/proc/daybreak/a.png', createPicture(1, 1, 1))).rejects.toThrow('cannot be written');
  await expect(replaceFile('/proc/daybreak/deep/a.json', '')).rejects.toThrow('cannot be written');
  await expect(writeCheckpoint('/proc/daybreak/deep/last', new Map())).rejects.toThrow('cannot be written');
});

test('nothing makes folders by the recursion of Node', () => {
  const root = fileURLToPath(new URL('../..', import.meta.url));
  const rooms = [
    'common',
    'files',
    'engine',
    'image',
    'kernels',
    'models',
    'eval',
    'mos',
    'train',
    'tune',
    'cli',
    'scripts',
    'bench',
    'examples',
  ];
  const files = rooms.flatMap(room =>
    readdirSync(join(root, room), { recursive: true, encoding: 'utf8' }).map(path => join(root, room, path)),
  );
  const sources = files.filter(path => /\.m?[jt]s$/.test(path) && !path.includes('node_modules'));
  expect(sources.length).toBeGreaterThan(100);
  const guilty = sources.filter(path => /mkdir(Sync)?\([^;]*recursive/.test(readFileSync(path, 'utf8')));
  expect(guilty.map(path => path.slice(root.length))).toEqual(['files/make-folder.node.ts']);
});

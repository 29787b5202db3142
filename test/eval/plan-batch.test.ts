import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { type BatchRequest, planBatch } from '../../eval/plan-batch.node.ts';
import { temporaryFolder } from './temporary.ts';

/** A folder with files of these names; what is in them does not matter here. */
function folderOf(...paths: string[]): string {
  const folder = temporaryFolder();
  for (const path of paths) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), '');
  }
  return folder;
}

/** The plan with paths relative to `folder`: "input > output", what was refused, what was left out. */
async function planned(folder: string, inputs: string[], out: string, more: Partial<BatchRequest> = {}) {
  const { jobs, refused, skippedFolders } = await planBatch({
    inputs: inputs.map(input => join(folder, input)),
    out: join(folder, out),
    model: 'net',
    ...more,
  });
  const short = (text: string) => text.replaceAll(`${folder}/`, '');
  return {
    jobs: jobs.map(({ input, output }) => short(`${input} > ${output}`)),
    refused: refused.map(error => short(error.message)),
    skippedFolders: skippedFolders.map(short),
  };
}

const recursive = { recursive: true };

test('files and folders; subfolders if asked for, with their tree', async () => {
  const paths = ['many/a.PNG.png', 'many/c.JPG', 'many/deep/er/b.png', 'many/.hidden.png', 'many/.git/d.png'];
  const folder = folderOf('one.png', 'many/notes.txt', 'many/.a_x4.png.1234.tmp', ...paths);
  const flat = ['one.png > out/one_x4.png', 'many/a.PNG.png > out/a.PNG_x4.png', 'many/c.JPG > out/c_x4.png'];
  expect(await planned(folder, ['one.png', 'many'], 'out')).toEqual({
    jobs: flat,
    refused: [],
    skippedFolders: ['many/deep/er'],
  });
  expect(await planned(folder, ['one.png', 'many'], 'out', recursive)).toEqual({
    jobs: [...flat, 'many/deep/er/b.png > out/deep/er/b_x4.png'],
    refused: [],
    skippedFolders: [],
  });
});

test('names by template, endings by format', async () => {
  const folder = folderOf('in/a.jpg', 'in/b.JPEG', 'in/{name}.png');
  const name = '{model}-{name}@{scale}';
  expect((await planned(folder, ['in'], 'out', { name, ending: '.jpg' })).jobs).toEqual([
    'in/{name}.png > out/net-{name}@4.jpg',
    'in/a.jpg > out/net-a@4.jpg',
    'in/b.JPEG > out/net-b@4.jpg',
  ]);
  expect((await planned(folder, ['in'], 'out', { ending: 'same' })).jobs).toEqual([
    'in/{name}.png > out/{name}_x4.png',
    'in/a.jpg > out/a_x4.jpg',
    'in/b.JPEG > out/b_x4.jpeg',
  ]);
  // The one picture may name its result.
  expect((await planned(folder, ['in/a.jpg'], 'new/large.png')).jobs).toEqual(['in/a.jpg > new/large.png']);
});

// Elsewhere a.png and a.PNG are often one file.
test.skipIf(process.platform !== 'linux')('pictures of one name get a result each', async () => {
  const folder = folderOf('in/a.png', 'in/a.PNG', 'in/A.png', 'in/a.jpg', 'in/b.png');
  expect((await planned(folder, ['in'], 'out')).jobs.sort()).toEqual([
    'in/A.png > out/A_x4.png',
    'in/a.PNG > out/a.PNG_x4.png',
    'in/a.jpg > out/a.jpg_x4.png',
    'in/a.png > out/a.png_x4.png',
    'in/b.png > out/b_x4.png',
  ]);
  // By a template of one's own they are refused, all but one.
  const { jobs, refused } = await planned(folder, ['in/a.png', 'in/a.jpg', 'in/a.png'], 'out', { name: 'big-{name}' });
  expect(jobs).toEqual(['in/a.png > out/big-a.png']);
  expect(refused).toEqual([
    'in/a.jpg: its result out/big-a.png is also the result of in/a.png: choose another -o or --name',
  ]);
});

test('results of an earlier run are not taken for pictures', async () => {
  const folder = folderOf('in/a.png', 'in/out/a_x4.png', 'in/b_x4.png', 'in/sub/c.png');
  // An output folder inside the input, the input itself, one above it, one by another way.
  expect((await planned(folder, ['in'], 'in/out', recursive)).jobs).toEqual([
    'in/a.png > in/out/a_x4.png',
    'in/b_x4.png > in/out/b_x4_x4.png',
    'in/sub/c.png > in/out/sub/c_x4.png',
  ]);
  expect((await planned(folder, ['in'], 'in')).jobs).toEqual(['in/a.png > in/a_x4.png']);
  expect((await planned(folder, ['in'], '.', recursive)).jobs).toHaveLength(4);
  symlinkSync(join(folder, 'in'), join(folder, 'way'));
  expect((await planned(folder, ['in'], 'way/out', recursive)).jobs).toHaveLength(3);
  expect((await planned(folder, ['in'], 'in/out')).skippedFolders).toEqual(['in/sub']);
});

test('no result replaces a picture', async () => {
  const folder = folderOf('a.png', 'a_x4.png', 'same.png');
  const bare = { name: '{name}' };
  expect((await planned(folder, ['same.png'], '.', bare)).refused).toEqual([
    'same.png: its result would replace it: choose another -o or --name',
  ]);
  expect(await planned(folder, ['a.png', 'a_x4.png'], '.')).toMatchObject({
    jobs: ['a_x4.png > a_x4_x4.png'],
    refused: ['a.png: its result a_x4.png is also an input: choose another -o or --name'],
  });
});

test('no result replaces a picture by another way: links to folders, to pictures, and from results', async () => {
  const folder = folderOf('orig/one.png', 'orig/two.png', 'out/file');
  symlinkSync(join(folder, 'orig'), join(folder, 'alias'));
  const bare = { name: '{name}' };
  const replaced = 'its result would replace it: choose another -o or --name';
  expect(await planned(folder, ['alias'], 'orig', bare)).toMatchObject({
    jobs: [],
    refused: [`alias/one.png: ${replaced}`, `alias/two.png: ${replaced}`],
  });
  expect((await planned(folder, ['orig'], 'alias', bare)).refused).toHaveLength(2);
  // The same pictures by two ways are enlarged once.
  expect((await planned(folder, ['alias', 'orig'], 'out')).jobs).toEqual([
    'alias/one.png > out/one_x4.png',
    'alias/two.png > out/two_x4.png',
  ]);
  symlinkSync(join(folder, 'orig/one.png'), join(folder, 'link.png'));
  expect(await planned(folder, ['link.png'], 'orig/one.png')).toMatchObject({
    jobs: [],
    refused: [`link.png: ${replaced}`],
  });
  symlinkSync(join(folder, 'orig/one.png'), join(folder, 'out/one.png'));
  expect((await planned(folder, ['orig'], 'out', bare)).jobs).toEqual(['orig/two.png > out/two.png']);
  expect((await planned(folder, ['link.png', 'orig/two.png'], 'orig', { name: 'one' })).refused).toEqual([
    `link.png: ${replaced}`,
    'orig/two.png: its result orig/one.png is also an input: choose another -o or --name',
  ]);
});

test('pictures of formats that are not read are told by their endings', async () => {
  const folder = folderOf('in/a.png', 'in/b.HEIC', 'in/notes.txt', 'in/deep/c.bmp', 'in/deep/d.heic', 'in/.e.bmp');
  const request = { inputs: [join(folder, 'in')], out: join(folder, 'out'), model: '' };
  expect((await planBatch(request)).unread).toEqual(['.heic']);
  expect([...(await planBatch({ ...request, recursive: true })).unread].sort()).toEqual(['.bmp', '.heic', '.heic']);
});

test('what cannot be done is refused, one line each', async () => {
  const folder = folderOf('a.png', 'other/b.png');
  mkdirSync(join(folder, 'empty'));
  const plan = await planned(folder, ['a.png', 'other', 'a.png', 'empty', 'no\nwhere.png'], 'out');
  expect(plan.jobs).toEqual(['a.png > out/a_x4.png', 'other/b.png > out/b_x4.png']);
  expect(plan.refused).toEqual(['empty: no pictures in this folder', 'no\\u{a}where.png: no such file or folder']);
});

test('links: to files they are read, to folders not followed, to nothing told of later; no way round in circles', async () => {
  const folder = folderOf('elsewhere/x.png', 'in/sub/a.png');
  symlinkSync(join(folder, 'in'), join(folder, 'in/sub/loop'));
  symlinkSync(join(folder, 'elsewhere'), join(folder, 'in/away'));
  symlinkSync(join(folder, 'elsewhere/x.png'), join(folder, 'in/sub/link.png'));
  symlinkSync(join(folder, 'nowhere'), join(folder, 'in/sub/broken.png'));
  symlinkSync(join(folder, 'elsewhere'), join(folder, 'in/sub/folder.png'));
  expect(await planned(folder, ['in'], 'out', recursive)).toEqual({
    jobs: ['a', 'broken', 'link'].map(name => `in/sub/${name}.png > out/sub/${name}_x4.png`),
    refused: [],
    skippedFolders: [],
  });
  // A folder that was named is entered by whatever way.
  expect((await planned(folder, ['in/away'], 'out')).jobs).toEqual(['in/away/x.png > out/x_x4.png']);
});

test('results do not leave the output folder by a link in it', async () => {
  const folder = folderOf('in/a.png', 'in/sub/b.png', 'in/deep/er/c.png', 'elsewhere/file', 'real/deep/file');
  symlinkSync(join(folder, 'real'), join(folder, 'out'));
  symlinkSync(join(folder, 'elsewhere'), join(folder, 'out/sub'));
  const { jobs, refused } = await planned(folder, ['in'], 'out', recursive);
  expect(jobs).toEqual(['in/a.png > out/a_x4.png', 'in/deep/er/c.png > out/deep/er/c_x4.png']);
  expect(refused).toEqual(['in/sub/b.png: its result would be outside of out: out/sub is a link']);
});

test.skipIf(process.platform === 'win32')('what might never end is not read', async () => {
  const folder = folderOf('in/a.png');
  execFileSync('mkfifo', [join(folder, 'in/pipe.png')]);
  symlinkSync('/dev/zero', join(folder, 'in/zero.png'));
  const plan = await planned(folder, ['in', 'in/zero.png', '/dev/zero'.slice(1)], 'out');
  expect(plan.jobs).toEqual(['in/a.png > out/a_x4.png']);
  const problem = 'is neither a file nor a folder (a pipe, a device or a socket?)';
  expect(plan.refused.slice(0, 2).sort()).toEqual([`in/pipe.png: ${problem}`, `in/zero.png: ${problem}`]);
});

test('names that look like options or like nothing are names', async () => {
  const names = ['-r.png', '--help.png', ' .png', '%00.png', 'a b\n.png', `${'n'.repeat(200)}.png`];
  const folder = folderOf(...names.map(name => `in/${name}`));
  const { jobs, refused } = await planned(folder, ['in'], 'out');
  expect(refused).toEqual([]);
  expect(new Set(jobs)).toEqual(new Set(names.map(name => `in/${name} > out/${name.replace(/\.png$/, '_x4.png')}`)));
});

import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { OutOfMemoryError } from '../../engine/errors.ts';
import { type BatchOptions, type Outcome, planBatch, upscaleFiles } from '../../eval/batch.node.ts';
import { interpolation, type Method, network } from '../../eval/methods.ts';
import { readPicture, writePicture } from '../../image/files.node.ts';
import { formulaPicture } from '../image/fixtures.ts';
import { fakeUpscaler } from './fake-upscaler.ts';
import { temporaryFolder } from './temporary.ts';

const picture = formulaPicture([6, 5, 3, 1]);

/** A folder with small pictures at these paths. */
async function folderOf(...paths: string[]): Promise<string> {
  const folder = temporaryFolder();
  for (const path of paths) await writePicture(join(folder, path), picture);
  return folder;
}

/** The plan with paths relative to `folder`: "input > output", and what was refused. */
async function planned(folder: string, inputs: string[], out: string, suffix = '_x4') {
  const { jobs, refused } = await planBatch(
    inputs.map(input => join(folder, input)),
    join(folder, out),
    suffix,
  );
  const short = (text: string) => text.replaceAll(`${folder}/`, '');
  return {
    jobs: jobs.map(({ input, output }) => short(`${input} > ${output}`)),
    refused: refused.map(error => short(error.message)),
  };
}

test('files and folders, deep ones too, keep their tree', async () => {
  const folder = await folderOf('one.png', 'many/a.PNG.png', 'many/deep/er/b.png', 'many/.hidden.png');
  writeFileSync(join(folder, 'many/c.JPG'), '');
  writeFileSync(join(folder, 'many/notes.txt'), '');
  expect(await planned(folder, ['one.png', 'many'], 'out')).toEqual({
    jobs: [
      'one.png > out/one_x4.png',
      'many/a.PNG.png > out/a.PNG_x4.png',
      'many/c.JPG > out/c_x4.png',
      'many/deep/er/b.png > out/deep/er/b_x4.png',
    ],
    refused: [],
  });
});

test('one picture can name its result', async () => {
  const folder = await folderOf('one.png');
  expect((await planned(folder, ['one.png'], 'new/large.png')).jobs).toEqual(['one.png > new/large.png']);
});

test('results of an earlier run are not taken for pictures', async () => {
  const folder = await folderOf('in/a.png', 'in/out/a_x4.png', 'in/b_x4.png');
  // An output folder inside the input, the input itself, one above it.
  expect((await planned(folder, ['in'], 'in/out')).jobs).toEqual([
    'in/a.png > in/out/a_x4.png',
    'in/b_x4.png > in/out/b_x4_x4.png',
  ]);
  expect((await planned(folder, ['in'], 'in')).jobs).toEqual(['in/a.png > in/a_x4.png']);
  expect((await planned(folder, ['in'], '.')).jobs).toHaveLength(3);
});

test('what cannot be done is refused, one line each', async () => {
  const folder = await folderOf('a.png', 'other/a.png', 'same.png');
  mkdirSync(join(folder, 'empty'));
  const plan = await planned(folder, ['a.png', 'other', 'a.png', 'empty', 'nowhere.png'], 'out');
  expect(plan.jobs).toEqual(['a.png > out/a_x4.png']);
  expect(plan.refused).toEqual([
    'empty: no pictures (PNG or JPEG) in this folder',
    'nowhere.png: there is no such file or folder',
    'other/a.png: out/a_x4.png is the result of a.png already',
  ]);
  expect((await planned(folder, ['same.png'], '.', '')).refused).toEqual([
    'same.png: its result would replace it: choose another -o or suffix',
  ]);
});

/** Runs the batch of a folder into `out` beside it. */
async function run(folder: string, method: Method, options: BatchOptions = {}): Promise<Outcome[]> {
  const { jobs } = await planBatch([join(folder, 'in')], join(folder, 'out'), '');
  const outcomes: Outcome[] = [];
  for await (const outcome of upscaleFiles(jobs, method, options)) outcomes.push(outcome);
  return outcomes;
}

const said = (outcomes: Outcome[]) =>
  outcomes.map(one => (one.state === 'failed' ? `failed ${one.error.message.replace(/^.*\//, '')}` : one.state));

test('broken pictures fail, the others are enlarged', async () => {
  const folder = await folderOf('in/a.png', 'in/c.png');
  writeFileSync(join(folder, 'in/b.png'), 'no picture');
  const outcomes = await run(folder, network(fakeUpscaler()));
  expect(said(outcomes)).toEqual(['done', 'failed b.png: not a picture (PNG or JPEG)', 'done']);
  expect(outcomes[0]).toMatchObject({ from: '6x5', to: '24x20' });
  expect(await readPicture(join(folder, 'out/c.png'))).toEqual(await network(fakeUpscaler())(picture));
});

test('results that exist are kept, replaced or refused', async () => {
  const folder = await folderOf('in/a.png');
  const method = interpolation('nearest');
  const other = formulaPicture([3, 3, 1, 0]);
  const result = () => readPicture(join(folder, 'out/a.png'));
  await writePicture(join(folder, 'out/a.png'), other);
  expect(said(await run(folder, method))).toEqual([
    'failed a.png: exists already: --overwrite replaces, --skip-existing leaves it',
  ]);
  expect(said(await run(folder, method, { existing: 'skip' }))).toEqual(['skipped']);
  expect(await result()).toEqual(other);
  expect(said(await run(folder, method, { existing: 'overwrite' }))).toEqual(['done']);
  expect(await result()).toEqual(await method(picture));
});

test('too little memory for one picture concerns that picture alone, other errors end the batch', async () => {
  const folder = await folderOf('in/a.png', 'in/b.png');
  let calls = 0;
  const method: Method = async lr => {
    if (calls++ === 0) throw new OutOfMemoryError({ requested: 9, live: 0, peak: 0, budget: 1 });
    return await interpolation('nearest')(lr);
  };
  expect((await run(folder, method)).map(outcome => outcome.state)).toEqual(['failed', 'done']);
  await expect(
    run(folder, async () => {
      throw new TypeError('a defect');
    }),
  ).rejects.toThrow('a defect');
});

test('after an abort there are whole results or none', async () => {
  const folder = await folderOf('in/a.png', 'in/b.png', 'in/c.png');
  const controller = new AbortController();
  const running = run(folder, interpolation('nearest'), {
    signal: controller.signal,
    onStart: (_, index) => index === 1 && controller.abort(new Error('enough')),
  });
  await expect(running).rejects.toThrow('enough');
  expect(readdirSync(join(folder, 'out'))).toEqual(['a.png']);
});

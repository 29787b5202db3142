import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { OutOfMemoryError } from '../../engine/basics/errors.ts';
import { type BatchOptions, upscaleFiles } from '../../eval/batch.node.ts';
import type { Outcome } from '../../eval/job.ts';
import { interpolation, type Method, network } from '../../eval/methods.ts';
import { planBatch } from '../../eval/plan-batch.node.ts';
import { temporaryPath } from '../../files/temporary.node.ts';
import { openPicture, readPicture, savePicture, writePicture } from '../../image/files.node.ts';
import { DEFAULT_MAX_PIXELS } from '../../image/formats.ts';
import { createPicture, toSixteenBit } from '../../image/picture.ts';
import { formulaPicture } from '../image/fixtures.ts';
import { pngOf } from '../image/png-file.ts';
import { CAN_MOUNT, fillDisk, NO_MOUNT, smallDisk } from '../small-disk.ts';
import { fakeUpscaler, repeatingUpscaler } from './fake-upscaler.ts';
import { temporaryFolder } from './temporary.ts';

const picture = formulaPicture([6, 5, 3, 1]);
const nearest = interpolation('nearest');

/** A folder with small pictures at these paths. */
async function folderOf(...paths: string[]): Promise<string> {
  const folder = temporaryFolder();
  for (const path of paths) await writePicture(join(folder, path), picture);
  return folder;
}

/** Runs the batch of a folder's `in` into its `out`; what became of it is added to `outcomes` as it happens. */
async function run(folder: string, method: Method, options: BatchOptions = {}, outcomes: Outcome[] = []) {
  const { jobs } = await planBatch({
    inputs: [join(folder, 'in')],
    out: join(folder, 'out'),
    name: '{name}',
    model: '',
  });
  await upscaleFiles(jobs, method, { onOutcome: outcome => outcomes.push(outcome), ...options });
  return outcomes;
}

const said = (outcomes: Outcome[]) =>
  outcomes.map(one => (one.state === 'failed' ? `failed ${one.error.message.replace(/^.*\//, '')}` : one.state));

test('broken pictures fail, the others are enlarged, and each is told of in its turn', async () => {
  const folder = await folderOf('in/a.png', 'in/c.png');
  writeFileSync(join(folder, 'in/b.png'), 'no picture');
  const outcomes = await run(folder, network(fakeUpscaler(), { tile: 4 }));
  expect(said(outcomes)).toEqual(['done', expect.stringMatching(/^failed b.png: not a picture/), 'done']);
  expect(outcomes[0]).toMatchObject({
    from: '6x5',
    to: '24x20',
    tiling: { window: { width: 6, height: 5 }, count: 1 },
  });
  expect(await readPicture(join(folder, 'out/c.png'))).toEqual(await network(fakeUpscaler())(picture));
});

test('16 bit stay 16 bit, grey stays grey', async () => {
  const folder = temporaryFolder();
  const grey = toSixteenBit(formulaPicture([6, 5, 1, 1]));
  grey.data[3] = 12345;
  await savePicture(join(folder, 'in/grey.png'), grey);
  expect(said(await run(folder, network(repeatingUpscaler())))).toEqual(['done']);
  const { picture: result } = await openPicture(join(folder, 'out/grey.png'));
  expect(result).toEqual(await nearest(grey));
});

test('results that exist are kept or replaced', async () => {
  const folder = await folderOf('in/a.png');
  const other = formulaPicture([3, 3, 1, 0]);
  const result = () => readPicture(join(folder, 'out/a.png'));
  await writePicture(join(folder, 'out/a.png'), other);
  expect(said(await run(folder, nearest))).toEqual(['skipped']);
  expect(await result()).toEqual(other);
  expect(said(await run(folder, nearest, { overwrite: true }))).toEqual(['done']);
  expect(await result()).toEqual(await nearest(picture));
});

test('too little memory for one picture concerns that picture alone, other errors end the batch', async () => {
  const folder = await folderOf('in/a.png', 'in/b.png', 'in/c.png');
  const failing = (at: number, error: Error): Method => {
    let calls = 0;
    return async (lr, control) => {
      if (calls++ === at) throw error;
      return await nearest(lr, control);
    };
  };
  const full = new OutOfMemoryError({ requested: 9, live: 0, peak: 0, budget: 1 });
  expect((await run(folder, failing(0, full))).map(({ state }) => state)).toEqual(['failed', 'done', 'done']);
  const outcomes: Outcome[] = [];
  const overwrite = { overwrite: true };
  await expect(run(folder, failing(1, new TypeError('a defect')), overwrite, outcomes)).rejects.toThrow('a defect');
  // What was enlarged before is written and told of all the same.
  expect(said(outcomes)).toEqual(['done']);
});

test('a limit on pixels holds for results, and keeps from decoding what would be larger', async () => {
  const folder = await folderOf('in/a.png');
  expect(said(await run(folder, nearest, { maxPixels: 479 }))).toEqual([
    'failed a.png: its result of 24x20 pixels exceeds the limit of 479: raise --max-pixels',
  ]);
  expect(said(await run(folder, nearest, { maxPixels: 480 }))).toEqual(['done']);
  // Its header alone is looked at: its pixels are no deflate.
  const bomb = pngOf({ width: 4096, height: 4096, depth: 8, type: 2 }, [], Buffer.from('nothing'));
  writeFileSync(join(folder, 'in/a.png'), bomb);
  expect(said(await run(folder, nearest, { overwrite: true }))).toEqual([
    `failed a.png: its result of 16384x16384 pixels exceeds the limit of ${DEFAULT_MAX_PIXELS}: raise --max-pixels`,
  ]);
});

test('what is too long for the format of its result is not enlarged', async () => {
  const folder = temporaryFolder();
  await savePicture(join(folder, 'strip.png'), formulaPicture([4096, 1, 3, 1]));
  const outcomes: Outcome[] = [];
  let calls = 0;
  const method: Method = async lr => {
    calls++;
    return await nearest(lr);
  };
  const jobs = ['webp', 'png'].map(ending => ({
    input: join(folder, 'strip.png'),
    output: join(folder, `large.${ending}`),
  }));
  await upscaleFiles(jobs, method, { onOutcome: outcome => outcomes.push(outcome) });
  expect(said(outcomes)).toEqual([
    'failed large.webp: 16384x4 exceeds the limit of WebP (16383 pixels per side): choose PNG or TIFF',
    'done',
  ]);
  expect(calls).toBe(1);
});

test('results that cannot be written fail one by one', async () => {
  const folder = await folderOf('in/a.png', 'in/b.png');
  writeFileSync(join(folder, 'out'), 'a file where the folder should be');
  expect(said(await run(folder, nearest))).toEqual([
    expect.stringMatching(/^failed a.png: cannot be written: a file is in the way \(EEXIST\)$/),
    expect.stringMatching(/^failed b.png: cannot be written/),
  ]);
});

test.skipIf(!CAN_MOUNT)(`a full disk ends the batch after the first result that finds no room${NO_MOUNT}`, async () => {
  const folder = smallDisk();
  for (const name of ['a', 'b', 'c', 'd']) await writePicture(join(folder, `in/${name}.png`), picture);
  let calls = 0;
  const method: Method = async lr => {
    if (++calls === 2) fillDisk(folder, 0);
    return await nearest(lr);
  };
  const outcomes: Outcome[] = [];
  // Nothing is left to be written behind: each result is known before the next picture is begun.
  const batch = run(folder, method, { bytesInFlight: 1 }, outcomes);
  await expect(batch).rejects.toThrow(
    `${join(folder, 'out/b.png')}: cannot write more results: the disk is full (ENOSPC); earlier results are kept`,
  );
  expect(said(outcomes)).toEqual(['done', 'failed b.png: cannot be written: the disk is full (ENOSPC)']);
  expect(calls).toBe(2);
  expect(readdirSync(join(folder, 'out'))).toEqual(['a.png']);
});

test('a result whose name is too long fails before the picture is enlarged, the others go on', async () => {
  const [long, longer] = [`${'ä'.repeat(125)}.png`, `${'ä'.repeat(126)}.png`];
  const folder = await folderOf('in/a.png', 'in/z.png', `in/${long}`);
  const options = { inputs: [join(folder, 'in')], model: '' };
  const { jobs } = await planBatch({ ...options, out: join(folder, 'out'), name: '{name}ä' });
  let calls = 0;
  const method: Method = async lr => {
    calls++;
    return await nearest(lr);
  };
  for (const [overwrite, expected] of [
    [false, 'done'],
    [false, 'skipped'],
    [true, 'done'],
  ] as const) {
    const outcomes: Outcome[] = [];
    await upscaleFiles(jobs, method, { overwrite, onOutcome: outcome => outcomes.push(outcome) });
    const failed = `failed ${longer}: cannot be written: its name is too long for the file system (ENAMETOOLONG)`;
    expect(said(outcomes).sort()).toEqual([expected, expected, failed].sort());
  }
  // The first of all finds no folder yet, in which a name could be too long.
  expect(calls).toBeLessThanOrEqual(5);
  expect(readdirSync(join(folder, 'out')).sort()).toEqual(['aä.png', 'zä.png']);
});

test('what killed processes left of the results is removed, what others are writing is not', async () => {
  const long = 'ö'.repeat(110);
  const folder = await folderOf('in/a.png', `in/deep/${long}.png`);
  const dead = await endedProcess();
  mkdirSync(join(folder, 'out/deep'), { recursive: true });
  /** A file of another process that is to become this one. */
  const leave = (path: string, process: number, idle = 0) => {
    const theirs = temporaryPath(join(folder, 'out', path)).replace(/\d+(?=-[0-9a-f]{8}\.tmp$)/, `${process}`);
    expect(theirs).toContain(`-${process}-`);
    writeFileSync(theirs, 'half');
    const then = Date.now() / 1000 - idle;
    utimesSync(theirs, then, then);
    return theirs;
  };
  const elsewhere = (path: string) => {
    const there = path.replace(/[0-9a-f]{8}(?=-\d+-[0-9a-f]{8}\.tmp$)/, '01234567');
    expect(there).not.toBe(path);
    renameSync(path, there);
    return there;
  };
  const gone = [
    leave('a.png', dead),
    leave(`deep/${long}.png`, dead),
    leave('a.png', process.ppid, 3700),
    elsewhere(leave('a.png', dead, 3700)),
  ];
  const kept = [
    leave('a.png', process.ppid),
    leave('a.png', process.pid),
    elsewhere(leave('a.png', dead)),
    leave('b.png', dead),
    leave('deep/a.png', dead),
    leave('aa.png', dead),
  ];
  const notes = join(folder, 'out/.a.png.notes.tmp');
  writeFileSync(notes, 'mine');
  const { jobs } = await planBatch({
    inputs: [join(folder, 'in')],
    out: join(folder, 'out'),
    name: '{name}',
    recursive: true,
    model: '',
  });
  const outcomes: Outcome[] = [];
  await upscaleFiles(jobs, nearest, { onOutcome: outcome => outcomes.push(outcome) });
  expect(said(outcomes)).toEqual(['done', 'done']);
  expect(gone.filter(path => existsSync(path))).toEqual([]);
  // Also where the result is there already.
  const late = leave('a.png', dead);
  await upscaleFiles(jobs, nearest, { onOutcome: outcome => outcomes.push(outcome) });
  expect(said(outcomes).slice(2)).toEqual(['skipped', 'skipped']);
  expect(existsSync(late)).toBe(false);
  expect([...kept, notes].filter(path => !existsSync(path))).toEqual([]);
});

/** The number of a process that lives no more. */
async function endedProcess(): Promise<number> {
  const child = spawn(process.execPath, ['--version'], { stdio: 'ignore' });
  await once(child, 'exit');
  return child.pid!;
}

test('a network that gives one colour, or no numbers, fails picture by picture', async () => {
  const folder = await folderOf('in/a.png');
  await writePicture(join(folder, 'in/flat.png'), createPicture(3, 2, 3));
  const broken = (value: number) => network(repeatingUpscaler(() => value));
  expect(said(await run(folder, broken(0)))).toEqual([
    expect.stringMatching(/^failed repeating: the result has only one colour, but the picture does not/),
    'done',
  ]);
  expect(said(await run(folder, broken(Number.NaN), { overwrite: true }))).toEqual(
    Array.from({ length: 2 }, () => expect.stringMatching(/^failed repeating: the result contains NaN or infinity/)),
  );
});

test('after an abort there are whole results or none, and none of a later picture', async () => {
  const folder = await folderOf('in/a.png', 'in/b.png', 'in/c.png');
  const controller = new AbortController();
  const outcomes: Outcome[] = [];
  const onStart: BatchOptions['onStart'] = (_, index) => index === 1 && controller.abort(new Error('enough'));
  await expect(run(folder, nearest, { signal: controller.signal, onStart }, outcomes)).rejects.toThrow('enough');
  expect(said(outcomes)).toEqual(['done']);
  expect(readdirSync(join(folder, 'out'))).toEqual(['a.png']);
});

test('the next picture is read, and the last one written, while one is enlarged', async () => {
  const folder = await folderOf('in/a.png', 'in/b.png', 'in/c.png');
  const outcomes: Outcome[] = [];
  // It waits for what can only happen beside it: that the picture before is written, and the one after read.
  const method: Method = async lr => {
    const index = calls++;
    while (outcomes.length < index) await new Promise(resolve => setTimeout(resolve, 1));
    if (index === 0) {
      await new Promise(resolve => setTimeout(resolve, 200));
      // The second is known already: it is enlarged although its file is damaged now.
      writeFileSync(join(folder, 'in/b.png'), 'damaged');
    }
    return await nearest(lr);
  };
  let calls = 0;
  expect(said(await run(folder, method, {}, outcomes))).toEqual(['done', 'done', 'done']);
});

test('with too many bytes in flight nothing is read ahead', async () => {
  const folder = await folderOf('in/a.png', 'in/b.png');
  const method: Method = async lr => {
    await new Promise(resolve => setTimeout(resolve, 50));
    writeFileSync(join(folder, 'in/b.png'), 'damaged');
    return await nearest(lr);
  };
  const outcomes = await run(folder, method, { bytesInFlight: 1 });
  expect(said(outcomes)).toEqual(['done', expect.stringMatching(/^failed b.png/)]);
  expect(readFileSync(join(folder, 'in/b.png'), 'utf8')).toBe('damaged');
});

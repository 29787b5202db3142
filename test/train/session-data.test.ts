/** Runs whose pictures change, move or are scored on, too: the same bytes, or a line that says why not. */
import { cpSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { writePicture } from '../../image/files.node.ts';
import { syntheticPicture } from '../../image/synthetic.ts';
import { ConfigError, PictureSourceError, RunFolderError } from '../../train/errors.ts';
import { dryRun } from '../../train/run/dry-run.node.ts';
import { type SessionOptions, startSession } from '../../train/run/session.node.ts';
import { readRunConfig } from '../../train/run-folder/folder.node.ts';
import { sharedDevice } from '../device.ts';
import { temporaryFolder } from '../eval/temporary.ts';
import { resumeRun } from './resume-run.ts';
import { checkpointsOf, SMALL, sessionConfig } from './small-training.ts';

const device = sharedDevice();
const home = process.cwd();
afterEach(() => process.chdir(home));

let folder: string;
let run: string;
beforeEach(async () => {
  folder = temporaryFolder();
  run = join(folder, 'my run');
  for (const i of [0, 1, 2])
    await writePicture(join(folder, 'photos', `img_${i}.png`), syntheticPicture(1, i, 32 + 4 * i));
});

const photo = (name: string) => join(folder, 'photos', name);
const anotherPicture = (name: string) => writePicture(photo(name), syntheticPicture(7, 7, 32));
const configOf = (more: Record<string, unknown> = {}) =>
  sessionConfig(run, { data: [join(folder, 'photos')], steps: 6, saveEvery: 3, ...more });

/** A session's options, and what it said. */
function listening(more: Partial<SessionOptions> = {}) {
  const lines: string[] = [];
  const options: SessionOptions = {
    device: device(),
    command: 'npx daybreak train …',
    onLine: line => lines.push(line),
    ...more,
  };
  return { lines, options };
}

const begun = (more: Record<string, unknown> = {}) => startSession(configOf(more), listening({ stopAfter: 2 }).options);
const resumed = async (changes: Record<string, unknown> = {}, more: Partial<SessionOptions> = {}) => {
  const { lines, options } = listening(more);
  await resumeRun(run, changes, options);
  return lines;
};

const CHANGES: readonly [string, () => unknown, string][] = [
  ['added', () => anotherPicture('img_9.png'), '1 new (img_9.png)'],
  ['removed', () => rmSync(photo('img_1.png')), '1 missing (img_1.png)'],
  ['edited', () => anotherPicture('img_1.png'), '1 changed (img_1.png)'],
  ['renamed', () => renameSync(photo('img_0.png'), photo('img_8.png')), '1 renamed (img_0.png to img_8.png)'],
  ['damaged', () => writeFileSync(photo('img_2.png'), 'nonsense'), '1 missing (img_2.png)'],
  [
    'exchanged',
    () => {
      renameSync(photo('img_0.png'), photo('aside'));
      renameSync(photo('img_1.png'), photo('img_0.png'));
      renameSync(photo('aside'), photo('img_1.png'));
    },
    '2 changed (img_0.png, img_1.png)',
  ],
  [
    'several at once',
    async () => {
      for (const name of ['a.png', 'b.png', 'c.png', 'd.png']) await anotherPicture(name);
      rmSync(photo('img_2.png'));
    },
    '4 new (a.png, b.png, c.png …), 1 missing (img_2.png)',
  ],
];

test.each([
  ...CHANGES.map(change => [...change, 1024] as const),
  // Streamed from a scratch file.
  [...CHANGES[2], 0] as const,
])('pictures %s: an error that names them; the run does not change', async (_, change, difference, dataBudget) => {
  await begun({ dataBudget });
  const before = [checkpointsOf(run), readFileSync(join(run, 'config.json'), 'utf8')];
  await change();
  const wanted =
    `--data: the pictures differ from those that this run was started with: ${difference}; restore them, pass their ` +
    `new folder with --resume --data DIR, or start another run from its weights with --init '${run}' --out NEW`;
  const resuming = resumed({ saveEvery: 2 });
  await expect(resuming).rejects.toThrow(ConfigError);
  await expect(resuming).rejects.toThrow(wanted);
  expect([checkpointsOf(run), readFileSync(join(run, 'config.json'), 'utf8')]).toEqual(before);
  const { options } = listening();
  await expect(dryRun(await readRunConfig(run), { ...options, resume: true })).rejects.toThrow(wanted);
});

test('a damaged picture that is skipped may be added or removed', async () => {
  writeFileSync(photo('broken.png'), 'nonsense');
  await begun();
  rmSync(photo('broken.png'));
  expect(await resumed()).toEqual([]);
});

test('pictures that threads read have the same record', async () => {
  await begun();
  const record = readFileSync(join(run, 'data.json'), 'utf8');
  const { loadTrainingPictures } = await import('../../train/pictures/pictures.node.ts');
  const { identitiesOf } = await import('../../train/pictures/identity.ts');
  using read = await loadTrainingPictures(configOf(), { threads: 2 });
  expect(JSON.parse(record).training.pictures).toEqual(identitiesOf(read.pictures));
});

test('moved pictures are an error with advice; with --data the run gives the bytes of the unbroken one', async () => {
  const unbroken = join(folder, 'unbroken');
  await startSession({ ...configOf(), out: unbroken }, listening().options);
  await begun();
  renameSync(join(folder, 'photos'), join(folder, 'elsewhere'));
  await expect(resumed()).rejects.toThrow(PictureSourceError);
  await expect(resumed()).rejects.toThrow(
    /; if the pictures were moved, pass their new folder with --resume --data DIR$/,
  );
  expect(await resumed({ data: [join(folder, 'elsewhere')] }, { stopAfter: 4 })).toEqual([]);
  // From then on they are where they were said to be.
  expect(await resumed()).toEqual([]);
  expect(checkpointsOf(run)).toEqual(checkpointsOf(unbroken));
});

test('pictures of two folders may be in one folder, but not in another order', async () => {
  const [a, b] = ['a', 'b'].map(name => join(folder, name));
  for (const [to, names] of [
    [a, ['img_0.png']],
    [b, ['img_1.png', 'img_2.png']],
  ] as const) {
    mkdirSync(to);
    for (const name of names) cpSync(photo(name), join(to, name));
  }
  await begun({ data: [a, b] });
  await expect(resumed({ data: [b, a] })).rejects.toThrow(
    /started with: the same pictures in another order; restore them/,
  );
  expect(await resumed({ data: [join(folder, 'photos')] })).toEqual([]);
});

test('resumed from another working directory, or as a copy, a run gives the same bytes', async () => {
  const unbroken = join(folder, 'unbroken');
  await startSession({ ...configOf(), out: unbroken }, listening().options);
  process.chdir(folder);
  await startSession({ ...configOf(), data: ['photos'], out: 'my run' }, listening({ stopAfter: 2 }).options);
  cpSync(run, join(folder, 'copies/one'), { recursive: true });
  mkdirSync(join(folder, 'other/photos'), { recursive: true });
  process.chdir(join(folder, 'other'));
  const { lines, options } = listening();
  await resumeRun('../my run', {}, options);
  await resumeRun('../copies/one', {}, options);
  expect(lines).toEqual([]);
  expect(checkpointsOf(run)).toEqual(checkpointsOf(unbroken));
  expect(checkpointsOf(join(folder, 'copies/one'))).toEqual(checkpointsOf(unbroken));
});

describe('a run of an earlier version', () => {
  /** Makes the run what it would have been before configurations had versions and pictures were recorded. */
  async function aged(): Promise<void> {
    await begun();
    rmSync(join(run, 'data.json'));
    const path = join(run, 'config.json');
    const { version: _, paths: __, ...options } = JSON.parse(readFileSync(path, 'utf8'));
    writeFileSync(path, JSON.stringify(options));
  }

  test('continues with a note, once, and is checked from then on', async () => {
    await aged();
    expect(await resumed({}, { stopAfter: 4 })).toEqual([
      'note: this run did not record its pictures; changes to them will be detected from now on',
    ]);
    expect(await resumed({}, { stopAfter: 5 })).toEqual([]);
    await anotherPicture('img_0.png');
    await expect(resumed()).rejects.toThrow(/1 changed \(img_0\.png\)/);
  });

  test('cannot change its folders', async () => {
    await aged();
    cpSync(join(folder, 'photos'), join(folder, 'copy'), { recursive: true });
    await expect(resumed({ data: [join(folder, 'copy')] })).rejects.toThrow(
      /^--data: cannot check whether these are the pictures of this run, because it did not record them: omit it/,
    );
  });
});

test('a damaged record is an error that explains its purpose', async () => {
  await begun();
  const path = join(run, 'data.json');
  const text = readFileSync(path, 'utf8');
  for (const damaged of ['{', text.replace('img_1', 'img_3'), '[]']) {
    writeFileSync(path, damaged);
    await expect(resumed()).rejects.toThrow(RunFolderError);
    await expect(resumed()).rejects.toThrow(`${path}: is damaged: it lists the pictures that the run was started with`);
  }
});

test('a run without a checkpoint takes the current pictures', async () => {
  await begun();
  rmSync(join(run, 'checkpoints', 'last'), { recursive: true });
  await anotherPicture('img_0.png');
  expect(await resumed({}, { stopAfter: 3 })).toEqual([]);
  await anotherPicture('img_1.png');
  await expect(resumed()).rejects.toThrow(/1 changed \(img_1\.png\)/);
});

describe('evaluation pictures', () => {
  const held = () => join(folder, 'held-out');
  beforeEach(async () => {
    for (const i of [0, 1]) await writePicture(join(held(), `h${i}.png`), syntheticPicture(9, i, 24));
  });

  test('that have changed are reported, and the run continues', async () => {
    await begun({ eval: [held()] });
    await writePicture(join(held(), 'h1.png'), syntheticPicture(9, 5, 24));
    const notes = (await resumed()).filter(line => line.startsWith('note'));
    expect(notes).toEqual([
      'note: --eval held-out: the pictures have changed: 1 changed (h1.png); earlier scores cannot be compared with new ones',
    ]);
    expect((await resumed()).filter(line => line.startsWith('note'))).toEqual([]);
  });

  test('that have moved are an error with advice', async () => {
    await begun({ eval: [held()] });
    renameSync(held(), join(folder, 'gone'));
    await expect(resumed()).rejects.toThrow(/; pass another set with --resume --eval DIR$/);
    await resumed({ eval: [join(folder, 'gone')] });
  });

  test('that are also trained on, under any name, give a warning', async () => {
    cpSync(photo('img_2.png'), join(held(), 'innocent.png'));
    const { lines, options } = listening({ stopAfter: 0 });
    await startSession(configOf({ eval: [held(), 'synthetic'] }), options);
    expect(lines).toEqual([
      'warning: --eval held-out: 1 of 3 pictures are also training pictures (innocent); their scores say little about other pictures',
    ]);
    const again = listening();
    await dryRun(sessionConfig(join(folder, 'new'), { data: [held()], eval: [held()] }), again.options);
    expect(again.lines).toEqual([
      expect.stringMatching(
        /^warning: --eval held-out: 3 of 3 pictures are also training pictures \(h0 and 2 more\); their/,
      ),
    ]);
  });

  test('that are different give no warning', async () => {
    const { lines, options } = listening({ stopAfter: 0 });
    await startSession(configOf({ eval: [held()], ...SMALL }), options);
    expect(lines).toEqual([]);
  });
});

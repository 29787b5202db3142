import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { openDataSet, readPairs } from '../../eval/dataset.node.ts';
import { interpolation } from '../../eval/methods.ts';
import { readPicture } from '../../image/files.node.ts';
import { findResults } from '../../mos/results-folder.node.ts';
import { examplesOf, itemsOf, presentationCount, presentationOrder, type Study } from '../../mos/study.ts';
import { openStudy, picturePath } from '../../mos/study-folder.node.ts';
import { defaultVersions, isLeftOut, PAPER_VERSIONS, paperVersion } from '../../mos/versions.ts';
import { PAIRS, setFolder } from '../eval/set-folder.ts';
import { temporaryFolder } from '../eval/temporary.ts';
import { SECRETS, smallStudy } from './small-study.ts';

test('a study holds every version of every picture, pixel for pixel', async () => {
  const { folder, study } = await smallStudy();
  const { study: opened, digest } = await openStudy(folder);
  expect(opened).toEqual(study);
  expect(digest).toMatch(/^[0-9a-f]{64}$/);
  expect(study.versions.map(({ label }) => label)).toEqual(['nearest', 'bicubic', 'original']);
  const pairs = [];
  for await (const pair of readPairs(await openDataSet(setFolder(PAIRS)))) pairs.push(pair);
  for (const { hr, lr, name } of pairs) {
    const { shown } = study.sets[0].pictures.find(picture => picture.name === name)!;
    expect(await readPicture(picturePath(folder, shown.original))).toEqual(hr);
    expect(await readPicture(picturePath(folder, shown.bicubic))).toEqual(await interpolation('bicubic')(lr));
  }
  const [low, high] = examplesOf(study);
  expect([low.score, high.score]).toEqual([1, 5]);
  expect(await readPicture(picturePath(folder, low.id))).toEqual(await interpolation('nearest')(pairs[0].lr));
  expect([itemsOf(study).length, presentationCount(study)]).toEqual([6, 7]);
});

test('neither names nor contents of the picture files say what they show', async () => {
  const { folder } = await smallStudy();
  for (const name of readdirSync(join(folder, 'pictures'))) {
    expect(name).toMatch(/^[0-9a-f]{32}\.png$/);
    const text = readFileSync(join(folder, 'pictures', name), 'latin1');
    for (const secret of SECRETS) expect(text).not.toContain(secret);
    expect(text).not.toMatch(/tEXt|iTXt|zTXt|eXIf|tIME/);
  }
});

test('without calibration pictures the examples are synthetic', async () => {
  const { study } = await smallStudy({ calibration: undefined, calibrationCount: 1 });
  expect(study.calibration).toMatchObject([{ name: 'synthetic 1', width: 256, height: 256 }]);
});

describe('a study that was touched is refused', () => {
  test.each([
    [
      'a picture that changed',
      (path: string) => writeFileSync(path, 'x'),
      /\.png: changed since the study was prepared/,
    ],
    ['a picture that is gone', (path: string) => rmSync(path), /\.png: missing/],
  ])('%s', async (_, touch, message) => {
    const { folder, study } = await smallStudy();
    touch(picturePath(folder, Object.keys(study.files)[3]));
    await expect(openStudy(folder)).rejects.toThrow(message);
  });

  test.each([
    ['no JSON', '{', 'study.json: damaged: no valid JSON'],
    ['no study', '{"version": 2}', 'study.json: damaged: version: '],
  ])('%s', async (_, text, message) => {
    const { folder } = await smallStudy();
    writeFileSync(join(folder, 'study.json'), text);
    await expect(openStudy(folder)).rejects.toThrow(message);
  });

  test('a folder without one', async () => {
    await expect(openStudy(temporaryFolder())).rejects.toThrow('holds no study (no study.json)');
    await expect(openStudy('/nowhere')).rejects.toThrow('cannot be read: no such file or folder');
  });
});

describe('results of other programs', () => {
  const names = ['baby', 'img_1', 'img_10', 'woman_HR'];

  test('are found by their names, with and without decoration', async () => {
    const folder = temporaryFolder();
    for (const name of [
      'babyx4.png',
      'img_1_x4_SwinIR.png',
      'img_10.png',
      'img_10_old.png',
      'woman_SRGAN-VGG54.png',
      'x.txt',
    ])
      writeFileSync(join(folder, name), '');
    expect(Object.fromEntries(await findResults(folder, names))).toEqual({
      baby: join(folder, 'babyx4.png'),
      img_1: join(folder, 'img_1_x4_SwinIR.png'),
      img_10: join(folder, 'img_10.png'),
      woman_HR: join(folder, 'woman_SRGAN-VGG54.png'),
    });
  });

  test('of two methods in one folder are refused', async () => {
    const folder = temporaryFolder();
    for (const name of ['baby_A.png', 'baby_B.png']) writeFileSync(join(folder, name), '');
    await expect(findResults(folder, names)).rejects.toThrow('several files for baby (baby_A.png, baby_B.png)');
  });

  test('become a version; missing ones and other sizes are refused, and nothing stays', async () => {
    const set = setFolder(PAIRS);
    const folder = temporaryFolder();
    copyFileSync(join(set, 'HR/baby.png'), join(folder, 'baby_x4_Other.png'));
    const results = [{ label: 'Other', folder }];
    await expect(smallStudy({ results })).rejects.toThrow('no result of 1 of 2 pictures');
    copyFileSync(join(set, 'LRx4/bird.png'), join(folder, 'bird.png'));
    await expect(smallStudy({ results })).rejects.toThrow(
      /bird: 14x14.*: expected 56x56|bird: .*the size of the original/,
    );
    copyFileSync(join(set, 'HR/bird.png'), join(folder, 'bird.png'));
    const { study } = await smallStudy({ results });
    expect(itemsOf(study).filter(({ version }) => version === 'Other').length).toBe(2);
    await expect(smallStudy({ results: [{ label: 'bicubic', folder }] })).rejects.toThrow(
      'two versions are called bicubic',
    );
    mkdirSync(join(folder, 'empty'));
    await expect(smallStudy({ results: [{ label: 'None', folder: join(folder, 'empty') }] })).rejects.toThrow(
      'holds no result',
    );
  });
});

test('an interrupted preparation leaves no study, and an occupied folder is not touched', async () => {
  const control = new AbortController();
  let stored = 0;
  const onPicture = () => ++stored === 3 && control.abort(new Error('enough'));
  const out = join(temporaryFolder(), 'study');
  const { prepareStudy } = await import('../../mos/prepare.node.ts');
  const content = {
    sets: [await openDataSet(setFolder(PAIRS))],
    methods: [{ label: 'a', source: 'a', method: interpolation('nearest') }],
  };
  await expect(prepareStudy(out, content, { signal: control.signal, onPicture })).rejects.toThrow('enough');
  expect(readdirSync(out)).toEqual([]);
  const { folder } = await prepareStudy(out, { ...content, calibrationCount: 0 });
  await expect(prepareStudy(folder, content)).rejects.toThrow('holds a study already');
  expect(existsSync(join(folder, 'study.json'))).toBe(true);
  await expect(smallStudy({ repeats: 4 })).rejects.toThrow('--repeats: expected at most 3, half of 6 pictures, got 4');
});

/** A study of `count` pictures in one version. */
const studyOf = (count: number, repeats: number, seed = 1): Study => {
  const id = (i: number) => i.toString(16).padStart(32, '0');
  const pictures = Array.from({ length: count }, (_, i) => ({
    name: `${i}`,
    width: 1,
    height: 1,
    shown: { a: id(i) },
  }));
  const sets = [{ name: 'set', pictures }];
  return { version: 1, id: '0', created: '', seed, repeats, versions: [], sets, calibration: [], files: {} };
};

describe('the order of a rater', () => {
  test('has every picture once, and the repeats a second time, far from the first', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 60 }), fc.nat(30), fc.nat(50), (count, wanted, rater) => {
        const repeats = Math.min(wanted, Math.floor(count / 2));
        const order = presentationOrder(studyOf(count, repeats), rater);
        expect(order.length).toBe(count + repeats);
        expect(new Set(order).size).toBe(count);
        for (const [place, id] of order.entries()) {
          const again = order.indexOf(id, place + 1);
          if (again >= 0) expect(again - place).toBeGreaterThanOrEqual(Math.ceil(count / 3));
        }
      }),
    );
  });

  test('is kept, and differs from rater to rater and with the seed', () => {
    const study = studyOf(100, 5);
    expect(presentationOrder(study, 1)).toEqual(presentationOrder(study, 1));
    expect(presentationOrder(study, 1)).not.toEqual(presentationOrder(study, 2));
    expect(presentationOrder(study, 1)).not.toEqual(presentationOrder(studyOf(100, 5, 2), 1));
  });

  test('puts every picture everywhere equally often', () => {
    const places = new Map<string, number>();
    const raters = 2000;
    for (let rater = 1; rater <= raters; rater++) {
      presentationOrder(studyOf(5, 0), rater).forEach((id, place) => {
        places.set(`${id} ${place}`, (places.get(`${id} ${place}`) ?? 0) + 1);
      });
    }
    // χ² with 16 degrees of freedom exceeds 39 once in a thousand times; the seed is fixed.
    const expected = raters / 5;
    const chi = [...places.values()].reduce((sum, seen) => sum + (seen - expected) ** 2 / expected, 0);
    expect([places.size, chi < 39]).toEqual([25, true]);
  });
});

describe('the paper’s versions', () => {
  test('are twelve, nine of them on BSD100, with the printed scores', () => {
    expect(PAPER_VERSIONS.length).toBe(12);
    expect(PAPER_VERSIONS.filter(({ name }) => isLeftOut(name, 'BSD100')).map(({ name }) => name)).toEqual([
      'SRResNet-VGG22',
      'SRGAN-MSE',
      'SRGAN-VGG22',
    ]);
    expect(isLeftOut('SRGAN-MSE', 'Set5')).toBe(false);
    expect(paperVersion('srgan-vgg54')?.mos).toEqual([3.58, 3.72, 3.56]);
    expect(paperVersion('mine')).toBeUndefined();
  });

  test('are chosen as far as they are at hand, and the missing ones are named', () => {
    const { methods, missing } = defaultVersions(['srgan', 'bicubic', 'lanczos3', 'nearest', 'srcnn', 'srgan-mse']);
    expect(methods).toEqual(['nearest', 'bicubic', 'srcnn', 'srgan-mse', 'srgan']);
    expect(missing).toEqual(
      [
        ['SRCNN', 'srcnn'],
        ['SelfExSR'],
        ['DRCN'],
        ['ESPCN'],
        ['SRResNet-MSE'],
        ['SRResNet-VGG22'],
        ['SRGAN-VGG22'],
        ['SRGAN-VGG54', 'srgan'],
      ].map(([name, standIn]) => ({ name, standIn })),
    );
  });
});

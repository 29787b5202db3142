import { expect, test } from 'vitest';
import { type Layout, layoutOf } from '../../eval/layout.ts';

/** The layout of these files, in folders that are listed as they come. */
function of(...files: string[]): Layout {
  const folders = files.flatMap(path => [...path.matchAll(/\//g)].map(({ index }) => path.slice(0, index + 1)));
  const layout = layoutOf([...new Set(folders), ...files.filter(path => !path.endsWith('/'))]);
  if ('several' in layout) throw new Error('several sets');
  return layout;
}

/** "HR <- LR" for each pair. */
const pairs = ({ entries }: Layout) => entries.map(({ hr, lr }) => `${hr} <- ${lr ?? 'made'}`);

const quiet = { strays: [], unread: [], notes: [] };

test.each([
  [['HR/a.png', 'LRx4/a.png'], 'HR/a.png <- LRx4/a.png', 'LRx4'],
  [['HR/a.png', 'LRx4/a.jpg', 'LRx2/a.png'], 'HR/a.png <- LRx4/a.jpg', 'LRx4'],
  [['HR/a.png', 'LRbicx4/a.png', 'LRbicx3/a.png'], 'HR/a.png <- LRbicx4/a.png', 'LRbicx4'],
  [['GTmod12/a.png', 'LRbicx4/a.png', 'original/a.png'], 'GTmod12/a.png <- LRbicx4/a.png', 'LRbicx4'],
  [['HR/baby.png', 'LRx4/babyx4.png'], 'HR/baby.png <- LRx4/babyx4.png', 'LRx4'],
  [['HR/0801.png', 'LR_bicubic/X4/0801x4.png'], 'HR/0801.png <- LR_bicubic/X4/0801x4.png', 'LR_bicubic/X4'],
  [
    ['HR/a.png', 'LR_bicubic/X2/ax2.png', 'LR_bicubic/X4/ax4.png'],
    'HR/a.png <- LR_bicubic/X4/ax4.png',
    'LR_bicubic/X4',
  ],
  [
    ['DIV2K_valid_HR/0801.png', 'DIV2K_valid_LR_bicubic/X4/0801x4.png'],
    'DIV2K_valid_HR/0801.png <- DIV2K_valid_LR_bicubic/X4/0801x4.png',
    'DIV2K_valid_LR_bicubic/X4',
  ],
  [['HR/baby_HR_x4.png', 'LRBIx4/baby_LRBI_x4.png'], 'HR/baby_HR_x4.png <- LRBIx4/baby_LRBI_x4.png', 'LRBIx4'],
  [['a.png', 'LRx4/a.png'], 'a.png <- LRx4/a.png', 'LRx4'],
  [['i_SRF_4_HR.png', 'i_SRF_4_LR.png'], 'i_SRF_4_HR.png <- i_SRF_4_LR.png', '*_LR beside the originals'],
  [
    ['image_SRF_4/i_SRF_4_HR.png', 'image_SRF_4/i_SRF_4_LR.png', 'image_SRF_2/i_SRF_2_HR.png'],
    'image_SRF_4/i_SRF_4_HR.png <- image_SRF_4/i_SRF_4_LR.png',
    '*_LR beside the originals',
  ],
  [['0801.png', '0801x4.png'], '0801.png <- 0801x4.png', '*x4 beside the originals'],
])('%j: %s', (files, pair, low) => {
  const layout = of(...files);
  expect(pairs(layout)).toEqual([pair]);
  expect(layout).toMatchObject({ low, ...quiet });
});

test.each([
  [['a.png', 'b.jpg', 'below/c.png']],
  [['img_1.png', 'img_1_b.png', 'x4.png', 'boxx4.png', 'ALPHA_HR.png', 'night_HRV.png']],
  [['photo_LR.png', 'photo_x4.png', 'a_bicubic.png']],
  [['HR/a.png', 'HR/b.png', 'elsewhere/c.png', 'top.txt']],
])('%j: originals, of which LR are made', ([...files]) => {
  const wanted = files.filter(path => !/below|elsewhere|top/.test(path));
  const layout = of(...files);
  expect(pairs(layout)).toEqual(wanted.map(path => `${path} <- made`));
  expect(layout).toMatchObject({ low: undefined, ...quiet });
});

test('results of other methods beside originals are left out, and told in one line', () => {
  const layout = of('i_1_HR.png', 'i_1_bicubic.png', 'i_1_SRCNN.png', 'i_1_x.png', 'i_2_HR.png', 'i_2_bicubic.png');
  expect(pairs(layout)).toEqual(['i_1_HR.png <- made', 'i_2_HR.png <- made']);
  expect(layout.notes).toEqual([
    'skipped 4 files named like results or LR of originals here (*_bicubic, *_SRCNN, *_x)',
  ]);
});

test('what this program made of the pictures beside is left out', () => {
  const layout = of('a.png', 'a_x4.png', 'a_compared.png', 'b.png', 'b_bicubic.png', 'b_LR.png');
  expect(pairs(layout)).toEqual(['a.png <- made', 'b.png <- made']);
  expect(layout.notes).toEqual([
    'skipped 4 files named like results or LR of originals here (*_LR, *_x4, *_compared, *_bicubic)',
  ]);
});

test('LR and results beside originals: each is scored from its own LR', () => {
  const layout = of('i_HR.png', 'i_LR.png', 'i_SelfExSR.png', 'k_HR.png', 'm_LR.png');
  expect(pairs(layout)).toEqual(['i_HR.png <- i_LR.png']);
  expect(layout.strays).toEqual([
    { file: 'k_HR.png', problem: 'the folder holds no picture named k_HR' },
    { file: 'm_LR.png', problem: 'there is no original named m_LR' },
  ]);
  expect(layout.notes).toEqual(['skipped 1 file named like results or LR of originals here (*_SelfExSR)']);
});

test('equal names come before names that are equal but for x4', () => {
  const layout = of('HR/boxx4.png', 'HR/box.png', 'LRx4/box.png', 'LRx4/boxx4.png');
  expect(pairs(layout)).toEqual(['HR/boxx4.png <- LRx4/boxx4.png', 'HR/box.png <- LRx4/box.png']);
});

test('a longer name than that of an original is no result of it where LR lie apart', () => {
  const layout = of(
    'HR/img_1.png',
    'HR/img_1_b.png',
    'HR/img_1_bicubic.png',
    'LRx4/img_1.png',
    'LRx4/img_1_bicubic.png',
  );
  expect(pairs(layout)).toEqual(['HR/img_1.png <- LRx4/img_1.png', 'HR/img_1_bicubic.png <- LRx4/img_1_bicubic.png']);
  expect(layout.strays).toEqual([{ file: 'HR/img_1_b.png', problem: 'LRx4 holds no picture named img_1_b' }]);
});

test('what has no other half, or another of its name, is a stray', () => {
  const layout = of('HR/a.jpg', 'HR/a.png', 'HR/b.png', 'LRx4/a.png', 'LRx4/cx4.png');
  expect(pairs(layout)).toEqual(['HR/a.jpg <- LRx4/a.png']);
  expect(layout.strays).toEqual([
    { file: 'HR/a.png', problem: 'skipped: a.jpg has the same name' },
    { file: 'HR/b.png', problem: 'LRx4 holds no picture named b' },
    { file: 'LRx4/cx4.png', problem: 'there is no original named cx4' },
  ]);
  expect(of('HR/a.png', 'LRx4/')).toMatchObject({ entries: [], strays: [{ file: 'HR/a.png' }] });
});

test('formats that are not read are counted, an LR not beside its original', () => {
  expect(of('HR/a.bmp', 'HR/b.png', 'LRx4/a.bmp', 'LRx4/b.png', 'LRx4/c.bmp').unread).toEqual([
    'HR/a.bmp',
    'LRx4/c.bmp',
  ]);
  expect(of('HR/baby.bmp', 'LRx4/babyx4.bmp')).toMatchObject({ entries: [], strays: [], unread: ['HR/baby.bmp'] });
});

test('pictures beside HR are not used, and told of in one line', () => {
  const layout = of('HR/a.png', 'LRx4/a.png', 'preview.png', 'old.bmp', 'readme.txt');
  expect(pairs(layout)).toEqual(['HR/a.png <- LRx4/a.png']);
  expect(layout.notes).toEqual(['2 pictures beside HR/ not used: the originals are those in it']);
  expect(of('hr/a.png', 'b.png').notes).toEqual(['1 picture beside hr/ not used: the originals are those in it']);
  // In other folders beside pictures there may be anything.
  expect(of('GT/a.png', 'b.png')).toMatchObject({ entries: [{ hr: 'b.png' }], ...quiet });
});

test('reports LR of another size or place', () => {
  const layout = of('HR/a.png', 'LRx2/a.png', 'LR/a.png');
  expect(pairs(layout)).toEqual(['HR/a.png <- made']);
  expect(layout.notes).toEqual(['LRx2, LR are not used: LR pictures are read from LRx4, LRbicx4 or LR_bicubic/X4']);
});

test('a folder with several sets asks for one', () => {
  expect(layoutOf(['D_train_HR/', 'D_train_HR/1.png', 'D_valid_HR/', 'D_valid_HR/2.png'])).toEqual({
    several: ['D_train_HR', 'D_valid_HR'],
  });
});

import { expect, test } from 'vitest';
import { scores } from '../../eval/protocols.ts';
import { createPicture, type Picture, toRgb } from '../../image/picture.ts';
import { formulaPicture } from '../image/fixtures.ts';

const noisy = (picture: Picture): Picture => ({ ...picture, data: picture.data.map(value => value ^ 3) });

test('a grey original: its own luma for matlab, three equal channels for paper', () => {
  const grey = formulaPicture([40, 32, 1, 1]);
  const other = noisy(grey);
  const asGrey = scores(other, grey);
  expect(scores(toRgb(other), grey)).toEqual(asGrey);
  const asColour = scores(toRgb(other), toRgb(grey));
  expect(asColour.psnr_paper).toBe(asGrey.psnr_paper);
  expect(asColour.ssim_paper).toBe(asGrey.ssim_paper);
  // Studio range shrinks differences by 219/255.
  expect(asColour.psnr - asGrey.psnr).toBeGreaterThan(0.5);
});

test('alpha counts nothing and a grey result for a colour original is repeated', () => {
  const original = formulaPicture([24, 24, 3, 9]);
  const clear = createPicture(
    24,
    24,
    4,
    new Uint8Array(24 * 24 * 4).map((_, i) => original.data[(i >> 2) * 3 + (i & 3)] ?? 0),
  );
  for (let i = 3; i < clear.data.length; i += 4) clear.data[i] = i;
  expect(scores(clear, original).psnr).toBe(Number.POSITIVE_INFINITY);
  const grey = formulaPicture([24, 24, 1, 2]);
  expect(scores(grey, original)).toEqual(scores(toRgb(grey), original));
});

test('unequal and too small pictures are refused in one line', () => {
  expect(() => scores(createPicture(24, 24, 3), createPicture(24, 25, 3))).toThrow('cannot score');
  expect(() => scores(createPicture(18, 24, 3), createPicture(18, 24, 3))).toThrow(
    'too small to score: expected at least 19x19',
  );
});

import { expect, test } from 'vitest';
import { createPicture } from '../../image/picture.ts';
import { pillowResize, pillowShrink } from '../../image/pillow.ts';
import { shrink } from '../../image/resize.ts';
import { formulaPicture } from './fixtures.ts';
import values from './pillow-values.json' with { type: 'json' };

/** Computed by Pillow 12.3.0 from the same pictures: `Image.resize(to, Image.BICUBIC)`, channels of RGBA one by one. */
test.each(values.map(one => [`${one.source} to ${one.to.join('x')}`, one] as const))('%s', (_, one) => {
  const [width, height] = one.to;
  const resized = pillowResize(formulaPicture(one.source as [number, number, 1 | 3 | 4, number]), width, height);
  expect([resized.width, resized.height]).toEqual(one.to);
  expect([...resized.data]).toEqual(one.data);
});

test('flat pictures stay flat, and values are clipped', () => {
  for (const level of [0, 1, 127, 254, 255]) {
    const flat = createPicture(12, 8, 3, new Uint8Array(12 * 8 * 3).fill(level));
    expect(new Set(pillowShrink(flat).data)).toEqual(new Set([level]));
  }
  const steps = createPicture(8, 1, 1, Uint8Array.of(0, 0, 0, 0, 255, 255, 255, 255));
  const { data } = pillowResize(steps, 32, 1);
  expect([Math.min(...data), Math.max(...data)]).toEqual([0, 255]);
});

test("it is not MATLAB's: taps beyond the edge are dropped, and rows come first", () => {
  const picture = formulaPicture([24, 20, 3, 4]);
  expect(pillowShrink(picture).data).not.toEqual(shrink(picture).data);
});

test('sides that are no positive integers are an error', () => {
  const picture = createPicture(6, 6, 1);
  expect(() => pillowShrink(picture, 4)).toThrow('picture: cannot resize 6x6 to 1.5x1.5');
  expect(() => pillowResize(picture, 0, 1)).toThrow('picture: cannot resize 6x6 to 0x1');
});

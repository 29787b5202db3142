import { expect, test } from 'vitest';
import { createPicture } from '../../image/picture.ts';
import { surround } from '../../image/surround.ts';
import { formulaPicture } from './fixtures.ts';

const row = (...data: number[]) => createPicture(data.length, 1, 1, Uint8Array.from(data));

test.each([
  ['symmetric', [3, 3, 2, 1, 1, 2, 3, 3, 2, 1, 1]],
  ['clamp', [1, 1, 1, 1, 1, 2, 3, 3, 3, 3, 3]],
  ['wrap', [3, 1, 2, 3, 1, 2, 3, 1, 2, 3, 1]],
] as const)('%s: what stands around a row, also farther away than it is long', (boundary, expected) => {
  const framed = surround(row(1, 2, 3), 4, boundary);
  expect([framed.width, framed.height]).toEqual([11, 9]);
  for (let y = 0; y < 9; y++) expect([...framed.data.subarray(11 * y, 11 * (y + 1))]).toEqual(expected);
});

test('pixels keep their channels and 16 bits', () => {
  const { data } = formulaPicture([3, 2, 4, 1]);
  const picture = createPicture(
    3,
    2,
    4,
    Uint16Array.from(data, value => value * 257),
  );
  const framed = surround(picture, 1, 'wrap');
  expect(framed.data.subarray(0, 4)).toEqual(picture.data.subarray(4 * 5));
  expect(framed.data.subarray(4 * (5 + 1), 4 * (5 + 4))).toEqual(picture.data.subarray(0, 12));
});

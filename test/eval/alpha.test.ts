import { expect, test } from 'vitest';
import { spreadColour } from '../../eval/alpha.ts';
import { interpolation } from '../../eval/methods.ts';
import { createPicture } from '../../image/picture.ts';
import { formulaPicture } from '../image/fixtures.ts';

const grey = (width: number, ...data: number[]) => createPicture(width, data.length / width, 1, Uint8Array.from(data));

test('hidden colours become the mean of their visible neighbours, ring by ring', () => {
  const colour = grey(5, 10, 99, 99, 99, 21);
  expect([...spreadColour(colour, grey(5, 255, 0, 0, 0, 1)).data]).toEqual([10, 10, 16, 21, 21]);
  const square = grey(3, 1, 2, 3, 4, 99, 6, 7, 8, 9);
  expect([...spreadColour(square, grey(3, 9, 9, 9, 9, 0, 9, 9, 9, 9)).data]).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

test('visible colours stay, and so does everything where all or nothing is visible', () => {
  const colour = formulaPicture([9, 8, 3, 1]);
  const alpha = formulaPicture([9, 8, 1, 7]);
  alpha.data.forEach((value, i) => {
    alpha.data[i] = value < 128 ? 0 : value;
  });
  const spread = spreadColour(colour, alpha);
  alpha.data.forEach((value, i) => {
    if (value > 0) expect(spread.data.subarray(3 * i, 3 * i + 3)).toEqual(colour.data.subarray(3 * i, 3 * i + 3));
  });
  expect(spreadColour(colour, createPicture(9, 8, 1))).toBe(colour);
  expect(spreadColour(colour, createPicture(9, 8, 1, new Uint8Array(72).fill(1)))).toBe(colour);
});

test('a bright shape on hidden black gets no dark fringe', async () => {
  const size = 12;
  const picture = createPicture(size, size, 4);
  for (let y = 3; y < 9; y++) {
    for (let x = 3; x < 9; x++) picture.data.set([240, 230, 220, 255], (y * size + x) * 4);
  }
  const { data } = await interpolation('bicubic')(picture);
  for (let i = 0; i < data.length; i += 4) expect([...data.subarray(i, i + 3)]).toEqual([240, 230, 220]);
  expect(data[3]).toBe(0);
  expect(data[(24 * 48 + 24) * 4 + 3]).toBe(255);
});

import { expect, test } from 'vitest';
import { median } from '../../common/median.ts';

test.each([
  [[5], 5],
  [[3, 1, 2], 2],
  [[10, 9, 2, 1], 5.5],
  [[100, 20, 3], 20],
])('of %j is %d, and the values stay in their order', (values, middle) => {
  const before = [...values];
  expect(median(values)).toBe(middle);
  expect(values).toEqual(before);
});

test('of nothing is NaN', () => {
  expect(median([])).toBeNaN();
});

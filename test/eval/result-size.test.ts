import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isNoLarger, isSameSize, ResultSizeError, resultSize, sizeMark } from '../../eval/result-size.ts';

test('sizes of results', () => {
  const from = { width: 41, height: 30 };
  expect(resultSize(from, { scale: 4 })).toEqual({ width: 164, height: 120 });
  expect(resultSize(from, { scale: 2.5 })).toEqual({ width: 103, height: 75 });
  expect(resultSize(from, { width: 82 })).toEqual({ width: 82, height: 60 });
  expect(resultSize(from, { height: 100 })).toEqual({ width: 137, height: 100 });
  expect(resultSize(from, { width: 10, height: 99 })).toEqual({ width: 10, height: 99 });
  expect(resultSize({ width: 1000, height: 1 }, { width: 10 })).toEqual({ width: 10, height: 1 });
});

test('no side becomes more than four times as long', () => {
  expect(() => resultSize({ width: 40, height: 24 }, { width: 161 })).toThrow(ResultSizeError);
  expect(() => resultSize({ width: 40, height: 24 }, { width: 40, height: 97 })).toThrow('40x24 to 40x97');
  const from = { width: 40, height: 24 };
  for (const size of [{ width: 160 }, { height: 96 }, { width: 160, height: 96 }, { width: 1, height: 96 }])
    expect(resultSize(from, size)).toMatchObject(size);
  for (const size of [{ height: 97 }, { width: 161, height: 1 }, { width: 1, height: 97 }])
    expect(() => resultSize(from, size)).toThrow(ResultSizeError);
  const side = fc.integer({ min: 1, max: 5000 });
  fc.assert(
    fc.property(side, side, side, (width, height, wanted) => {
      fc.pre(wanted <= 4 * width);
      const size = resultSize({ width, height }, { width: wanted });
      expect(size.width).toBe(wanted);
      expect(size.height).toBeLessThanOrEqual(4 * height);
      expect(Math.abs(size.height - (height * wanted) / width)).toBeLessThanOrEqual(size.height === 1 ? 1 : 0.5);
    }),
  );
});

test('sizes are compared side by side', () => {
  const from = { width: 4, height: 3 };
  const sizes = [
    [4, 3],
    [3, 2],
    [5, 3],
    [4, 4],
    [1, 3],
    [4, 1],
  ].map(([width, height]) => ({ width, height }));
  expect(sizes.map(size => isNoLarger(size, from))).toEqual([true, true, false, false, true, true]);
  expect(sizes.map(size => isSameSize(size, from))).toEqual([true, false, false, false, false, false]);
});

test('marks for names', () => {
  expect([{ scale: 4 }, { scale: 2.5 }, { width: 9 }, { height: 8 }, { width: 9, height: 8 }].map(sizeMark)).toEqual([
    'x4',
    'x2.5',
    'w9',
    'h8',
    '9x8',
  ]);
});

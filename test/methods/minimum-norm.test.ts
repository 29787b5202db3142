import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MinimumNorm } from '../../methods/minimum-norm.ts';

/** Solves for equations with these rows and right sides. */
function solve(rows: readonly (readonly number[])[], right: readonly number[]): number[] {
  const n = rows[0].length;
  const system = new MinimumNorm(n);
  for (const [k, row] of rows.entries()) {
    for (let i = 0; i < n; i++) {
      system.right[i] += row[i] * right[k];
      for (let j = 0; j < n; j++) system.gram[i * n + j] += row[i] * row[j];
    }
  }
  system.solve();
  return [...system.solution];
}

const row = fc.array(fc.integer({ min: -9, max: 9 }), { minLength: 4, maxLength: 4 });

test('the residual is orthogonal to every column, whatever the rank', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(row, fc.integer({ min: -9, max: 9 })), { minLength: 1, maxLength: 9 }), equations => {
      const rows = equations.map(([one]) => one);
      const right = equations.map(([, one]) => one);
      const x = solve(rows, right);
      for (let i = 0; i < 4; i++) {
        const along = rows.reduce((sum, one, k) => {
          return sum + one[i] * (one.reduce((value, c, j) => value + c * x[j], 0) - right[k]);
        }, 0);
        expect(Math.abs(along)).toBeLessThan(1e-5);
      }
    }),
  );
});

test('of many solutions the shortest: dependent unknowns share', () => {
  // x0 + x1 + x2 + x3 = 4 alone, and beside 2 x0 + 2 x1 = 2.
  expect(solve([[1, 1, 1, 1]], [4])).toEqual([1, 1, 1, 1].map(one => expect.closeTo(one, 12)));
  const both = solve(
    [
      [1, 1, 1, 1],
      [2, 2, 0, 0],
    ],
    [4, 2],
  );
  expect(both).toEqual([0.5, 0.5, 1.5, 1.5].map(one => expect.closeTo(one, 12)));
});

test('a direction of a share below 1e-10 counts as none, one above does not', () => {
  const twice = (small: number) =>
    solve(
      [
        [1, 0],
        [0, small],
      ],
      [1, small],
    );
  expect(twice(0.9e-5)).toEqual([expect.closeTo(1, 12), 0]);
  expect(twice(1.1e-5)).toEqual([expect.closeTo(1, 12), expect.closeTo(1, 9)]);
});

test('nothing gives zero', () => {
  expect(solve([[0, 0, 0, 0]], [7])).toEqual([0, 0, 0, 0]);
});

/** Shapes: broadcasting, axes, strides, and merging axes without changing what is read. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ShapeError } from '../../engine/basics/errors.ts';
import {
  broadcastShapes,
  broadcastStrides,
  checkShape,
  mergeAxes,
  normalizeAxes,
  type Shape,
  sizeOf,
  stridesOf,
} from '../../engine/basics/shape.ts';
import { grid, param, paramsDeclaration } from '../../engine/text/kernel.ts';

const dimension = fc.constantFrom(1, 1, 2, 3, 5);
const shape = fc.array(dimension, { maxLength: 4 });

/** Every index of a shape, in row-major order. */
function indicesOf(shape: Shape): number[][] {
  return shape.reduce<number[][]>(
    (all, size) => all.flatMap(index => Array.from({ length: size }, (_, i) => [...index, i])),
    [[]],
  );
}

const at = (index: readonly number[], strides: readonly number[]) =>
  index.reduce((sum, i, axis) => sum + i * strides[axis], 0);

test('strides walk the elements in order', () => {
  fc.assert(
    fc.property(shape, shape => {
      const strides = stridesOf(shape);
      expect(indicesOf(shape).map(index => at(index, strides))).toEqual(
        Array.from({ length: sizeOf(shape) }, (_, i) => i),
      );
    }),
    { seed: 1 },
  );
});

describe('broadcasting', () => {
  /** Two shapes that fit, by construction: some dimensions of a common one made 1, some outer ones left out. */
  const pair = fc
    .tuple(
      shape,
      fc.array(fc.tuple(fc.boolean(), fc.boolean()), { minLength: 4, maxLength: 4 }),
      fc.nat(4),
      fc.boolean(),
    )
    .map(([full, ones, short, first]) => {
      const left = full.map((size, axis) => (ones[axis][0] && !ones[axis][1] ? 1 : size));
      const right = full.map((size, axis) => (ones[axis][1] && !ones[axis][0] ? 1 : size));
      const missing = Math.min(short, full.length);
      const cut = right.slice(missing);
      const both = full.map((_, axis) => Math.max(left[axis], axis < missing ? 1 : right[axis]));
      return first ? ([cut, left, both] as const) : ([left, cut, both] as const);
    });

  test('of fitting shapes gives the larger of each dimension, either way round', () => {
    fc.assert(
      fc.property(pair, ([a, b, full]) => {
        expect(broadcastShapes('add', a, b)).toEqual(full);
        expect(broadcastShapes('add', b, a)).toEqual(full);
      }),
      { seed: 1 },
    );
  });

  test('strides read the element that NumPy reads', () => {
    fc.assert(
      fc.property(pair, ([a, , full]) => {
        const strides = broadcastStrides(a, full);
        const own = stridesOf(a);
        for (const index of indicesOf(full)) {
          const inner = index.slice(full.length - a.length).map((i, axis) => (a[axis] === 1 ? 0 : i));
          expect(at(index, strides)).toBe(at(inner, own));
        }
      }),
      { seed: 1 },
    );
  });

  test('of others is refused', () => {
    expect(() => broadcastShapes('add', [2, 3], [2, 4])).toThrow(ShapeError);
    expect(() => broadcastShapes('add', [2, 3], [3, 3])).toThrow('add: cannot broadcast [2, 3] with [3, 3].');
  });
});

describe('merging axes', () => {
  test('reads the same elements in the same order, over fewer axes', () => {
    fc.assert(
      fc.property(
        shape,
        fc.array(fc.array(fc.constantFrom(0, 1, 2, 3, 4), { minLength: 4, maxLength: 4 }), {
          minLength: 1,
          maxLength: 3,
        }),
        fc.boolean(),
        (shape, wild, contiguous) => {
          const strides = wild.map((some, o) =>
            contiguous || o > 0
              ? shape.map((_, axis) => stridesOf(shape)[axis] * (some[0] % 2))
              : some.slice(0, shape.length),
          );
          const merged = mergeAxes(shape, strides);
          expect(sizeOf(merged.shape)).toBe(sizeOf(shape));
          expect(merged.shape.length).toBeLessThanOrEqual(shape.length);
          expect(merged.shape.includes(1)).toBe(false);
          strides.forEach((original, o) => {
            const before = indicesOf(shape).map(index => at(index, original));
            const after = indicesOf(merged.shape).map(index => at(index, merged.strides[o]));
            expect(after).toEqual(before);
          });
        },
      ),
      { seed: 1, numRuns: 300 },
    );
  });

  test('makes one axis of contiguous operands, none of a single element', () => {
    expect(mergeAxes([2, 3, 5], [stridesOf([2, 3, 5])])).toEqual({ shape: [30], strides: [[1]] });
    expect(mergeAxes([1, 1], [[1, 1]])).toEqual({ shape: [], strides: [[]] });
    expect(mergeAxes([2, 3, 4, 5], [stridesOf([2, 3, 4, 5]), [0, 1, 0, 0]])).toEqual({
      shape: [2, 3, 20],
      strides: [
        [60, 20, 1],
        [0, 1, 0],
      ],
    });
  });
});

describe('axes', () => {
  test('count from either end, come out sorted, default to all', () => {
    expect(normalizeAxes('sum', undefined, 3)).toEqual([0, 1, 2]);
    expect(normalizeAxes('sum', [-1, 0], 3)).toEqual([0, 2]);
    expect(normalizeAxes('sum', [], 3)).toEqual([]);
    expect(normalizeAxes('sum', undefined, 0)).toEqual([]);
  });

  test('that do not exist or repeat are refused', () => {
    for (const axes of [[3], [-4], [0.5]]) expect(() => normalizeAxes('sum', axes, 3)).toThrow(/^sum: axis .* rank 3/);
    expect(() => normalizeAxes('sum', [1, -2], 3)).toThrow(/expected distinct axes/);
  });
});

test('dimensions are positive integers', () => {
  checkShape('tensor', []);
  checkShape('tensor', [1, 7]);
  for (const bad of [[0], [2, -1], [1.5], [Number.NaN], [Number.POSITIVE_INFINITY]])
    expect(() => checkShape('tensor', bad)).toThrow(ShapeError);
});

describe('grids', () => {
  test('have room for every workgroup within WebGPU’s limit, and waste less than a row', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 31 }), count => {
        const [x, y, z] = grid(count);
        expect(Math.max(x, y, z)).toBeLessThanOrEqual(65_535);
        expect(Math.min(x, y, z)).toBeGreaterThanOrEqual(1);
        expect(x * y * z).toBeGreaterThanOrEqual(count);
        expect(x * y * z - count).toBeLessThan(Math.max(y, 2));
      }),
      { seed: 1, examples: [[0], [1], [65_535], [65_536], [65_535 * 2 + 1]] },
    );
  });

  test('parameters lie in vectors of four', () => {
    expect([0, 3, 4, 10].map(param)).toEqual(['params[0].x', 'params[0].w', 'params[1].x', 'params[2].z']);
    expect(paramsDeclaration(2, 0)).toBe('');
    expect(paramsDeclaration(2, 5)).toContain('@binding(2) var<uniform> params: array<vec4<u32>, 2>');
  });
});

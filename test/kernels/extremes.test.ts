/**
 * NaN, infinities, zeros of both signs, denormal and largest numbers, ties and exact bounds: every elementwise operation
 * against its definition, eager and compiled; and gradients where several subgradients would do, with another weight for each
 * element of the sum.
 */
import { describe, expect, test } from 'vitest';
import { compile } from '../../engine/compile.ts';
import { type Tensor, tensor, tidy } from '../../engine/tensor.ts';
import * as ops from '../../kernels/index.ts';
import { sharedDevice, take, takeElements, takeOne } from '../device.ts';
import { slope as weightedSlope } from './slope.ts';
import { byName, specified } from './specified.ts';

sharedDevice();

const LARGEST = 3.4028234663852886e38;
const SMALLEST_NORMAL = 1.1754943508222875e-38;
const { NaN: NAN, POSITIVE_INFINITY: INF } = Number;
const EXTREMES = [NAN, INF, -INF, 0, -0, 1e-40, -1e-40, 1, -1, 0.5, -0.5, 2, -3, LARGEST, -LARGEST, 100, -100];

/** Every combination of `arity` extremes; of many inputs, a few thousand. */
function combinations(arity: number): number[][] {
  const some = arity <= 3 ? EXTREMES : [NAN, INF, -INF, 0, 1, -2];
  let all: number[][] = [[]];
  for (let i = 0; i < arity; i++) all = all.flatMap(head => some.map(value => [...head, value]));
  return all;
}

/** Whether float32 may give `got` for the float64 result `right`. Denormal numbers may be taken for 0, and results near the ends rounded. */
function isRight(got: number, right: number): boolean {
  if (Number.isNaN(right)) return Number.isNaN(got);
  if (Math.abs(right) >= LARGEST) return Math.abs(got) >= 0.999 * LARGEST && Math.sign(got) === Math.sign(right);
  if (Math.abs(right) < 10 * SMALLEST_NORMAL) return Math.abs(got) < 20 * SMALLEST_NORMAL;
  return Math.abs(got - right) <= 1e-5 * Math.abs(right) + 1e-37;
}

const isDenormal = (value: number): boolean => value !== 0 && Math.abs(value) < SMALLEST_NORMAL;

/** Inputs that an operation is not made for, and how exact it is beside 0. */
const BCE = {
  why: 'labels lie in [0, 1], and what is near a half is known to seven digits of that',
  fits: ([, label]: readonly number[]) => label >= 0 && label <= 1,
  near: 1e-7,
};
const DOMAINS: Readonly<Record<string, typeof BCE>> = { bceGradient: BCE };

const elementwise = specified.filter(({ operation }) => operation?.elementwise);

describe.each(byName(elementwise))('%s', (name, { samples, reference, call }) => {
  const { fits, near } = DOMAINS[name] ?? { fits: () => true, near: 0 };
  test('at extremes', async () => {
    // A number in the place of an input is an attribute too.
    const kinds = [...new Map(samples.map(sample => [JSON.stringify(sample.attributes), sample])).values()];
    for (const { inputs: given, attributes: some } of kinds) {
      const arity = given.length;
      const rows = combinations(arity).filter(fits);
      const columns = Array.from({ length: arity }, (_, i) => Float32Array.from(rows, row => row[i]));
      // Operations that stretch their input say so by their attributes: they have no extremes of their own.
      if ('shape' in some) continue;
      const body = (...inputs: Tensor[]) => [...call(inputs, some)];
      using compiled = compile(body);
      const shapes = columns.map(column => [column.length]);
      const exact = (of: readonly Float32Array[]) =>
        reference(
          of.map(column => Float64Array.from(column)),
          shapes,
          some,
        )[0];
      const right = exact(columns);
      const flushed = exact(columns.map(column => column.map(value => (isDenormal(value) ? 0 * value : value))));
      for (const way of ['eager', 'compiled']) {
        const [got] = await takeElements(
          tidy(() => {
            const inputs = columns.map(column => tensor(column));
            return way === 'eager' ? body(...inputs) : compiled(...inputs);
          }),
        );
        const wrong = rows.flatMap((row, i) =>
          isRight(got[i], right[i]) ||
          Math.abs(got[i] - right[i]) <= near ||
          (row.some(isDenormal) && isRight(got[i], flushed[i]))
            ? []
            : [`(${row.map(value => (Object.is(value, -0) ? '-0' : value)).join(', ')}): ${got[i]}, not ${right[i]}`],
        );
        expect(wrong.slice(0, 10), `${way} ${JSON.stringify(some)}`).toEqual([]);
      }
    }
  });
});

/** With weights that differ: 1, 2, 3 … */
const slope = (f: (x: Tensor) => Tensor, x: readonly number[], shape?: readonly number[]) =>
  weightedSlope(f, x, shape, i => i + 1);

describe('gradients at kinks and ties, each element weighted differently: PyTorch’s', () => {
  const zeros = Array.from({ length: 16 }, () => 0);
  const windows = (x: readonly number[], side: number) => (f: (x: Tensor) => Tensor) => slope(f, x, [1, 1, side, side]);
  const cases: readonly (readonly [name: string, f: (x: Tensor) => Tensor, x: number[], right: number[]])[] = [
    ['relu', ops.relu, [-1, -0, 0, 1, NAN], [0, 0, 0, 4, 5]],
    ['leakyRelu', x => ops.leakyRelu(x, 0.5), [-1, -0, 0, 1, NAN], [0.5, 1, 1.5, 4, 5]],
    ['abs', ops.abs, [-2, -0, 0, 2], [-1, 0, 0, 4]],
    ['sign', ops.sign, [-2, 0, 2], [0, 0, 0]],
    ['clamp at its bounds', x => ops.clamp(x, -0.5, 0.5), [-1, -0.5, 0, 0.5, 1], [0, 2, 3, 4, 0]],
    ['where', x => ops.where(x, ops.mul(x, 2), ops.mul(x, 3)), [0, 1, -0], [3, 4, 9]],
    ['pow 2', x => ops.pow(x, 2), [0, -3], [0, -12]],
    ['prelu', x => ops.prelu(x, tensor([0.5])), [-1, 0, 1], [0.5, 1, 3]],
    ['l1Loss of equals', x => ops.mul(ops.l1Loss(x, tensor([1, 5, 0])), 3), [1, 3, 4], [0, -1, 1]],
  ];
  test.each(cases)('%s', async (_, f, x, right) => {
    const got = [...(await slope(f, x))].map(value => value + 0);
    got.forEach((value, i) => {
      expect(value, `element ${i}`).toBeCloseTo(right[i], 5);
    });
  });

  test('infinite upstream gradients stop at a closed ReLU', async () => {
    const [gx, gw] = await take(
      tidy(() => {
        const x = tensor([-1, 2], [1, 2], { requiresGrad: true });
        const w = tensor([0.5, 0.5], [2], { requiresGrad: true });
        const upstream = tensor([INF, INF], [1, 2]);
        const loss = ops.sum(ops.mul(ops.relu(x), upstream));
        // The weight of the second channel, whose input is positive, gets 0 and not Infinity · 0.
        const other = ops.sum(ops.mul(ops.prelu(x, w), tensor([1, INF], [1, 2])));
        return [ops.grad(loss, [x])[0], ops.grad(other, [w])[0]];
      }),
    );
    expect([...gx]).toEqual([0, INF]);
    expect([...gw]).toEqual([-1, 0]);
  });

  test('maxPool2d: the first of equals, whole windows of zeros among them; the last NaN', async () => {
    const pooled = await windows(zeros, 4)(x => ops.maxPool2d(x, 2));
    expect([...pooled]).toEqual([1, 0, 2, 0, 0, 0, 0, 0, 3, 0, 4, 0, 0, 0, 0, 0]);
    const ties = [1, 7, 7, 7, 2, 7, 3, 3, 0, 0, 5, 5, 0, 0, 5, 5];
    expect([...(await windows(ties, 4)(x => ops.maxPool2d(x, 2)))]).toEqual([
      0, 1, 2, 0, 0, 0, 0, 0, 3, 0, 4, 0, 0, 0, 0, 0,
    ]);
    for (const at of [0, 1, 2, 3]) {
      const x = [1, 2, 3, 0].map((value, i) => (i === at ? NAN : value));
      expect(await takeOne(tidy(() => ops.maxPool2d(tensor(x, [1, 1, 2, 2]), 2))), `NaN at ${at}`).toEqual(
        Float32Array.of(NAN),
      );
      expect([...(await slope(y => ops.maxPool2d(y, 2), x, [1, 1, 2, 2]))]).toEqual(
        [0, 1, 2, 3].map(i => Number(i === at)),
      );
    }
    const two = await slope(y => ops.maxPool2d(y, 2), [NAN, 1, NAN, 5], [1, 1, 2, 2]);
    expect([...two]).toEqual([0, 0, 1, 0]);
    // Overlapping windows after a ReLU.
    const overlapping = await windows(zeros.slice(0, 9), 3)(x => ops.maxPool2d(ops.relu(x), 2, { stride: 1 }));
    expect([...overlapping]).toEqual(zeros.slice(0, 9));
    const first = await windows([0, 0, 0, 0, 1, 0, 0, 0, 0], 3)(x => ops.maxPool2d(ops.relu(x), 2, { stride: 1 }));
    expect([...first]).toEqual([0, 0, 0, 0, 10, 0, 0, 0, 0]);
  });
});

test('sums of infinities and NaN, short, long and shared by workgroups', async () => {
  for (const length of [5, 1000, 300_000]) {
    const sumOf = async (...heads: number[]) => {
      const x = new Float32Array(length).fill(1);
      x.set(heads, 2);
      return (await takeOne(tidy(() => ops.sum(tensor(x)))))[0];
    };
    expect([
      await sumOf(INF),
      await sumOf(-INF),
      await sumOf(INF, -INF),
      await sumOf(NAN),
      await sumOf(NAN, INF),
    ]).toEqual([INF, -INF, NAN, NAN, NAN]);
    expect(await sumOf(1)).toBe(length);
  }
});

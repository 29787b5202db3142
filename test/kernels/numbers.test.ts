/** Numbers that are given to operations: exact to the bit, whatever they are, and no pipeline each. */
import { describe, expect, test } from 'vitest';
import { apply } from '../../engine/apply.ts';
import { Philox } from '../../engine/basics/philox.ts';
import { f32 } from '../../engine/basics/shape.ts';
import { compile } from '../../engine/compile.ts';
import type { Operation } from '../../engine/graph/operation.ts';
import { type Tensor, tensor, tidy } from '../../engine/tensor.ts';
import { assembleElements } from '../../engine/text/assemble.ts';
import { output } from '../../engine/text/kernel.ts';
import { bitsOf } from '../../engine/text/literal.ts';
import { Numbers } from '../../engine/text/numbers.ts';
import * as ops from '../../kernels/index.ts';
import { batchNormTracking } from '../../kernels/networks/batch-norm.ts';
import { sharedDevice, takeOne } from '../device.ts';
import { noise, SEED } from './problems.ts';

const device = sharedDevice();

const INFINITY = Number.POSITIVE_INFINITY;
const NAN = Number.NaN;

type Way = readonly [string, (body: (...given: Tensor[]) => Tensor, ...given: Tensor[]) => Tensor];

const compiled =
  (baked: boolean) =>
  (body: (...given: Tensor[]) => Tensor, ...given: Tensor[]): Tensor => {
    using function_ = compile(body, { baked });
    return function_(...given);
  };

const WAYS: readonly Way[] = [
  ['uncompiled', (body, ...given) => body(...given)],
  ['compiled', compiled(true)],
  ['compiled, numbers as arguments', compiled(false)],
];

/** Float32 numbers of every kind: by their bits at random, and the ends of what there is. */
const KINDS: readonly number[] = (() => {
  const random = new Philox(SEED, 7);
  const bits = Uint32Array.from({ length: 60 }, () => random.uint32());
  const smallest = Uint32Array.from({ length: 20 }, () => random.uint32() >>> 9);
  const named = [0, -0, 1, -1, 0.1, 2 ** -126, 2 ** -149, -(2 ** -149), 2 ** -126 - 2 ** -149];
  const ends = [
    3.4028234663852886e38,
    -3.4028234663852886e38,
    INFINITY,
    -INFINITY,
    NAN,
    16777216,
    16777217,
    1e21,
    1e-7,
  ];
  const all = [...new Float32Array(bits.buffer), ...new Float32Array(smallest.buffer), ...named, ...ends];
  return all.map(value => (Number.isNaN(value) ? NAN : value));
})();

/** All of them from one kernel. */
const kinds: Operation<Record<never, never>> = {
  name: 'test.kinds',
  infer: () => [f32([KINDS.length])],
  lower({ baked }, traits) {
    const numbers = new Numbers(baked, { n: KINDS.length });
    const body = KINDS.map((value, i) => `if (index == ${i}) { result[${i}] = ${numbers.float(value)}; }`).join('\n');
    const parts = { name: 'kinds', reads: [], numbers, elements: KINDS.length, count: 'n', body };
    return { steps: [{ kernel: assembleElements(parts, traits), operands: [output(0)] }], scratch: [] };
  },
};

describe.each(WAYS)('%s', (_, run) => {
  const numbersOf = async (body: (x: Tensor) => Tensor, x: readonly number[]): Promise<number[]> => [
    ...(await takeOne(tidy(() => run(body, tensor(x))))),
  ];

  test('every float32 reaches a kernel to the bit', async () => {
    const got = await takeOne(tidy(() => run(x => apply(kinds, [x], {})[0], tensor([0]))));
    const bits = (values: Iterable<number>) => Array.from(values, bitsOf);
    expect(bits(got)).toEqual(bits(KINDS));
  });

  test.each([0, -0, 2 ** -149, INFINITY, -INFINITY, NAN, 3.4028234663852886e38])('fullLike %d', async value => {
    expect(await numbersOf(x => ops.fullLike(x, value), [1, 2])).toEqual([value, value]);
  });

  const values = [-INFINITY, -2, -0.5, 0, 0.5, 2, INFINITY, NAN];

  test.each([
    [
      'add',
      (x: Tensor) => ops.add(x, INFINITY),
      [NAN, INFINITY, INFINITY, INFINITY, INFINITY, INFINITY, INFINITY, NAN],
    ],
    [
      'sub',
      (x: Tensor) => ops.sub(x, INFINITY),
      [-INFINITY, -INFINITY, -INFINITY, -INFINITY, -INFINITY, -INFINITY, NAN, NAN],
    ],
    [
      'mul',
      (x: Tensor) => ops.mul(x, INFINITY),
      [-INFINITY, -INFINITY, -INFINITY, NAN, INFINITY, INFINITY, INFINITY, NAN],
    ],
    ['div', (x: Tensor) => ops.div(x, INFINITY), [NAN, -0, -0, 0, 0, 0, NAN, NAN]],
    [
      'div by 0',
      (x: Tensor) => ops.div(x, 0),
      [-INFINITY, -INFINITY, -INFINITY, NAN, INFINITY, INFINITY, INFINITY, NAN],
    ],
    [
      'div by -0',
      (x: Tensor) => ops.div(x, -0),
      [INFINITY, INFINITY, INFINITY, NAN, -INFINITY, -INFINITY, -INFINITY, NAN],
    ],
    [
      'div by zeros',
      (x: Tensor) => ops.div(x, ops.fullLike(x, 0)),
      [-INFINITY, -INFINITY, -INFINITY, NAN, INFINITY, INFINITY, INFINITY, NAN],
    ],
    ['mul by 0', (x: Tensor) => ops.mul(x, 0), [NAN, -0, -0, 0, 0, 0, NAN, NAN]],
    ['add 0 to -0', (x: Tensor) => ops.add(ops.mul(x, -0), 0), [NAN, 0, 0, 0, 0, 0, NAN, NAN]],
    ['add NaN', (x: Tensor) => ops.add(x, NAN), values.map(() => NAN)],
    ['clamp to [0, ∞]', (x: Tensor) => ops.clamp(x, 0, INFINITY), [0, 0, 0, 0, 0.5, 2, INFINITY, NAN]],
    ['clamp to [-∞, 0]', (x: Tensor) => ops.clamp(x, -INFINITY, 0), [-INFINITY, -2, -0.5, 0, 0, 0, 0, NAN]],
    ['clamp to [-∞, ∞]', (x: Tensor) => ops.clamp(x, -INFINITY, INFINITY), values],
    ['clamp to [NaN, 1]', (x: Tensor) => ops.clamp(x, NAN, 1), values.map(() => NAN)],
    ['clamp to [0, NaN]', (x: Tensor) => ops.clamp(x, 0, NAN), values.map(() => NAN)],
    ['clamp to [2, 1]', (x: Tensor) => ops.clamp(x, 2, 1), [1, 1, 1, 1, 1, 1, 1, NAN]],
    ['pow ∞', (x: Tensor) => ops.pow(x, INFINITY), [INFINITY, INFINITY, 0, 0, 0, INFINITY, INFINITY, NAN]],
    ['pow NaN', (x: Tensor) => ops.pow(ops.add(x, 1), NAN), [NAN, NAN, NAN, 1, NAN, NAN, NAN, NAN]],
    ['pad with -∞', (x: Tensor) => ops.pad(x, [[1, 1]], { value: -INFINITY }), [-INFINITY, ...values, -INFINITY]],
    ['pad with NaN', (x: Tensor) => ops.pad(x, [[1, 0]], { value: NAN }), [NAN, ...values]],
    ['pad with -0', (x: Tensor) => ops.pad(x, [[1, 0]], { value: -0 }), [-0, ...values]],
  ] as const)('%s', async (_, body, expected) => {
    expect(await numbersOf(body, values)).toEqual(expected);
  });

  test.each([
    ['[2, 1]', 2, 1, [0, 0, 0, 0, 0, 0]],
    ['[0, ∞]', 0, INFINITY, [0, 0, 1, 1, 1, 1]],
    ['[-∞, 0]', -INFINITY, 0, [1, 1, 1, 0, 0, 0]],
    ['[NaN, 1]', NAN, 1, [0, 0, 0, 0, 0, 0]],
    ['[-0.5, 0.5]', -0.5, 0.5, [0, 1, 1, 1, 0, 0]],
  ] as const)('the gradient of clamp to %s', async (_, min, max, expected) => {
    const slope = (x: Tensor) => ops.grad(ops.sum(ops.clamp(x, min, max)), [x])[0];
    const x = tensor([-2, -0.5, 0, 0.5, 1.5, INFINITY], [6], { requiresGrad: true });
    const got = await takeOne(tidy(() => run(slope, x)));
    x.dispose();
    expect([...got]).toEqual(expected);
  });

  describe('bit for bit what float32 gives', () => {
    const random = noise(1000, 77).map((value, i) => value * 10 ** ((i % 13) - 6));

    const expectExact = async (body: (x: Tensor) => Tensor, expected: (x: number) => number) => {
      const got = await numbersOf(body, [...random]);
      expect(got.filter((value, i) => !Object.is(value, expected(random[i])))).toEqual([]);
    };

    test.each([3, 7, 10, 0.1, 49, 1e-3, 12345.678, -3e38])('a division by %d', async divisor => {
      await expectExact(
        x => ops.div(x, divisor),
        x => Math.fround(x / Math.fround(divisor)),
      );
    });

    test.each([0.1, -7, 1e-3])('additions and products with %d', async value => {
      await expectExact(
        x => ops.add(x, value),
        x => Math.fround(x + Math.fround(value)),
      );
      await expectExact(
        x => ops.sub(x, value),
        x => Math.fround(x - Math.fround(value)),
      );
      await expectExact(
        x => ops.mul(x, value),
        x => Math.fround(x * Math.fround(value)),
      );
    });

    test.each([3, 49, 100])('means of %d numbers, and their gradients', async count => {
      // Sums of few numbers with few digits are exact.
      const whole = Array.from(noise(50 * count, 78), value => Math.round(value * 1000) / 64);
      const upstream = noise(50, 79);
      const body = (x: Tensor) => {
        const means = ops.mean(ops.reshape(x, [50, count]), { axes: [1] });
        const [slopes] = ops.grad(ops.sum(ops.mul(means, tensor(upstream))), [x]);
        return ops.concat([means, slopes]);
      };
      const x = tensor(whole, [50 * count], { requiresGrad: true });
      const got = [...(await takeOne(tidy(() => run(body, x))))];
      x.dispose();
      const sums = Array.from({ length: 50 }, (_, i) =>
        whole.slice(i * count, (i + 1) * count).reduce((a, b) => a + b),
      );
      const slopes = whole.map((_, i) => Math.fround(upstream[Math.floor(i / count)] / count));
      const expected = [...sums.map(total => Math.fround(total / count)), ...slopes];
      expect(got.filter((value, i) => value !== expected[i])).toEqual([]);
    });
  });
});

describe('pipelines do not multiply', () => {
  /** Pipelines that `count` calls make. */
  const made = (count: number, call: (i: number) => unknown): number => {
    const before = device().pipelineCount;
    for (let i = 1; i <= count; i++) tidy(() => void call(i));
    return device().pipelineCount - before;
  };

  const x = () => tensor([1, 2, 3]);

  test.each([
    ['add', i => ops.add(x(), i / 7)],
    ['sub', i => ops.sub(x(), i / 7)],
    ['mul', i => ops.mul(x(), i / 7)],
    ['div', i => ops.div(x(), i / 7)],
    ['clamp', i => ops.clamp(x(), -i / 7, i / 3)],
    ['leakyRelu', i => ops.leakyRelu(x(), i / 7)],
    ['pow', i => ops.pow(x(), i / 7)],
    ['fullLike', i => ops.fullLike(x(), i / 7)],
    ['pad', i => ops.pad(x(), [[1, 2]], { value: i / 7 })],
  ] as readonly (readonly [string, (i: number) => Tensor])[])('1,000 numbers through %s', (_, call) => {
    // Whole and broken exponents have texts of their own, and so have the smallest whole ones.
    expect(made(1000, call)).toBeLessThanOrEqual(20);
  });

  test('1,000 numbers through the statistics of batch norm', () => {
    const call = (i: number) => {
      const [image, ...channels] = [[2, 1, 2, 2], [1], [1], [1], [1]].map(shape =>
        tensor(new Float32Array(shape.reduce((a, b) => a * b)), shape),
      );
      const [weight, bias, mean, variance] = channels;
      return batchNormTracking(image, weight, bias, { mean, variance }, { eps: i / 1e6, momentum: i / 1001 });
    };
    expect(made(1000, call)).toBeLessThanOrEqual(20);
  });

  const ofShape = (...shape: number[]) => tensor(new Float32Array(shape.reduce((a, b) => a * b)), shape);

  test.each([
    ['mean', i => ops.mean(ofShape(i))],
    ['mean along rows', i => ops.mean(ofShape(3, i), { axes: [1] })],
    ['sum along columns', i => ops.sum(ofShape(i, 5), { axes: [0] })],
    ['elementwise', i => ops.add(ofShape(i), ofShape(1))],
    ['elementwise with broadcasting', i => ops.mul(ofShape(3, i), ofShape(3, 1))],
    ['the gradient of a mean', i => ops.grad(ops.mean(tensor(new Float32Array(i), [i], { requiresGrad: true })), [])],
  ] as readonly (readonly [string, (i: number) => unknown])[])('1,000 shapes: %s', (_, call) => {
    expect(made(1000, call)).toBeLessThanOrEqual(12);
  });
});

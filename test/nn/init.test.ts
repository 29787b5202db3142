/** Initial weights: distributions, closed forms, and the default source. */
import { describe, expect, test } from 'vitest';
import { Philox } from '../../engine/basics/philox.ts';
import { type Variable, variable } from '../../engine/variable.ts';
import { manualSeed } from '../../kernels/index.ts';
import { Conv2d, init, Linear } from '../../nn/index.ts';
import { sharedDevice } from '../device.ts';

sharedDevice();

const random = () => new Philox(3, 1);

async function filled(shape: readonly number[], fill: (target: Variable) => Variable): Promise<Float32Array> {
  using target = variable(new Float32Array(shape.reduce((a, b) => a * b, 1)), shape);
  expect(fill(target)).toBe(target);
  return await target.data();
}

const mean = (data: Float32Array) => data.reduce((a, b) => a + b, 0) / data.length;
const deviation = (data: Float32Array) => Math.sqrt(data.reduce((sum, x) => sum + x * x, 0) / data.length);
const largest = (data: Float32Array) => Math.max(...data.map(Math.abs));

describe('distributions', () => {
  // Fan-in 50 · 9, fan-out 20 · 9.
  const shape = [20, 50, 3, 3];
  const [fanIn, fanOut] = [450, 180];
  test.each([
    ['xavierUniform', t => init.xavierUniform(t, { random: random() }), Math.sqrt(2 / (fanIn + fanOut)), true],
    ['xavierNormal', t => init.xavierNormal(t, { random: random(), gain: 2 }), 2 * Math.sqrt(2 / 630), false],
    ['kaimingUniform', t => init.kaimingUniform(t, { random: random() }), Math.sqrt(2 / fanIn), true],
    [
      'kaimingNormal',
      t => init.kaimingNormal(t, { random: random(), mode: 'fanOut', nonlinearity: 'relu' }),
      Math.sqrt(2 / fanOut),
      false,
    ],
    ['kaimingUniform a', t => init.kaimingUniform(t, { random: random(), a: 2 }), Math.sqrt(2 / 5 / fanIn), true],
    ['uniform', t => init.uniform(t, -0.5, 0.5, { random: random() }), 1 / Math.sqrt(12), true],
    ['normal', t => init.normal(t, 0, 0.3, { random: random() }), 0.3, false],
  ] satisfies [string, (t: Variable) => Variable, number, boolean][])('%s', async (_, fill, expected, isUniform) => {
    const data = await filled(shape, fill);
    expect(deviation(data) / expected).toBeCloseTo(1, 1);
    expect(Math.abs(mean(data)) / expected).toBeLessThan(0.05);
    const bound = Math.sqrt(3) * expected;
    if (isUniform) expect(largest(data) / bound).toBeLessThanOrEqual(1 + 1e-6);
    expect(largest(data) / bound).toBeGreaterThan(isUniform ? 0.99 : 1.5);
  });

  test('a truncated normal stays within its bounds', async () => {
    const data = await filled([40, 50], t => init.truncNormal(t, { mean: 1, std: 2, a: 0, b: 2, random: random() }));
    expect(Math.min(...data)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...data)).toBeLessThanOrEqual(2);
    expect(mean(data)).toBeCloseTo(1, 1);
    await expect(filled([2], t => init.truncNormal(t, { a: 100, b: 101 }))).rejects.toThrow(/no values of mean 0/);
  });
});

test('constants, identity and Dirac kernels', async () => {
  expect([...(await filled([3], init.zeros))]).toEqual([0, 0, 0]);
  expect([...(await filled([3], init.ones))]).toEqual([1, 1, 1]);
  expect([...(await filled([2], t => init.constant(t, -2)))]).toEqual([-2, -2]);
  expect([...(await filled([2, 3], init.eye))]).toEqual([1, 0, 0, 0, 1, 0]);
  const dirac = await filled([4, 2, 3, 1], t => init.dirac(t, 2));
  // Outputs 0 and 2 take input 0, outputs 1 and 3 input 1, at the kernel's middle.
  expect([...dirac].flatMap((value, i) => (value === 0 ? [] : [[i, value]]))).toEqual([
    [1, 1],
    [10, 1],
    [13, 1],
    [22, 1],
  ]);
  await expect(filled([3], init.eye)).rejects.toThrow('init.eye: expected a matrix, got [3].');
  await expect(filled([3, 2, 2], t => init.dirac(t, 2))).rejects.toThrow('expected groups to divide 3, got 2');
});

test.each([
  [5, 8],
  [8, 5],
])('orthogonal %i×%i', async (rows, columns) => {
  const data = await filled([rows, columns], t => init.orthogonal(t, { gain: 2, random: random() }));
  const row = (i: number) => Array.from({ length: columns }, (_, j) => data[i * columns + j]);
  const column = (j: number) => Array.from({ length: rows }, (_, i) => data[i * columns + j]);
  const vectors = rows < columns ? Array.from({ length: rows }, (_, i) => row(i)) : [0, 1, 2, 3, 4].map(column);
  vectors.forEach((a, i) => {
    vectors.forEach((b, j) => {
      const product = a.reduce((sum, value, k) => sum + value * b[k], 0);
      expect(product).toBeCloseTo(i === j ? 4 : 0, 5);
    });
  });
});

test('gains', () => {
  expect(init.calculateGain('tanh')).toBe(5 / 3);
  expect(init.calculateGain('relu')).toBe(Math.SQRT2);
  expect(init.calculateGain('leakyRelu', 0.2)).toBeCloseTo(Math.sqrt(2 / 1.04), 12);
  expect(() => init.calculateGain('cube' as never)).toThrow(/unknown nonlinearity "cube"/);
});

test('layers start with PyTorch’s weights without being asked, the same in every run after a seed', async () => {
  const weightsOf = async () => {
    using layer = new Conv2d(3, 4, 3);
    using dense = new Linear(10, 5);
    return [...(await layer.stateDict()).values(), ...(await dense.stateDict()).values()].map(({ data }) => data);
  };
  manualSeed(7).dispose();
  const first = await weightsOf();
  const second = await weightsOf();
  manualSeed(7).dispose();
  expect(await weightsOf()).toEqual(first);
  expect(second).not.toEqual(first);
  for (const [i, bound] of [1 / Math.sqrt(27), 1 / Math.sqrt(27), 1 / Math.sqrt(10), 1 / Math.sqrt(10)].entries()) {
    expect(largest(first[i])).toBeLessThanOrEqual(bound);
    expect(largest(first[i])).toBeGreaterThan(0.3 * bound);
  }
  manualSeed(0).dispose();
});

/** Random numbers on the GPU: the words of the CPU's Philox, distributions, generators and their states, dropout's mask. */
import { beforeAll, describe, expect, test } from 'vitest';
import { ArgumentError } from '../../engine/basics/errors.ts';
import { Philox } from '../../engine/basics/philox.ts';
import { compile } from '../../engine/compile.ts';
import { type Tensor, tensor, tidy } from '../../engine/tensor.ts';
import { dropout, Generator, grad, manualSeed, mul, random, sum } from '../../kernels/index.ts';
import { sharedDevice, take, takeElements, takeOne } from '../device.ts';

sharedDevice();
// It stays for the whole file, as it would for a program.
beforeAll(() => void manualSeed(0));

const drawn = async (make: () => Tensor): Promise<number[]> => [...(await takeElements([tidy(make)]))[0]];

describe('words', () => {
  test.each([0, 5, 2 ** 32 + 17, 2 ** 53 - 1])('are those of Philox with seed %d, in order', async seed => {
    using generator = new Generator(seed);
    const philox = new Philox(seed);
    const expected = (count: number) => Array.from({ length: count }, () => philox.uint32());
    expect(await drawn(() => random.words([3, 4], { generator }))).toEqual(expected(12));
    // What is left of a block is not used.
    expect(await drawn(() => random.words([5], { generator }))).toEqual(expected(8).slice(0, 5));
    expect(await drawn(() => random.words([1], { generator }))).toEqual(expected(4).slice(0, 1));
  });

  test('of one call differ from those of the next, by the default generator too', async () => {
    const [first, second] = [await drawn(() => random.words([8])), await drawn(() => random.words([8]))];
    expect(second).not.toEqual(first);
    manualSeed(0);
    expect(await drawn(() => random.words([8]))).toEqual(first);
  });
});

describe('a generator', () => {
  test('continues from its state', async () => {
    using generator = new Generator(7);
    await drawn(() => random.uniform([10], { generator }));
    const state = await generator.getState();
    const next = await drawn(() => random.uniform([10], { generator }));
    using other = new Generator(1);
    other.setState(state);
    expect(await drawn(() => random.uniform([10], { generator: other }))).toEqual(next);
  });

  test('gives the same bits in compiled functions, new ones on each call, and by another seed others', async () => {
    using eager = new Generator(3);
    using traced = new Generator(3);
    const body = (generator: Generator) => (x: Tensor) => [
      dropout(x, { p: 0.3, generator }),
      random.uniform([3, 5], { low: -1, high: 2, generator }),
      random.normal([7], { mean: 1, std: 3, generator }),
      random.randint(-4, 9, [6], { generator }),
      random.bernoulli([9], { p: 0.4, generator }),
    ];
    const x = tensor(Array.from({ length: 30 }, (_, i) => i + 0.5));
    for (const baked of [true, false]) {
      using compiled = compile(body(traced), { baked });
      const calls: Float32Array[][] = [];
      for (let call = 0; call < 3; call++) {
        const expected = await take(tidy(() => body(eager)(x)));
        calls.push(await take(compiled(x)));
        expect(calls[call]).toEqual(expected);
      }
      expect(calls[1]).not.toEqual(calls[0]);
      traced.manualSeed(8);
      expect(await take(compiled(x))).not.toEqual(calls[0]);
      traced.manualSeed(3);
      eager.manualSeed(3);
    }
    x.dispose();
  });

  test('may be the default one for the first time in a compiled function', async () => {
    using compiled = compile(() => random.uniform([4]));
    manualSeed(2);
    const [first, second] = [await takeOne(compiled()), await takeOne(compiled())];
    expect(second).not.toEqual(first);
    manualSeed(2);
    expect(await takeOne(compiled())).toEqual(first);
  });
});

describe('distributions', () => {
  const COUNT = 40_000;
  const momentsOf = (numbers: readonly number[]) => {
    const mean = numbers.reduce((a, b) => a + b) / numbers.length;
    return { mean, deviation: Math.sqrt(numbers.reduce((a, b) => a + (b - mean) ** 2, 0) / numbers.length) };
  };

  test('uniform: multiples of 2⁻²⁴ in [0, 1)', async () => {
    using generator = new Generator(1);
    const numbers = await drawn(() => random.uniform([COUNT], { generator }));
    const { mean, deviation } = momentsOf(numbers);
    expect(numbers.every(value => value >= 0 && value < 1 && Number.isInteger(value * 2 ** 24))).toBe(true);
    expect(Math.abs(mean - 0.5)).toBeLessThan(0.01);
    expect(Math.abs(deviation - Math.sqrt(1 / 12))).toBeLessThan(0.01);
  });

  test('normal', async () => {
    using generator = new Generator(1);
    const numbers = await drawn(() => random.normal([COUNT], { mean: -2, std: 3, generator }));
    const { mean, deviation } = momentsOf(numbers);
    expect(Math.abs(mean + 2)).toBeLessThan(0.06);
    expect(Math.abs(deviation - 3)).toBeLessThan(0.06);
    const within = numbers.filter(value => Math.abs(value + 2) < 3).length / COUNT;
    expect(Math.abs(within - 0.6827)).toBeLessThan(0.01);
    const pairs = numbers.reduce((total, value, i) => (i % 2 ? total + (value + 2) * (numbers[i - 1] + 2) : total), 0);
    expect(Math.abs(pairs / (COUNT / 2) / 9)).toBeLessThan(0.03);
  });

  test('bernoulli and randint', async () => {
    using generator = new Generator(1);
    const flips = await drawn(() => random.bernoulli([COUNT], { p: 0.2, generator }));
    expect(new Set(flips)).toEqual(new Set([0, 1]));
    expect(Math.abs(momentsOf(flips).mean - 0.2)).toBeLessThan(0.01);
    expect(new Set(await drawn(() => random.bernoulli([99], { p: 0, generator })))).toEqual(new Set([0]));
    expect(new Set(await drawn(() => random.bernoulli([99], { p: 1, generator })))).toEqual(new Set([1]));
    const faces = await drawn(() => random.randint(-1, 4, [COUNT], { generator }));
    expect([...new Set(faces)].sort((a, b) => a - b)).toEqual([-1, 0, 1, 2, 3]);
    expect(Math.abs(momentsOf(faces).mean - 1)).toBeLessThan(0.03);
  });
});

describe('dropout', () => {
  test('has the mask of its result in its gradient, eager and compiled', async () => {
    const content = Array.from({ length: 200 }, (_, i) => i + 1);
    using generator = new Generator(4);
    const body = (x: Tensor) => {
      const y = dropout(x, { p: 0.25, generator });
      return [y, ...grad(sum(mul(y, 2)), [x])];
    };
    using compiled = compile(body);
    for (const run of [body, compiled]) {
      const [y, slopes] = await take(tidy(() => run(tensor(content, [200], { requiresGrad: true }))));
      const scale = Math.fround(1 / 0.75);
      expect([...slopes]).toEqual([...y].map(value => (value === 0 ? 0 : 2 * scale)));
      expect([...y]).toEqual(content.map((value, i) => (y[i] === 0 ? 0 : Math.fround(value * scale))));
      const kept = y.filter(value => value !== 0).length;
      expect(kept).toBeGreaterThan(125);
      expect(kept).toBeLessThan(175);
    }
  });

  test('with p = 0 or without training gives x and draws nothing; with p = 1 zeros', async () => {
    using generator = new Generator(4);
    const before = await generator.getState();
    const content = [1, -2, Number.POSITIVE_INFINITY];
    expect(await drawn(() => dropout(tensor(content), { p: 0, generator }))).toEqual(content);
    expect(await drawn(() => dropout(tensor(content), { p: 0.9, training: false, generator }))).toEqual(content);
    expect(await generator.getState()).toEqual(before);
    expect((await drawn(() => dropout(tensor([1, 5]), { p: 1, generator }))).map(Math.abs)).toEqual([0, 0]);
    expect(await generator.getState()).not.toEqual(before);
  });
});

test.each([
  ['a seed of half', () => new Generator(0.5), /^Generator: expected a seed from 0 to 2⁵³ − 1, got 0\.5/],
  ['a negative seed', () => manualSeed(-1), /^manualSeed: expected a seed from 0 to 2⁵³ − 1, got -1/],
  ['p of 2', () => dropout(tensor([1]), { p: 2 }), /^dropout: expected p from 0 to 1, got 2/],
  ['p of NaN', () => random.bernoulli([1], { p: Number.NaN }), /^random\.bernoulli: expected p from 0 to 1/],
  ['an empty range', () => random.randint(3, 3, [1]), /^random\.randint: expected integers low < high .* 3 and 3/],
  ['a large bound', () => random.randint(0, 2 ** 25, [1]), /^random\.randint: expected integers/],
  [
    'a seed as generator',
    () => random.uniform([1], { generator: 3 as never }),
    /^random\.uniform: .* Generator, got 3/,
  ],
  ['an unknown option', () => random.normal([1], { sigma: 3 } as never), /^random\.normal: unknown option "sigma"/],
] as const)('%s', (_, call, message) => {
  expect(() => tidy(() => void call())).toThrow(ArgumentError);
  expect(() => tidy(() => void call())).toThrow(message);
});

import { describe, expect, test } from 'vitest';
import { Philox } from '../../engine/basics/philox.ts';
import { compile } from '../../engine/compile.ts';
import { type Tensor, tensor, tidy } from '../../engine/tensor.ts';
import { grad, sum } from '../../kernels/index.ts';
import { Conv2d, Linear, PReLU, SubPixel } from '../../nn/index.ts';
import { sharedDevice, take, takeOne } from '../device.ts';
import { relativeError } from '../relative-error.ts';

sharedDevice();

const values = (length: number, seed: number) => {
  const random = new Philox(seed, 79);
  return Float32Array.from({ length }, () => 2 * random.uniform() - 1);
};

describe('a dense layer', () => {
  test('is x · weightᵀ + bias, with PyTorch’s names and shapes', async () => {
    using layer = new Linear(3, 2);
    expect(layer.namedParameters().map(([name, { shape }]) => [name, shape])).toEqual([
      ['weight', [2, 3]],
      ['bias', [2]],
    ]);
    layer.loadStateDict(
      new Map([
        ['weight', { shape: [2, 3], data: Float32Array.of(1, 2, 3, -1, 0.5, 0) }],
        ['bias', { shape: [2], data: Float32Array.of(10, -1) }],
      ]),
    );
    using x = tensor([1, 1, 1, 2, 0, -1], [2, 3]);
    expect([...(await takeOne(tidy(() => layer.forward(x))))]).toEqual([16, -1.5, 9, -3]);
  });

  test('begins uniform in ±1/√in, and needs no bias', async () => {
    using layer = new Linear(400, 30, { random: new Philox(1, 1) });
    for (const { data } of (await layer.stateDict()).values()) {
      const largest = Math.max(...data.map(Math.abs));
      expect(largest).toBeLessThanOrEqual(0.05);
      expect(largest).toBeGreaterThan(0.04);
      expect(new Set(data).size).toBeGreaterThan(25);
    }
    using bare = new Linear(4, 2, { bias: false });
    expect(bare.namedVariables().map(([name]) => name)).toEqual(['weight']);
  });
});

describe('a convolution', () => {
  test('with mirrored padding is one without padding over the mirrored image', async () => {
    using layer = new Conv2d(2, 3, 3, { padding: 1, paddingMode: 'reflect', random: new Philox(2, 1) });
    using bare = new Conv2d(2, 3, 3).loadStateDict(await layer.stateDict());
    const [h, w] = [5, 4];
    const image = values(2 * h * w, 3);
    /** −1 is 1, n is n − 2. */
    const mirror = (i: number, n: number) => (i < 0 ? -i : i < n ? i : 2 * (n - 1) - i);
    const around = Float32Array.from({ length: 2 * (h + 2) * (w + 2) }, (_, at) => {
      const [row, column] = [Math.floor(at / (w + 2)) % (h + 2), at % (w + 2)];
      const plane = Math.floor(at / ((h + 2) * (w + 2)));
      return image[(plane * h + mirror(row - 1, h)) * w + mirror(column - 1, w)];
    });
    using x = tensor(image, [1, 2, h, w]);
    using mirrored = tensor(around, [1, 2, h + 2, w + 2]);
    const got = await takeOne(tidy(() => layer.forward(x)));
    expect(got).toHaveLength(3 * h * w);
    expect(relativeError(got, await takeOne(tidy(() => bare.forward(mirrored))))).toBeLessThan(1e-6);
  });

  test('that is frozen has no parameters; its weights are state all the same', async () => {
    using layer = new Conv2d(2, 3, 3, { trainable: false, random: new Philox(2, 1) });
    expect(layer.parameters()).toEqual([]);
    expect([...(await layer.stateDict()).keys()]).toEqual(['weight', 'bias']);
    using x = tensor(values(2 * 16, 4), [1, 2, 4, 4], { requiresGrad: true });
    const [gradient] = await take(tidy(() => grad(sum(layer.forward(x)), [x])));
    expect(gradient.some(value => value !== 0)).toBe(true);
  });

  test('whose weights are to be loaded begins with zeros', async () => {
    using layer = new Conv2d(1, 2, 3, { random: false });
    for (const { data } of (await layer.stateDict()).values()) expect(new Set(data)).toEqual(new Set([0]));
  });
});

test('a PReLU of one slope is one of as many equal slopes, and its gradient their sum', async () => {
  using one = new PReLU(1);
  using many = new PReLU(3);
  one.weight.write(Float32Array.of(0.3));
  many.weight.write(Float32Array.of(0.3, 0.3, 0.3));
  using x = tensor(values(2 * 3 * 25, 5), [2, 3, 5, 5]);
  const run = (layer: PReLU) => {
    using step = compile((x: Tensor) => {
      const y = layer.forward(x);
      return [y, ...grad(sum(y), [layer.weight])];
    });
    return take(step(x));
  };
  const [[y, slope], [expected, slopes]] = [await run(one), await run(many)];
  expect(y).toEqual(expected);
  expect(slope).toHaveLength(1);
  expect(slope[0]).toBeCloseTo(slopes[0] + slopes[1] + slopes[2], 3);
});

describe('a sub-pixel layer', () => {
  const first = (icnr: boolean) => new SubPixel(2, { icnr, random: new Philox(6, 1) });

  test('that begins with ICNR gives each square of four pixels one value, any other does not', async () => {
    using x = tensor(values(2 * 12, 7), [1, 2, 3, 4]);
    const squares = async (icnr: boolean) => {
      using layer = first(icnr);
      const y = await takeOne(tidy(() => layer.forward(x)));
      expect(y).toHaveLength(2 * 6 * 8);
      const distinct = Array.from({ length: 2 * 3 * 4 }, (_, at) => {
        const [plane, row, column] = [Math.floor(at / 12), Math.floor(at / 4) % 3, at % 4];
        const corner = (plane * 6 + 2 * row) * 8 + 2 * column;
        return new Set([y[corner], y[corner + 1], y[corner + 8], y[corner + 9]]).size;
      });
      return { distinct: new Set(distinct), values: new Set(y).size };
    };
    const flat = await squares(true);
    expect(flat.distinct).toEqual(new Set([1]));
    expect(flat.values).toBeGreaterThan(12);
    expect((await squares(false)).distinct).toEqual(new Set([4]));
  });
});

/**
 * Sums of terms of one sign, which do not cancel: each addition rounds by half a unit of the sum so far, so that long chains
 * lose digits that noise of both signs does not show. Everything that sums, against float64.
 */
import { describe, expect, test } from 'vitest';
import { type Shape, sizeOf } from '../../engine/basics/shape.ts';
import { compile } from '../../engine/compile.ts';
import { type Tensor, tensor, tidy } from '../../engine/tensor.ts';
import * as ops from '../../kernels/index.ts';
import { sharedDevice, take, takeOne } from '../device.ts';
import { relativeError } from '../relative-error.ts';
import { LONG, noise } from './problems.ts';

const device = sharedDevice();

/** What a sum may be off by, relatively: PyTorch's order of magnitude. */
const EXACT = 1e-6;
const TENTH = Math.fround(0.1);

/** Uniform in [0, 1). */
const positive = (length: number, stream: number): Float32Array => noise(length, stream).map(value => (value + 1) / 2);

describe('the mean of many times 0.1', () => {
  test.each(LONG ? [2 ** 20, 2 ** 24, 2 ** 25] : [2 ** 16, 2 ** 20, 2 ** 24])('%i, in memory', async n => {
    if (n * 4 > device().traits.maxBindingBytes) return;
    const x = () => tensor(new Float32Array(n).fill(0.1));
    const [eager] = await takeOne(tidy(() => ops.mean(x())));
    expect(Math.abs(eager / TENTH - 1)).toBeLessThan(EXACT);
    using f = compile((of: Tensor) => [ops.mean(of), ops.sum(of)]);
    const [mean, sum] = (await take(tidy(() => f(x())) as Tensor[])).map(([value]) => value);
    expect(Math.abs(mean / TENTH - 1)).toBeLessThan(EXACT);
    expect(Math.abs(sum / (n * TENTH) - 1)).toBeLessThan(EXACT);
  });

  test.each([true, false])('2²⁶, computed on the way (sizes baked: %s)', async baked => {
    using f = compile((x: Tensor, y: Tensor) => ops.mean(ops.mul(x, y)), { baked });
    const [mean] = await takeOne(
      tidy(() =>
        f(tensor(new Float32Array(8192).fill(0.1), [8192, 1]), tensor(new Float32Array(8192).fill(1), [8192])),
      ),
    );
    expect(Math.abs(mean / TENTH - 1)).toBeLessThan(EXACT);
  });
});

describe('sums over any axes', () => {
  const shape = [60, 70, 80];
  const data = positive(sizeOf(shape), 1);
  test.each([[[0]], [[1]], [[2]], [[0, 1]], [[0, 2]], [[1, 2]], [[0, 1, 2]]])('%j', async axes => {
    const kept = shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
    const right = new Float64Array(sizeOf(kept));
    data.forEach((value, i) => {
      const at = [Math.floor(i / 5600), Math.floor(i / 80) % 70, i % 80].map((a, axis) =>
        axes.includes(axis) ? 0 : a,
      );
      right[(at[0] * kept[1] + at[1]) * kept[2] + at[2]] += value;
    });
    for (const way of ['eager', 'compiled', 'sumTo']) {
      const body = (x: Tensor) => (way === 'sumTo' ? ops.sumTo(x, kept) : ops.sum(x, { axes, keepDims: true }));
      using compiled = compile(body);
      const got = await takeOne(tidy(() => (way === 'compiled' ? compiled : body)(tensor(data, shape))));
      expect(relativeError(got, right), way).toBeLessThan(EXACT);
    }
  });
});

test('statistics and losses of a large batch', async () => {
  const shape = [16, 3, 64, 64];
  const [x, y] = [positive(sizeOf(shape), 2), positive(sizeOf(shape), 3)];
  const meanOf = (f: (a: number, b: number) => number, where = (_: number) => true) => {
    let [total, count] = [0, 0];
    x.forEach((value, i) => {
      if (!where(i)) return;
      total += f(value, y[i]);
      count++;
    });
    return total / count;
  };
  const channels = [0, 1, 2].map(c => (i: number) => Math.floor(i / 4096) % 3 === c);
  const means = channels.map(where => meanOf(a => a, where));
  const variances = channels.map((where, c) => meanOf(a => (a - means[c]) ** 2, where));
  const results = await take(
    tidy(() => {
      const [a, b] = [tensor(x, shape), tensor(y, shape)];
      const { mean, variance } = ops.batchNormTraining(a, tensor([1, 1, 1]), tensor([0, 0, 0]));
      const pooled = ops.mean(ops.globalAvgPool2d(a));
      return [mean, variance, ops.mseLoss(a, b), ops.l1Loss(a, b), ops.bceWithLogits(a, b), pooled];
    }),
  );
  const right = [
    means,
    variances,
    [meanOf((a, b) => (a - b) ** 2)],
    [meanOf((a, b) => Math.abs(a - b))],
    [meanOf((a, b) => Math.max(a, 0) - a * b + Math.log1p(Math.exp(-Math.abs(a))))],
    [meanOf(a => a)],
  ];
  results.forEach((result, i) => {
    expect(relativeError(result, Float64Array.from(right[i])), `result ${i}`).toBeLessThan(EXACT);
  });
});

test('windows of a pool, and the windows that share an element', async () => {
  const shape = [1, 1, 80, 80];
  const [y, gx] = await take(
    tidy(() => {
      const x = tensor(new Float32Array(6400).fill(0.1), shape, { requiresGrad: true });
      const pooled = ops.avgPool2d(x, 40, { stride: 1 });
      return [pooled, ...ops.grad(ops.sum(pooled), [x])];
    }),
  );
  expect(relativeError(y, new Float64Array(y.length).fill(TENTH))).toBeLessThan(EXACT);
  // The element in the middle is in all windows that its row and its column allow.
  expect(Math.abs(gx[40 * 80 + 40] / ((40 * 40) / 1600) - 1)).toBeLessThan(EXACT);
});

describe('products', () => {
  test.each([
    [3, 2 ** 16, 5],
    [1, 2 ** 20, 1],
    [40, 4096, 40],
  ])('of matrices, %i x %i x %i', async (m, k, n) => {
    const [a, b] = [positive(m * k, 4), positive(k * n, 5)];
    const right = new Float64Array(m * n);
    for (let i = 0; i < m; i++)
      for (let l = 0; l < k; l++) for (let j = 0; j < n; j++) right[i * n + j] += a[i * k + l] * b[l * n + j];
    const got = await takeOne(tidy(() => ops.matmul(tensor(a, [m, k]), tensor(b, [k, n]))));
    expect(relativeError(got, right)).toBeLessThan(EXACT);
  });

  test('of millions of ones, in thousands of parts', async () => {
    const n = 2 ** 22;
    const ones = new Float32Array(n).fill(1);
    const [product] = await takeOne(tidy(() => ops.matmul(tensor(ones, [1, n]), tensor(ones, [n, 1]))));
    expect(product).toBe(n);
  });

  /** Batch, channels, side, output channels, kernel. */
  const convolutions: readonly (readonly [number, number, number, number, number])[] = [
    [16, 4, 48, 8, 3],
    [4, 64, 12, 8, 3],
    [8, 3, 40, 8, 9],
  ];
  test.each(convolutions)('of images: %i x %i x %i², to %i by %i²', async (n, c, side, k, r) => {
    const p = r >> 1;
    const shapes: Shape[] = [[n, c, side, side], [k, c, r, r], [k], [n, k, side, side]];
    const [x, w, bias, g] = shapes.map((shape, i) => positive(sizeOf(shape), 6 + i));
    const [y, gx, gw, gb] = await take(
      tidy(() => {
        const [X, W, B, G] = [x, w, bias, g].map((data, i) => tensor(data, shapes[i], { requiresGrad: i < 3 }));
        const out = ops.conv2d(X, W, B, { padding: p });
        return [out, ...ops.grad(ops.sum(ops.mul(out, G)), [X, W, B])];
      }),
    );
    const rightY = new Float64Array(y.length);
    const rightX = new Float64Array(gx.length);
    const rightW = new Float64Array(gw.length);
    const rightB = new Float64Array(k);
    for (let image = 0; image < n; image++)
      for (let o = 0; o < k; o++)
        for (let i = 0; i < side; i++)
          for (let j = 0; j < side; j++) {
            const at = ((image * k + o) * side + i) * side + j;
            rightY[at] += bias[o];
            rightB[o] += g[at];
            for (let ch = 0; ch < c; ch++)
              for (let a = Math.max(0, p - i); a < Math.min(r, side + p - i); a++)
                for (let b = Math.max(0, p - j); b < Math.min(r, side + p - j); b++) {
                  const [from, by] = [
                    ((image * c + ch) * side + i + a - p) * side + j + b - p,
                    ((o * c + ch) * r + a) * r + b,
                  ];
                  rightY[at] += x[from] * w[by];
                  rightX[from] += g[at] * w[by];
                  rightW[by] += x[from] * g[at];
                }
          }
    const errors = [
      relativeError(y, rightY),
      relativeError(gx, rightX),
      relativeError(gw, rightW),
      relativeError(gb, rightB),
    ];
    expect(Math.max(...errors), errors.join(' ')).toBeLessThan(EXACT);
  });
});

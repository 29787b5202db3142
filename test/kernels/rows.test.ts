/**
 * Softmax, norms and their gradients, whose kernels walk along rows in several ways: one invocation or a workgroup for each row,
 * elements next to each other or apart, channels of one element or of many. Against float64, against their composition from
 * other operations, and at NaN and infinities.
 */
import { describe, expect, test } from 'vitest';
import { sizeOf } from '../../engine/basics/shape.ts';
import { compile } from '../../engine/compile.ts';
import { type Tensor, tensor, tidy } from '../../engine/tensor.ts';
import {
  add,
  div,
  exp,
  grad,
  groupNorm,
  layerNorm,
  log,
  logSoftmax,
  mean,
  mul,
  reshape,
  softmax,
  sqrt,
  square,
  sub,
  sum,
  tanh,
} from '../../kernels/index.ts';
import { sharedDevice, take, takeElements, takeOne } from '../device.ts';
import { relativeError } from '../relative-error.ts';
import { noise, referenceOf, tensorsOf } from './problems.ts';
import { specifiedBy } from './specified.ts';

const { NaN: NAN, POSITIVE_INFINITY: INF } = Number;

/** Rows of one element, of odd numbers of elements, and longer than any workgroup. */
const LENGTHS = [1, 3, 17, 65, 1025];

describe.each([
  ['as the adapter is', undefined],
  ['as a GPU', { software: false, subgroupSize: 0 }],
] as const)('%s', (_, traits) => {
  sharedDevice(traits ? { traits } : {});

  test.each(['softmax', 'logSoftmax', 'softmaxGradient', 'logSoftmaxGradient'])(
    '%s of rows next to each other and apart',
    async name => {
      const operation = specifiedBy(name);
      for (const length of LENGTHS)
        for (const [shape, axis] of [
          [[2, length], 1],
          [[length, 3], 0],
        ] as const) {
          const inputs = Array.from({ length: name.endsWith('Gradient') ? 2 : 1 }, () => ({ shape }));
          const problem = { inputs, attributes: { axis } };
          const [result] = await takeElements(tidy(() => operation.call(tensorsOf(problem), problem.attributes)));
          expect(relativeError(result, referenceOf(operation, problem)[0]), `${shape}`).toBeLessThan(4e-6);
        }
    },
  );

  test.each(['rowNorm', 'rowNormGradient'])('%s of channels of one element and of many', async name => {
    const operation = specifiedBy(name);
    for (const shape of [
      [1, 2, 1, 65],
      [2, 1, 65, 1],
      [2, 3, 5, 17],
      [1, 2, 25, 41],
      [1, 1, 2, 260],
    ]) {
      const [row, parameter] = [{ shape: shape.slice(0, 2) }, { shape: shape.slice(1, 3) }];
      const forward = name === 'rowNorm';
      const problem = {
        inputs: forward ? [{ shape }, parameter, parameter] : [{ shape }, { shape }, row, row, parameter],
        attributes: forward ? { eps: 1e-5, hasWeight: true, hasBias: true } : {},
      };
      const results = await takeElements(tidy(() => operation.call(tensorsOf(problem), problem.attributes)));
      referenceOf(operation, problem).forEach((expected, i) => {
        expect(relativeError(results[i], expected), `output ${i} of ${shape}`).toBeLessThan(1e-5);
      });
    }
  });

  test('NaN and infinities reach their own row and no other', async () => {
    const rows = [
      [1, 2, NAN, 0],
      [INF, 0, 1, 2],
      [-INF, -INF, -INF, -INF],
      [-INF, 0, -INF, 0],
      [3e38, -3e38, 3e38, -3e38],
      [1, 1, 1, 1],
    ];
    const half = -Math.log(2);
    const none = [NAN, NAN, NAN, NAN];
    const expected = [none, none, none, [-INF, half, -INF, half], [half, -INF, half, -INF], Array(4).fill(2 * half)];
    // Along the last axis, and along the first one; repeated to rows for which there is a workgroup each.
    for (const [times, axis] of [
      [1, 1],
      [1, 0],
      [20, 1],
    ] as const) {
      const turned = (table: readonly (readonly number[])[]) =>
        axis === 1
          ? table.flatMap(row => Array(times).fill(row).flat())
          : [0, 1, 2, 3].flatMap(i => table.map(row => row[i]));
      const shape = axis === 1 ? [rows.length, 4 * times] : [4, rows.length];
      const logs = turned(expected).map(value => value - Math.log(times));
      const [p, l] = await take(
        tidy(() => {
          const x = tensor(Float32Array.from(turned(rows)), shape);
          return [softmax(x, axis), logSoftmax(x, axis)];
        }),
      );
      expect(relativeError(p, logs.map(Math.exp)), `softmax along ${axis}, ${times} times`).toBeLessThan(1e-6);
      // 3e38 − (−3e38) overflows to ∞, as in PyTorch.
      expect(relativeError(l, logs), `logSoftmax along ${axis}, ${times} times`).toBeLessThan(1e-6);
    }
    const y = await takeOne(tidy(() => layerNorm(tensor(Float32Array.from(rows.flat()), [rows.length, 4]), [4])));
    expect([...y.subarray(0, 12)].every(Number.isNaN)).toBe(true);
    expect([...y.subarray(20)]).toEqual([0, 0, 0, 0]);
  });
});

describe('as compositions of other operations', () => {
  sharedDevice();

  /** Also a step of compositions that other tests cover: the gradient of these is right. */
  const composedSoftmax = (x: Tensor) => div(exp(x), sum(exp(x), { axes: [1], keepDims: true }));

  function composedNorm(x: Tensor, groups: number, weight: Tensor, bias: Tensor): Tensor {
    const [n, c, size] = x.shape;
    const rows = reshape(x, [n, groups, (c / groups) * size]);
    const along = (value: Tensor) => mean(value, { axes: [2], keepDims: true });
    const centred = sub(rows, along(rows));
    const normalized = reshape(div(centred, sqrt(add(along(square(centred)), 1e-5))), x.shape);
    return add(mul(normalized, reshape(weight, [c, 1])), reshape(bias, [c, 1]));
  }

  const parameters = [[2, 4, 5], [4], [4]];

  /** Our operation, its composition, and the shapes of their inputs. */
  const CASES = {
    softmax: [(x: Tensor) => softmax(x), composedSoftmax, [[3, 5]]],
    logSoftmax: [(x: Tensor) => logSoftmax(x), (x: Tensor) => log(composedSoftmax(x)), [[3, 5]]],
    groupNorm: [
      (x: Tensor, weight: Tensor, bias: Tensor) => groupNorm(x, 2, { weight, bias }),
      (x: Tensor, weight: Tensor, bias: Tensor) => composedNorm(x, 2, weight, bias),
      parameters,
    ],
    'layerNorm of tanh': [
      (x: Tensor, weight: Tensor, bias: Tensor) =>
        layerNorm(tanh(reshape(x, [10, 4])), [4], { weight: tanh(weight), bias }),
      (x: Tensor, weight: Tensor, bias: Tensor) =>
        reshape(composedNorm(tanh(reshape(x, [10, 4, 1])), 1, tanh(weight), bias), [10, 4]),
      parameters,
    ],
  } as const;

  test.each(Object.keys(CASES) as (keyof typeof CASES)[])(
    '%s: result, first, second and third derivatives',
    async name => {
      const [own, composed, shapes] = CASES[name] as unknown as readonly [
        (...inputs: Tensor[]) => Tensor,
        (...inputs: Tensor[]) => Tensor,
        readonly number[][],
      ];
      const derivatives = (f: (...inputs: Tensor[]) => Tensor) =>
        take(
          tidy(() => {
            const inputs = shapes.map((shape, i) => tensor(noise(sizeOf(shape), i), shape, { requiresGrad: true }));
            /** Its sum weighted by numbers of its own. */
            const total = (value: Tensor, stream: number) =>
              sum(mul(value, tensor(noise(value.size, stream), value.shape)));
            const y = f(...inputs);
            // Squares, so that the second derivatives contain all products of first ones.
            const first = grad(total(square(y), 10), inputs, { createGraph: true });
            const second = grad(
              first.map((one, i) => total(one, 20 + i)).reduce((a, b) => add(a, b)),
              inputs,
              { createGraph: true },
            );
            const third = grad(
              second
                .slice(0, 2)
                .map((one, i) => total(one, 30 + i))
                .reduce((a, b) => add(a, b)),
              inputs.slice(0, 1),
            );
            return [y, ...first, ...second, ...third];
          }),
        );
      const [got, expected] = [await derivatives(own), await derivatives(composed)];
      got.forEach((value, i) => {
        expect(relativeError(value, expected[i]), `number ${i}`).toBeLessThan(i < got.length - 1 ? 2e-5 : 2e-4);
      });
    },
  );

  test('rows too long for one workgroup give what shorter ones give', async () => {
    const length = 65_537;
    const values = noise(length, 5);
    const y = await takeOne(tidy(() => layerNorm(tensor(values, [1, length]), [length])));
    const average = values.reduce((a, b) => a + b, 0) / length;
    const variance = values.reduce((total, value) => total + (value - average) ** 2, 0) / length;
    expect(
      relativeError(
        y,
        values.map(value => (value - average) / Math.sqrt(variance + 1e-5)),
      ),
    ).toBeLessThan(1e-5);
  });

  test('one compiled function serves rows of varying lengths and numbers', async () => {
    using both = compile((x: Tensor) => [softmax(x), layerNorm(x, [x.shape[1]])], { baked: false });
    for (const shape of [
      [3, 17],
      [200, 70],
      [2, 1025],
    ]) {
      const x = tensor(noise(sizeOf(shape), 3), shape);
      const [p, y] = await take(both(x));
      const [expectedP, expectedY] = await take(tidy(() => [softmax(x), layerNorm(x, [shape[1]])]));
      expect(relativeError(p, expectedP)).toBeLessThan(1e-6);
      expect(relativeError(y, expectedY)).toBeLessThan(1e-6);
      x.dispose();
    }
  });
});

/**
 * What `compile` moves into a convolution's store: the same bits as without, in one kernel less for each operation.
 * Tests call {@link testEpilogues} with the texts for software drivers and those for GPUs.
 */
import { describe, expect, test } from 'vitest';
import { apply } from '../../engine/apply.ts';
import { sizeOf } from '../../engine/basics/shape.ts';
import { compile } from '../../engine/compile.ts';
import { type Tensor, tensor, tidy } from '../../engine/tensor.ts';
import type { AdapterTraits } from '../../engine/text/kernel.ts';
import { variable } from '../../engine/variable.ts';
import { add, conv2d, leakyRelu, mul, pixelShuffle, prelu, relu, sub } from '../../kernels/index.ts';
import { replaceUnlessOp } from '../../train/kernels/guard.ts';
import { sharedDevice, take } from '../device.ts';
import { LONG, noise } from './problems.ts';

const make = (shape: readonly number[], seed: number) => tensor(noise(sizeOf(shape), seed), shape);

interface Case {
  readonly name: string;
  readonly x: readonly [number, number, number, number];
  readonly weight: readonly [number, number, number, number];
  readonly stride?: number;
  readonly dilation?: number;
  readonly groups?: number;
  /** Of the pixel shuffle in `after`. */
  readonly factor?: number;
  /** From the convolution's result and a tensor of its shape. */
  readonly after: (y: Tensor, like: Tensor, perChannel: Tensor) => Tensor;
}

const normalized = (y: Tensor, scale: Tensor) => add(mul(sub(y, scale), scale), scale);

const cases: readonly Case[] = [
  { name: 'ReLU', x: [2, 5, 9, 11], weight: [12, 5, 3, 3], after: y => relu(y) },
  { name: 'leaky ReLU, stride 2', x: [1, 4, 13, 10], weight: [8, 4, 3, 3], stride: 2, after: y => leakyRelu(y, 0.2) },
  {
    name: 'normalisation by known statistics and PReLU',
    x: [2, 8, 8, 8],
    weight: [20, 8, 3, 3],
    after: (y, _, perChannel) => prelu(normalized(y, perChannel), perChannel),
  },
  { name: 'a residual sum', x: [1, 16, 12, 9], weight: [16, 16, 3, 3], after: (y, like) => add(like, y) },
  { name: 'few channels', x: [1, 6, 14, 10], weight: [3, 6, 9, 9], after: (y, like) => relu(sub(y, like)) },
  {
    name: 'pixel shuffle and PReLU',
    x: [2, 6, 9, 10],
    weight: [20, 6, 3, 3],
    factor: 2,
    after: (y, _, perChannel) => prelu(pixelShuffle(y, 2), perChannel),
  },
  {
    name: 'pixel shuffle by 3, more input channels than a workgroup keeps, and a sum',
    x: [1, 130, 8, 17],
    weight: [18, 130, 3, 3],
    factor: 3,
    after: (y, like) => add(pixelShuffle(y, 3), like),
  },
  { name: 'pixel shuffle alone', x: [1, 3, 5, 7], weight: [12, 3, 5, 5], factor: 2, after: y => pixelShuffle(y, 2) },
  {
    name: 'more input channels than a workgroup keeps',
    x: [2, 150, 17, 16],
    weight: [16, 150, 3, 3],
    after: (y, like, perChannel) => add(prelu(y, perChannel), like),
  },
  {
    name: 'dilated: PReLU and a sum',
    x: [2, 4, 9, 11],
    weight: [9, 4, 3, 3],
    dilation: 2,
    after: (y, like, perChannel) => add(prelu(y, perChannel), like),
  },
  {
    name: 'two groups: pixel shuffle, PReLU and a sum',
    x: [2, 8, 6, 7],
    weight: [16, 4, 3, 3],
    groups: 2,
    factor: 2,
    after: (y, like, perChannel) => add(prelu(pixelShuffle(y, 2), perChannel), like),
  },
  {
    name: 'depthwise: PReLU and a sum',
    x: [2, 5, 9, 7],
    weight: [10, 1, 3, 3],
    groups: 5,
    after: (y, like, perChannel) => add(prelu(y, perChannel), like),
  },
  {
    name: 'two groups, stride 2: PReLU and a sum',
    x: [3, 8, 6, 7],
    weight: [10, 4, 3, 3],
    stride: 2,
    groups: 2,
    after: (y, like, perChannel) => add(prelu(y, perChannel), like),
  },
];

export function testEpilogues(traits: Partial<AdapterTraits>): void {
  sharedDevice({ traits, widest: traits.software !== false });

  describe.each(cases.map((one, i) => [one.name, one, i] as const))('%s', (_, one, i) => {
    const { x, weight, stride = 1, dilation = 1, groups = 1, factor = 1, after } = one;
    test.each(LONG ? [true, false] : [i % 2 === 0])('sizes in the text: %s', async baked => {
      const padding = (dilation * (weight[2] - 1)) / 2;
      const [height, width] = [x[2], x[3]].map(
        size => Math.floor((size + 2 * padding - dilation * (weight[2] - 1) - 1) / stride) + 1,
      );
      const channels = weight[0] / factor ** 2;
      const y = [x[0], channels, height * factor, width * factor];
      const convolved = (...[a, w, b]: readonly Tensor[]) => conv2d(a, w, b, { stride, padding, dilation, groups });
      const body = (...[a, w, b, like, perChannel]: readonly Tensor[]) => after(convolved(a, w, b), like, perChannel);
      using alone = compile(convolved, { baked });
      using rest = compile(after, { baked });
      using together = compile(body, { baked });
      const [apart, fused] = await take(
        tidy(() => {
          const shapes = [x, weight, [weight[0]], y, [channels, 1, 1]];
          const inputs = shapes.map(make);
          return [rest(alone(...inputs), inputs[3], inputs[4]), together(...inputs)];
        }),
      );
      expect(together.programs[0].dispatches).toBe(alone.programs[0].dispatches);
      expect(fused).toEqual(apart);
    });
  });

  test('a result that somebody else reads as well stays a result of its own', async () => {
    const body = (a: Tensor, w: Tensor) => {
      const y = conv2d(a, w, undefined, { padding: 1 });
      return [y, relu(y)];
    };
    using compiled = compile(body);
    const [y, active] = await take(tidy(() => compiled(make([1, 3, 6, 6], 1), make([4, 3, 3, 3], 2))));
    expect(compiled.programs[0].dispatches).toBe(2);
    expect(active).toEqual(y.map(value => Math.max(value, 0)));
  });

  test('nothing is moved over an update in place of what the convolution reads', async () => {
    const [x, next] = [make([1, 3, 6, 6], 1), make([4, 3, 3, 3], 3)];
    const weight = variable(noise(108, 2), [4, 3, 3, 3]);
    const flag = tensor([0]);
    const expected = tidy(() => relu(conv2d(x, weight, undefined, { padding: 1 })));
    using compiled = compile((x: Tensor, next: Tensor, flag: Tensor) => {
      const y = conv2d(x, weight, undefined, { padding: 1 });
      weight.assign(apply(replaceUnlessOp, [weight, next, flag], {})[0]);
      return relu(y);
    });
    const [old, active, updated] = await take([expected, compiled(x, next, flag), weight.alias()]);
    expect(compiled.programs[0].dispatches).toBe(3);
    expect(active).toEqual(old);
    expect(updated).toEqual(noise(108, 3));
    for (const held of [x, weight, next, flag]) held.dispose();
  });

  test.each([0, -0])('times %d, what is NaN or infinite is NaN, as without a convolution', async zero => {
    const after = (y: Tensor) => mul(y, zero);
    using compiled = compile((x: Tensor, w: Tensor) => after(conv2d(x, w)));
    const [fused, apart] = await take(
      tidy(() => {
        const x = tensor([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1, -1, 0], [1, 1, 2, 3]);
        const one = tensor([1], [1, 1, 1, 1]);
        return [compiled(x, one), after(conv2d(x, one))];
      }),
    );
    expect(compiled.programs[0].dispatches).toBe(1);
    expect([...fused].slice(0, 3)).toEqual([Number.NaN, Number.NaN, Number.NaN]);
    expect(fused).toEqual(apart);
  });

  test('two convolutions that are added: one takes the sum, the other is read', async () => {
    const body = (a: Tensor, v: Tensor, w: Tensor) => add(conv2d(a, v, undefined, { padding: 1 }), conv2d(a, w));
    using compiled = compile(body);
    const [fused, apart] = await take(
      tidy(() => {
        const inputs = [make([1, 3, 7, 6], 1), make([4, 3, 3, 3], 2), make([4, 3, 1, 1], 3)] as const;
        return [compiled(...inputs), body(...inputs)];
      }),
    );
    expect(compiled.programs[0].dispatches).toBe(2);
    expect(fused).toEqual(apart);
  });
}

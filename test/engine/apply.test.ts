/** Applying operations uncompiled: programs by shape, operations with several outputs, and what is refused. */
import { describe, expect, test } from 'vitest';
import { apply } from '../../engine/apply.ts';
import { GradientError } from '../../engine/basics/errors.ts';
import { compile } from '../../engine/compile.ts';
import { type Declaration, defineOp } from '../../engine/define.ts';
import { type Tensor, tensor, tidy } from '../../engine/tensor.ts';
import { input, output } from '../../engine/text/kernel.ts';
import { variable } from '../../engine/variable.ts';
import { add, grad, mul, neg, reshape, sum } from '../../kernels/index.ts';
import { sharedDevice, take, takeOne } from '../device.ts';

const device = sharedDevice();
const live = () => device().memory.figures().live;

/** Twice x and thrice x. What its gradients get tells which outputs the loss depends on. */
const twoAndThree: Declaration<Record<never, never>> = defineOp<Record<never, never>>({
  name: 'test.twoAndThree',
  infer: ([x]) => [x, x],
  lower: ({ inputs: [x] }) => {
    const size = x.shape.reduce((product, n) => product * n, 1);
    const wgsl = `@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> two: array<f32>;
@group(0) @binding(2) var<storage, read_write> three: array<f32>;
@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x < ${size}u) { two[id.x] = 2.0 * x[id.x]; three[id.x] = 3.0 * x[id.x]; }
}`;
    const kernel = { name: 'test', wgsl, bindings: ['read', 'write', 'write'], workgroups: [1, 1, 1] } as const;
    return { steps: [{ kernel, operands: [input(0), output(0), output(1)] }], scratch: [] };
  },
  gradient({ grads: [two, three] }) {
    if (two && three) return [add(mul(two, 2), mul(three, 3))];
    return [two ? mul(two, 2) : mul(three!, 3)];
  },
});

const both = (x: Tensor): [Tensor, Tensor] => apply(twoAndThree, [x], {}) as [Tensor, Tensor];

describe('an operation with two outputs', () => {
  test('gets the gradients of those that the loss depends on', async () => {
    const gradients = tidy(() => {
      const x = tensor([1, 5], [2], { requiresGrad: true });
      const [two, three] = both(x);
      return [two, three, mul(two, three)].map(y => grad(sum(y), [x])[0]);
    });
    expect((await take(gradients)).map(values => [...values])).toEqual([
      [2, 2],
      [3, 3],
      [12, 60],
    ]);
  });

  test('keeps its memory until neither output is held, whoever looks at them in between', async () => {
    const before = live();
    const x = tensor([1, 5], [2], { requiresGrad: true });
    const [two, three] = both(x);
    two.dispose();
    for (let i = 0; i < 3; i++) {
      // Differentiation takes handles on both outputs and gives them back.
      const [gradient] = tidy(() => grad(sum(three), [x]));
      expect([...(await takeOne(gradient))]).toEqual([3, 3]);
    }
    expect([...(await takeOne(three.alias()))]).toEqual([3, 15]);
    three.dispose();
    x.dispose();
    expect(live()).toBe(before);
  });

  test('compiled', async () => {
    using f = compile((x: Tensor) => {
      const [two, three] = both(x);
      return [two, grad(sum(mul(two, three)), [x])[0]];
    });
    const results = await take(tidy(() => f(tensor([1, 5]))));
    expect(results.map(values => [...values])).toEqual([
      [2, 10],
      [12, 60],
    ]);
  });
});

test('more shapes than programs are kept for: old ones are made again', async () => {
  const first = device().pipelineCount;
  for (let size = 1; size <= 2100; size++) tidy(() => neg(tensor(new Float32Array(size)))).dispose();
  expect([...(await takeOne(tidy(() => neg(tensor([1, 2])))))]).toEqual([-1, -2]);
  expect(device().pipelineCount - first, 'a text for one element, a text for more').toBeLessThanOrEqual(2);
});

describe('views', () => {
  test('of variables are copies: a later assignment does not reach them', async () => {
    const v = variable([1, 2, 3, 4], [4]);
    const view = reshape(v, [2, 2]);
    v.write(Float32Array.of(9, 9, 9, 9));
    expect([...(await takeOne(view))]).toEqual([1, 2, 3, 4]);
    v.dispose();
  });

  test('of views, and gradients through them', async () => {
    const gradient = tidy(() => {
      const x = tensor([1, 2, 3, 4], [4], { requiresGrad: true });
      const y = reshape(reshape(x, [2, 2]), [-1, 1, 4]);
      return grad(sum(mul(y, y)), [x])[0];
    });
    expect([...(await takeOne(gradient))]).toEqual([2, 4, 6, 8]);
  });
});

describe('refused', () => {
  test('no tensors at all', () => {
    expect(() => apply(twoAndThree, [], {})).toThrow(/test\.twoAndThree: expected at least one tensor/);
  });

  test('a gradient of the wrong shape, and a missing one', () => {
    const wrong = defineOp({ ...twoAndThree, name: 'test.wrong', gradient: ({ grads }) => [sum(grads[0]!)] });
    const none = defineOp({ ...twoAndThree, name: 'test.none', gradient: () => [undefined] });
    tidy(() => {
      const x = tensor([1, 5], [2], { requiresGrad: true });
      const through = (operation: typeof twoAndThree) => grad(sum(apply(operation, [x], {})[0]), [x]);
      expect(() => through(wrong)).toThrow(
        /test\.wrong: expected the gradient of input 0 to have shape \[2\], got \[\]/,
      );
      expect(() => through(none)).toThrow(GradientError);
      expect(() => through(none)).toThrow(/test\.none returned no gradient for input 0/);
    });
  });
});

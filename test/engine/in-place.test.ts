/** An operation that updates its input in place leaves the old content to whoever still reads it. */
import { expect, test } from 'vitest';
import { apply } from '../../engine/apply.ts';
import { sizeOf } from '../../engine/basics/shape.ts';
import { compile } from '../../engine/compile.ts';
import type { Operation } from '../../engine/graph/operation.ts';
import { type Tensor, tensor, tidy } from '../../engine/tensor.ts';
import { assembleElements } from '../../engine/text/assemble.ts';
import { output } from '../../engine/text/kernel.ts';
import { Numbers } from '../../engine/text/numbers.ts';
import { matmul, neg } from '../../kernels/index.ts';
import { sharedDevice, take } from '../device.ts';

sharedDevice();

/** Doubles its input where it is. */
const double: Operation<Record<never, never>> = {
  name: 'test.double',
  infer: ([x]) => [x],
  inPlace: [[0, 0]],
  lower({ inputs, baked }, traits) {
    const elements = sizeOf(inputs[0].shape);
    const numbers = new Numbers(baked, { n: elements });
    const parts = { name: 'double', reads: [], writes: ['x'], numbers, elements, count: 'n', body: 'x[index] *= 2.0;' };
    return { steps: [{ kernel: assembleElements(parts, traits), operands: [output(0)] }], scratch: [] };
  },
};
const doubled = (x: Tensor) => apply(double, [x], {})[0];

const X = [1, 2, 3, 4];
const NEGATIVE = [-1, -2, -3, -4];
const SQUARE = [7, 10, 15, 22];

/** Each body with what it gives: products are kernels of their own, which nothing fuses with. */
const BODIES: readonly (readonly [string, (t: Tensor) => Tensor[], readonly (readonly number[])[]])[] = [
  ['read by the next kernel', t => [doubled(t), matmul(t, t)], [NEGATIVE.map(x => 2 * x), SQUARE]],
  [
    'read by the one after that',
    t => {
      const d = doubled(t);
      return [matmul(d, d), matmul(t, t)];
    },
    [SQUARE.map(x => 4 * x), SQUARE],
  ],
  ['a result itself', t => [t, doubled(t)], [NEGATIVE, NEGATIVE.map(x => 2 * x)]],
  ['updated twice', t => [doubled(doubled(t)), matmul(t, t)], [NEGATIVE.map(x => 4 * x), SQUARE]],
  ['read by none', t => [doubled(t)], [NEGATIVE.map(x => 2 * x)]],
];

test.each(BODIES)('the old content is %s', async (_, body, expected) => {
  for (const baked of [true, false]) {
    using compiled = compile((x: Tensor) => body(neg(x)), { baked });
    const results = await take(tidy(() => compiled(tensor(X, [2, 2]))));
    expect(results.map(values => [...values])).toEqual(expected);
  }
});

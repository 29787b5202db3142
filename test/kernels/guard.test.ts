/** Guarded assignments: a step that went wrong changes no variable, and the GPU alone decides. */
import { expect, test } from 'vitest';
import { compile } from '../../engine/compile.ts';
import { TraceError } from '../../engine/errors.ts';
import { type Tensor, tensor, tidy, variable } from '../../engine/tensor.ts';
import { guardAssignments } from '../../kernels/guard.ts';
import { add, div, notFinite, sum } from '../../kernels/index.ts';
import { sharedDevice, take } from '../device.ts';

sharedDevice();

test('all that was assigned before stays as it was where the flag is set', async () => {
  const [weight, count, later] = [[1, 2], [10], [0]].map(numbers => variable(numbers, [numbers.length]));
  using step = compile((x: Tensor) => {
    const y = div(weight, x);
    weight.assign(y);
    count.assign(add(count, 1));
    const bad = notFinite(sum(y));
    guardAssignments(bad);
    // Not guarded: it counts every step.
    later.assign(add(later, 1));
    return bad;
  });
  const flags: number[] = [];
  for (const divisor of [2, 0, Number.NaN, 0.5]) {
    const [[flag]] = await take([tidy(() => step(tensor([divisor])))]);
    flags.push(flag);
  }
  expect(flags).toEqual([0, 1, 1, 0]);
  expect((await take([weight, count, later])).map(values => [...values])).toEqual([[1, 2], [12], [4]]);
});

test('belongs inside a compiled function', () => {
  expect(() => tidy(() => guardAssignments(tensor([0])))).toThrow(TraceError);
});

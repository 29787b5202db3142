/** Guarded assignments: a step that went wrong changes no variable, and the GPU alone decides. */
import { expect, test } from 'vitest';
import { TraceError } from '../../engine/basics/errors.ts';
import { compile } from '../../engine/compile.ts';
import { type Tensor, tensor, tidy } from '../../engine/tensor.ts';
import { variable } from '../../engine/variable.ts';
import { add, div, notFinite, sum } from '../../kernels/index.ts';
import { Gathered } from '../../nn/optim/gathered.ts';
import { guardAssignments } from '../../train/kernels/guard.ts';
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

test('gathered variables are kept or replaced by one dispatch, without a copy', async () => {
  const sizes = [3, 70, 64];
  const content = (n: number, at: number) => Float32Array.from({ length: n }, (_, i) => at + i);
  const results: number[][][] = [];
  const copies: number[] = [];
  for (const together of [false, true]) {
    const parts = sizes.map((n, i) => variable(content(n, 100 * i), [n]));
    const other = variable([5], [1]);
    const gathered = together ? [new Gathered(parts, 'parts')] : [];
    using step = compile((x: Tensor, flag: Tensor) => {
      for (const one of [...parts, other]) one.assign(add(one, x));
      guardAssignments(flag);
      return undefined;
    });
    for (const flag of [0, 1, 0]) {
      using x = tensor([2]);
      using bad = tensor([flag]);
      step(x, bad);
    }
    {
      using x = tensor([2]);
      const { lowered } = step.plan([x, x]);
      copies.push(lowered.copies.length);
      expect(lowered.calls.filter(({ operation }) => operation === 'replaceUnless')).toHaveLength(gathered.length);
    }
    results.push((await take([...parts, other])).map(values => [...values]));
    for (const one of gathered) one.dispose();
  }
  expect(results[1]).toEqual(results[0]);
  expect(results[0][1]).toEqual([...content(70, 104)]);
  // That of the variable which stands alone.
  expect(copies).toEqual([4, 1]);
});

test('gathered variables that are not all assigned are decided one by one', async () => {
  const parts = [variable([1, 2], [2]), variable([3], [1])];
  const gathered = new Gathered(parts, 'parts');
  using step = compile((flag: Tensor) => {
    parts[0].assign(add(parts[0], 1));
    guardAssignments(flag);
    return undefined;
  });
  for (const flag of [0, 1]) {
    using bad = tensor([flag]);
    step(bad);
  }
  expect((await take(parts)).map(values => [...values])).toEqual([[2, 3], [3]]);
  gathered.dispose();
});

test('variables are gathered once, and there must be some', () => {
  const parts = [variable([1], [1])];
  const gathered = new Gathered(parts, 'parts');
  expect(() => new Gathered(parts, 'again')).toThrow(/is packed into another variable already/);
  expect(() => new Gathered([], 'nothing')).toThrow('nothing: expected at least one variable, got none.');
  gathered.dispose();
  parts[0].dispose();
});

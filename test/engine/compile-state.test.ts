/** What a compiled function keeps and changes: variables assigned in place, captured tensors, and what `dispose` gives back. */
import { describe, expect, test } from 'vitest';
import { DisposedError, ShapeError } from '../../engine/basics/errors.ts';
import { compile } from '../../engine/compile.ts';
import { type Tensor, tensor, tidy } from '../../engine/tensor.ts';
import { variable } from '../../engine/variable.ts';
import { add, concat, mul, reshape, square, sum } from '../../kernels/index.ts';
import { sharedDevice, take, takeOne } from '../device.ts';

const device = sharedDevice();
const live = () => device().memory.figures().live;
const once = async (result: Tensor) => [...(await takeOne(result))];

describe('variables', () => {
  test('are assigned in place, call after call', async () => {
    const count = variable([0], [1], { name: 'count', trainable: false });
    const { buffer } = count.storage;
    using f = compile(() => {
      count.assign(add(count, 1));
      return count;
    });
    const results = [f(), f(), f()];
    expect((await take(results)).map(([value]) => value)).toEqual([1, 2, 3]);
    expect(count.storage.buffer).toBe(buffer);
    expect(await once(count)).toEqual([3]);
  });

  test('read after the assignment have the new content, results taken before it the old', async () => {
    const v = variable([1, 2], [2]);
    using f = compile(() => {
      const before = add(v, 0);
      const old = mul(v, 10);
      v.assign(add(v, 1));
      const after = mul(v, 10);
      return [before, old, after];
    });
    for (const base of [1, 2]) {
      const results = (await take(f())).map(values => [...values]);
      expect(results).toEqual([
        [base, base + 1],
        [10 * base, 10 * base + 10],
        [10 * base + 10, 10 * base + 20],
      ]);
    }
    v.dispose();
  });

  test('the old content itself may be a result: a view of it; the variable itself is the new one', async () => {
    const v = variable([1, 2], [2]);
    using f = compile(() => {
      const old = reshape(v, [2, 1]);
      v.assign(add(v, 1));
      return [old, v];
    });
    const results = await take([...f(), ...f()]);
    expect(results.map(values => [...values])).toEqual([
      [1, 2],
      [2, 3],
      [2, 3],
      [3, 4],
    ]);
    v.dispose();
  });

  test('assigned twice keep the last; from an argument; from a constant', async () => {
    const v = variable([1], [1]);
    using constant = tensor([9]);
    using twice = compile((x: Tensor) => {
      v.assign(x);
      v.assign(add(v, 1));
      return undefined;
    });
    tidy(() => twice(tensor([4])));
    expect([...(await v.data())]).toEqual([5]);
    using copy = compile((x: Tensor) => {
      v.assign(x);
      return undefined;
    });
    tidy(() => copy(tensor([6])));
    expect([...(await v.data())]).toEqual([6]);
    using fixed = compile(() => {
      v.assign(constant);
      return undefined;
    });
    fixed();
    expect(await once(v)).toEqual([9]);
  });

  test('may be written between calls', async () => {
    const v = variable([1], [1]);
    using f = compile((x: Tensor) => mul(v, x));
    using x = tensor([10]);
    expect(await once(f(x))).toEqual([10]);
    v.write(Float32Array.of(2));
    expect(await once(f(x))).toEqual([20]);
    tidy(() => v.assign(tensor([3])));
    expect(await once(f(x))).toEqual([30]);
    v.dispose();
  });

  test('moved to other memory are found there', async () => {
    const v = variable([4], [1]);
    using f = compile((x: Tensor) => mul(v, x));
    using x = tensor([2]);
    expect(await once(f(x))).toEqual([8]);
    const whole = variable(new Float32Array(128), [128]);
    v.moveInto(whole, 64);
    expect(await once(f(x))).toEqual([8]);
    v.write(Float32Array.of(5));
    expect(await once(f(x))).toEqual([10]);
    expect((await whole.data())[64]).toBe(5);
    // They share memory; the part alone keeps it.
    whole.dispose();
    expect(await once(f(x))).toEqual([10]);
    v.dispose();
  });

  test('must have the shape of what they are assigned', () => {
    const v = variable([1, 2], [2], { name: 'pair' });
    tidy(() => {
      expect(() => v.assign(tensor([1, 2, 3]))).toThrow(ShapeError);
      expect(() => v.assign(tensor([1, 2, 3]))).toThrow(/pair.*\[2\].*\[3\]/);
      expect(() => v.write(new Float32Array(3))).toThrow(/pair.*2 elements.*3/);
    });
    v.dispose();
  });

  test('disposed of are refused instead of read', async () => {
    const v = variable([1], [1], { name: 'gone' });
    using f = compile((x: Tensor) => mul(v, x));
    using x = tensor([2]);
    expect(await once(f(x))).toEqual([2]);
    v.dispose();
    expect(() => f(x)).toThrow(DisposedError);
    expect(() => f(x)).toThrow(/gone/);
  });
});

describe('captured tensors', () => {
  test('stay alive until the function is disposed of', async () => {
    const before = live();
    const constant = tensor([1, 2, 3]);
    const f = compile((x: Tensor) => add(x, constant));
    using x = tensor([1, 1, 1]);
    f(x).dispose();
    constant.dispose();
    expect(await once(f(x))).toEqual([2, 3, 4]);
    f.dispose();
    expect(live()).toBe(before + 256);
  });

  test('made inside are uploaded once', async () => {
    using f = compile((x: Tensor) => add(x, tensor([10, 20])));
    using x = tensor([1, 2]);
    f(x).dispose();
    const held = live();
    expect(await once(f(x))).toEqual([11, 22]);
    expect(live()).toBe(held);
  });
});

describe('dispose', () => {
  test('gives everything back; a call afterwards starts anew', async () => {
    const before = live();
    const f = compile((x: Tensor, factor: Tensor) => sum(square(concat([x, mul(x, factor)]))));
    using x = tensor([1, 2]);
    expect(await once(f(x, 2))).toEqual([25]);
    f.dispose();
    f.dispose();
    expect(live()).toBe(before + 256);
    expect(f.programs).toEqual([]);
    expect(await once(f(x, 0))).toEqual([5]);
    f.dispose();
  });
});

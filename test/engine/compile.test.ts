/** `compile`: one trace, many replays, the same numbers as uncompiled, results that belong to the caller. */
import { describe, expect, test, vi } from 'vitest';
import { TraceError } from '../../engine/basics/errors.ts';
import { compile } from '../../engine/compile.ts';
import { type Tensor, tensor, tidy } from '../../engine/tensor.ts';
import { variable } from '../../engine/variable.ts';
import { add, conv2d, grad, matmul, mean, mul, neg, relu, square, sub, sum, tanh } from '../../kernels/index.ts';
import { sharedDevice, take, takeOne } from '../device.ts';
import { relativeError } from '../relative-error.ts';

const device = sharedDevice();
const once = async (result: Tensor) => [...(await takeOne(result))];

describe('replays', () => {
  test('with new content, tracing once', async () => {
    let traces = 0;
    using f = compile((x: Tensor, y: Tensor) => {
      traces++;
      return add(mul(x, y), 1);
    });
    for (const [a, b] of [
      [2, 3],
      [-1, 4],
    ])
      expect(await once(tidy(() => f(tensor([a, 0]), tensor([b, 5]))))).toEqual([a * b + 1, 1]);
    expect(traces).toBe(1);
    expect(f.programs.length).toBe(1);
  });

  test('with new shapes, tracing again for each, and returning to a known one', async () => {
    let traces = 0;
    using f = compile((x: Tensor) => {
      traces++;
      return sum(x);
    });
    const of = (...shape: number[]) => {
      const size = shape.reduce((product, n) => product * n, 1);
      return once(tidy(() => f(tensor(new Float32Array(size).fill(1), shape))));
    };
    expect([await of(3), await of(2, 2), await of(4), await of(3), await of(2, 2)]).toEqual([[3], [4], [4], [3], [4]]);
    expect(traces).toBe(3);
    expect(f.programs.length).toBe(3);
  });

  test('with numbers, which are no constants of the trace', async () => {
    let traces = 0;
    using f = compile((x: Tensor, factor: Tensor, offset: Tensor) => {
      traces++;
      expect([factor.shape, offset.shape]).toEqual([[], []]);
      return add(mul(x, factor), offset);
    });
    using x = tensor([1, 2]);
    // Submitted one after another without waiting: each call sees its own numbers.
    const results = [f(x, 2, 0.5), f(x, -3, 0), f(x, 0, 7)];
    expect((await take(results)).map(values => [...values])).toEqual([
      [2.5, 4.5],
      [-3, -6],
      [7, 7],
    ]);
    using zero = tensor(1);
    expect(await once(f(x, zero, 1))).toEqual([2, 3]);
    expect(traces).toBe(1);
  });

  test('one submit for each call', () => {
    using f = compile((x: Tensor) => grad(sum(square(tanh(matmul(x, x)))), [x]));
    using x = tensor([1, 2, 3, 4], [2, 2]);
    const submit = vi.spyOn(device().gpu.queue, 'submit');
    try {
      for (const result of f(x)) result.dispose();
      for (const result of f(x)) result.dispose();
      expect(submit).toHaveBeenCalledTimes(2);
    } finally {
      submit.mockRestore();
    }
  });

  test('with the same bits each time', async () => {
    using f = compile((x: Tensor, w: Tensor) => {
      const y = relu(conv2d(x, w, undefined, { padding: 1 }));
      return [y, ...grad(mean(square(y)), [x, w])];
    });
    using x = tensor(
      Float32Array.from({ length: 2 * 5 * 9 * 7 }, (_, i) => Math.sin(i)),
      [2, 5, 9, 7],
    );
    using w = tensor(
      Float32Array.from({ length: 6 * 5 * 9 }, (_, i) => Math.cos(i)),
      [6, 5, 3, 3],
    );
    const first = await take(f(x, w));
    for (let i = 0; i < 5; i++) expect(await take(f(x, w))).toEqual(first);
  });

  test('memory is flat over 200 of them', async () => {
    const weight = variable(new Float32Array(64).fill(0.5), [8, 8]);
    using step = compile((x: Tensor) => {
      const loss = mean(square(tanh(matmul(x, weight))));
      weight.assign(sub(weight, mul(grad(loss, [weight])[0], 0.1)));
      return loss;
    });
    using x = tensor(new Float32Array(64).fill(0.1), [8, 8]);
    const figures: string[] = [];
    for (let i = 0; i < 200; i++) {
      step(x).dispose();
      if (i === 10 || i === 199) figures.push(JSON.stringify({ ...device().memory.figures() }));
    }
    expect(figures[1]).toBe(figures[0]);
    weight.dispose();
  });
});

describe('numbers', () => {
  test('a training step gives what it gives uncompiled', async () => {
    const numbers = (count: number, phase: number) =>
      Float32Array.from({ length: count }, (_, i) => Math.sin(1.3 * i + phase));
    const make = () => variable(numbers(4 * 3 * 9, 1), [4, 3, 3, 3], { name: 'weight' });
    const [compiledWeight, eagerWeight] = [make(), make()];
    const step = (weight: typeof compiledWeight) => (x: Tensor, target: Tensor) => {
      const loss = mean(square(sub(tanh(conv2d(x, weight, undefined, { padding: 1 })), target)));
      weight.assign(sub(weight, mul(grad(loss, [weight])[0], 0.5)));
      return loss;
    };
    using compiled = compile(step(compiledWeight));
    const eager = step(eagerWeight);
    using x = tensor(numbers(2 * 3 * 30, 0), [2, 3, 6, 5]);
    using target = tensor(numbers(2 * 4 * 30, 2), [2, 4, 6, 5]);
    let last = Number.POSITIVE_INFINITY;
    for (let i = 0; i < 5; i++) {
      const [a] = await take([compiled(x, target)]);
      const [b] = await take([tidy(() => eager(x, target))]);
      expect(relativeError(a, b)).toBeLessThan(1e-6);
      expect(a[0]).toBeLessThan(last);
      [last] = a;
    }
    const [a, b] = await take([compiledWeight, eagerWeight]);
    expect(relativeError(a, b)).toBeLessThan(1e-6);
  });

  test.each([true, false])('sizes baked or not (%s)', async baked => {
    using f = compile((x: Tensor, y: Tensor) => ({ all: sum(mul(x, y)), rows: sum(add(x, y), { axes: [1] }) }), {
      baked,
    });
    const { all, rows } = tidy(() => f(tensor([1, 2, 3, 4, 5, 6], [2, 3]), tensor([1, -1, 2])));
    expect([await once(all), await once(rows)]).toEqual([[1 - 2 + 6 + 4 - 5 + 12], [8, 17]]);
  });

  test('unbaked, one text serves all sizes', () => {
    const sizes = [
      [3, 5],
      [7, 11],
      [64, 50],
    ];
    const texts = (baked: boolean) => {
      using f = compile((x: Tensor) => sum(square(add(x, 0.125)), { axes: [0] }), { baked });
      const before = device().pipelineCount;
      for (const shape of sizes) tidy(() => f(tensor(new Float32Array(shape[0] * shape[1]), shape))).dispose();
      return device().pipelineCount - before;
    };
    expect(texts(true)).toBeGreaterThanOrEqual(sizes.length);
    expect(texts(false)).toBeLessThan(sizes.length);
  });
});

describe('results', () => {
  test('belong to the caller: a later call changes nothing in them', async () => {
    using f = compile((x: Tensor) => mul(x, 2));
    const results = [1, 2, 3].map(value => tidy(() => f(tensor([value]))));
    expect((await take(results)).map(([value]) => value)).toEqual([2, 4, 6]);
  });

  test('outlive the function', async () => {
    const f = compile((x: Tensor) => mul(x, 2));
    const result = tidy(() => f(tensor([4])));
    f.dispose();
    expect(await once(result)).toEqual([8]);
  });

  test('keep their structure', async () => {
    using f = compile((x: Tensor) => ({ list: [x, [neg(x)]], nothing: undefined, deep: { y: add(x, 1) } }) as const);
    const result = tidy(() => f(tensor([3])));
    expect(Object.keys(result)).toEqual(['list', 'nothing', 'deep']);
    expect(result.nothing).toBeUndefined();
    const [x, [y]] = result.list;
    expect([await once(x), await once(y), await once(result.deep.y)]).toEqual([[3], [-3], [4]]);
  });

  test('the same tensor twice, an argument, a constant, a variable: each is memory of its own', async () => {
    const v = variable([5], [1]);
    using constant = tensor([7]);
    using f = compile((x: Tensor) => {
      const y = neg(x);
      return [y, y, x, constant, v];
    });
    using x = tensor([3]);
    const results = f(x);
    expect(new Set(results.map(result => result.storage.buffer)).size).toBe(5);
    v.write(Float32Array.of(6));
    expect((await take(results)).map(([value]) => value)).toEqual([-3, -3, 3, 7, 5]);
    expect([x.disposed, constant.disposed, v.disposed]).toEqual([false, false, false]);
    v.dispose();
  });

  test('no result at all', () => {
    const v = variable([1], [1]);
    using f = compile((x: Tensor) => {
      v.assign(x);
      return undefined;
    });
    expect(tidy(() => f(tensor([2])))).toBeUndefined();
    v.dispose();
  });
});

describe('inside another compiled function', () => {
  test('it becomes part of it', async () => {
    using inner = compile((x: Tensor) => ({ y: add(square(x), 1) }));
    using outer = compile((x: Tensor) => neg(inner(inner(x).y).y));
    expect(await once(tidy(() => outer(tensor([2]))))).toEqual([-26]);
    expect(inner.programs.length).toBe(0);
    expect(outer.programs[0].dispatches).toBe(1);
  });

  test('but takes no numbers there', () => {
    using inner = compile((x: Tensor, y: Tensor) => mul(x, y));
    using outer = compile((x: Tensor) => inner(x, 2));
    expect(() => tidy(() => outer(tensor([2])))).toThrow(TraceError);
  });
});

describe('warming up', () => {
  test('compiles kernel by kernel, says how far it is, and gives the same result', async () => {
    const steps: string[] = [];
    using f = compile((x: Tensor) => ({ y: sum(tanh(matmul(x, x)), { axes: [0] }) }));
    using x = tensor([0.5, 0.25, -0.5, 1], [2, 2]);
    const { y } = await f.warmUp([x], (done, total) => steps.push(`${done}/${total}`));
    const [first, second] = await take([y, f(x).y]);
    expect(first).toEqual(second);
    expect(steps.length).toBeGreaterThan(0);
    expect(steps.at(-1)).toBe(`${steps.length}/${steps.length}`);
  });
});

/**
 * Assignment means the same in eager and in compiled code: from there on the variable holds a copy of the value, what was
 * computed before stays as it was, and no gradient flows through it.
 */
import { describe, expect, test } from 'vitest';
import { DaybreakError, DTypeError, GradientError, TraceError } from '../../engine/basics/errors.ts';
import { compile } from '../../engine/compile.ts';
import { type Tensor, tensor, tidy } from '../../engine/tensor.ts';
import { type Variable, variable } from '../../engine/variable.ts';
import {
  add,
  broadcastTo,
  clamp,
  fullLike,
  grad,
  mul,
  neg,
  reshape,
  square,
  sub,
  sum,
  sumTo,
} from '../../kernels/index.ts';
import { Adam } from '../../nn/optim/adam.ts';
import { Gathered } from '../../nn/optim/gathered.ts';
import { guardAssignments } from '../../train/kernels/guard.ts';
import { sharedDevice, take } from '../device.ts';

const device = sharedDevice();

/** What `body` returns and what the variables hold afterwards, eager, compiled, and compiled with sizes as arguments. */
async function everyWay(
  contents: readonly (readonly number[])[],
  body: (variables: readonly Variable[]) => readonly Tensor[],
  { trainable = true, gathered = false, rounds = 1 } = {},
): Promise<{ way: string; results: number[][]; variables: number[][] }[]> {
  const all: { way: string; results: number[][]; variables: number[][] }[] = [];
  for (const way of ['eager', 'compiled', 'sizes as arguments']) {
    const variables = contents.map((numbers, i) => variable(numbers, [numbers.length], { trainable, name: `v${i}` }));
    const together = gathered ? new Gathered(variables, 'all') : undefined;
    using compiled = compile(() => [...body(variables)], { baked: way === 'compiled' });
    let results: number[][] = [];
    for (let round = 0; round < rounds; round++) {
      const made = way === 'eager' ? tidy(() => body(variables).map(result => result.alias())) : compiled();
      results = (await take(made)).map(numbers => [...numbers]);
    }
    const held = (await take(variables.map(one => one.alias()))).map(numbers => [...numbers]);
    all.push({ way, results, variables: held });
    together?.dispose();
    for (const one of variables) one.dispose();
  }
  return all;
}

/** Expects the same results and variables in every way. */
async function expectEveryWay(
  right: { readonly results?: readonly (readonly number[])[]; readonly variables?: readonly (readonly number[])[] },
  ...rest: Parameters<typeof everyWay>
): Promise<void> {
  for (const { way, results, variables } of await everyWay(...rest)) {
    if (right.results) expect(results, `results, ${way}`).toEqual(right.results);
    if (right.variables) expect(variables, `variables, ${way}`).toEqual(right.variables);
  }
}

describe('gradients', () => {
  test.each([true, false])('do not flow through an assignment (trainable: %s)', async trainable => {
    const v = variable([0], [1], { trainable });
    const body = (x: Tensor) => {
      v.assign(mul(x, 3));
      return grad(sum(mul(v, x)), [x])[0];
    };
    using x = tensor([2], [1], { requiresGrad: true });
    using eager = tidy(() => body(x));
    using f = compile(body);
    using compiled = f(x);
    expect([await eager.item(), await compiled.item()]).toEqual([6, 6]);
    v.dispose();
  });

  test('end at the variable as it is now', async () => {
    const right = { results: [[12], [3]], variables: [[6]] };
    await expectEveryWay(right, [[2]], ([v]) => {
      v.assign(mul(v, 3));
      // d v² = 2 v at v = 6; and v itself times 0.5.
      return [grad(sum(square(v)), [v])[0], mul(v, 0.5)];
    });
  });

  test('of what was computed before know what the variable held then', async () => {
    const w = variable([2, 3], [2], { name: 'w' });
    const body = (x: Tensor) => {
      const loss = sum(mul(square(w), x));
      w.assign(neg(w));
      return grad(loss, [x])[0];
    };
    using x = tensor([1, 1], [2], { requiresGrad: true });
    using eager = tidy(() => body(x));
    expect([...(await eager.data())]).toEqual([4, 9]);
    using f = compile(body);
    using compiled = f(x);
    expect([...(await compiled.data())]).toEqual([4, 9]);
    expect([...(await w.data())]).toEqual([2, 3]);
    w.dispose();
  });

  test('of what was computed before survive a compiled call, a write, and an optimizer’s update', async () => {
    const w = variable([2, 3], [2], { name: 'w' });
    const before = device().memory.figures().live;
    const adam = new Adam([w], { lr: 0.5 });
    using f = compile(() => {
      w.assign(neg(w));
      return undefined;
    });
    using x = tensor([1, 1], [2], { requiresGrad: true });
    const changes = [() => void f(), () => w.write(Float32Array.of(8, 9)), () => adam.update([x])];
    for (const change of changes) {
      const [a, b] = await w.data();
      const loss = tidy(() => sum(mul(square(w), x)));
      change();
      const gradient = tidy(() => grad(loss, [x])[0]);
      expect([...(await gradient.data())]).toEqual([a ** 2, b ** 2]);
      loss.dispose();
      gradient.dispose();
    }
    adam.dispose();
    x.dispose();
    f.dispose();
    expect(device().memory.figures().live).toBe(before);
    w.dispose();
  });

  test('with respect to what a variable no longer holds are refused in one way', () => {
    const w = variable([2], [1], { name: 'w' });
    const body = () => {
      const loss = sum(square(w));
      w.assign(neg(w));
      return grad(loss, [w])[0];
    };
    using f = compile(body);
    for (const run of [() => tidy(body), () => f()]) {
      expect(run).toThrow(GradientError);
      expect(run).toThrow('w was assigned before grad() computed its gradient: call grad() first, then assign.');
    }
    w.dispose();
  });

  test('one handle for each of `wrt`', () => {
    tidy(() => {
      const x = tensor([1, 2], [2], { requiresGrad: true });
      const [first, second] = grad(sum(square(x)), [x, x]);
      expect(first).not.toBe(second);
      first.dispose();
      expect(second.disposed).toBe(false);
    });
  });
});

describe('what was read before', () => {
  const views: Readonly<Record<string, (v: Tensor) => Tensor>> = {
    'reshape, same shape': v => reshape(v, v.shape),
    'reshape, another shape': v => reshape(v, [2, 1]),
    'broadcastTo, same shape': v => broadcastTo(v, v.shape),
    'sumTo, same shape': v => sumTo(v, v.shape),
    alias: v => v.alias(),
    'a view of a view': v => reshape(reshape(v, [2, 1]), [2]),
  };
  test.each(Object.entries(views))('%s is a snapshot', async (_, view) => {
    const right = {
      results: [
        [1, 2],
        [9, 9],
      ],
      variables: [[9, 9]],
    };
    await expectEveryWay(right, [[1, 2]], ([v]) => {
      const old = view(v);
      v.assign(tensor([9, 9]));
      return [old, v];
    });
  });

  test('a view keeps its gradient', async () => {
    await expectEveryWay({ results: [[2, 4]] }, [[1, 2]], ([v]) => grad(sum(square(reshape(v, v.shape))), [v]));
  });
});

describe('variables of variables', () => {
  for (const gathered of [false, true])
    describe(gathered ? 'in one buffer' : 'each on its own', () => {
      const options = { gathered, rounds: 1 };
      test('one takes the other’s content', () =>
        expectEveryWay(
          {
            variables: [
              [3, 4],
              [3, 4],
            ],
          },
          [
            [1, 2],
            [3, 4],
          ],
          ([a, b]) => {
            a.assign(b);
            return [];
          },
          options,
        ));

      test('itself', () =>
        expectEveryWay(
          { variables: [[1, 2]] },
          [[1, 2]],
          ([a]) => {
            a.assign(a);
            return [];
          },
          options,
        ));

      test('two change places', () =>
        expectEveryWay(
          {
            variables: [
              [3, 4],
              [1, 2],
            ],
          },
          [
            [1, 2],
            [3, 4],
          ],
          ([a, b]) => {
            const old = a.alias();
            a.assign(b);
            b.assign(old);
            return [];
          },
          options,
        ));

      test('three change places, twice', () =>
        expectEveryWay(
          { variables: [[3], [1], [2]] },
          [[1], [2], [3]],
          ([a, b, c]) => {
            const old = a.alias();
            a.assign(b);
            b.assign(c);
            c.assign(old);
            return [];
          },
          { gathered, rounds: 2 },
        ));

      test('a chain', () =>
        expectEveryWay(
          { variables: [[2], [3], [6]], results: [[2], [6]] },
          [[1], [2], [3]],
          ([a, b, c]) => {
            a.assign(b);
            b.assign(c);
            c.assign(mul(c, a));
            return [a, c];
          },
          options,
        ));
    });
});

describe('an optimizer', () => {
  test('starts from what was assigned to its parameters', async () => {
    const results: number[][] = [];
    for (const way of ['eager', 'compiled']) {
      const w = variable([5, -5], [2]);
      const adam = new Adam([w], { lr: 0 });
      const body = () => {
        w.assign(clamp(w, -1, 1));
        adam.update([fullLike(w, 0)]);
        return undefined;
      };
      using f = compile(body);
      if (way === 'eager') tidy(body);
      else f();
      results.push([...(await w.data())]);
      adam.dispose();
      w.dispose();
    }
    expect(results).toEqual([
      [1, -1],
      [1, -1],
    ]);
  });

  test('whatever is assigned to wholes and parts, before, between and after, the last counts', async () => {
    const run = async (isCompiled: boolean) => {
      const [a, b] = [
        variable([1, 2], [2], { name: 'a' }),
        variable(new Float32Array(70).fill(3), [70], { name: 'b' }),
      ];
      const both = new Gathered([a, b], 'both');
      const { whole } = both;
      const body = () => {
        a.assign(mul(a, 10));
        const first = add(whole, 0);
        whole.assign(mul(whole, 2));
        const second = [add(a, 0), sum(b)];
        b.assign(sub(b, 1));
        a.assign(add(a, 1));
        return [first, ...second, add(whole, 0)];
      };
      using f = compile(body);
      const made = isCompiled ? f() : tidy(body);
      const results = (await take(made)).map(numbers => [...numbers]);
      const held = [[...(await a.data())], [...(await b.data())], [...(await whole.data())]];
      both.dispose();
      const moved = [[...(await a.data())], [...(await b.data())]];
      a.dispose();
      b.dispose();
      return { results, held, moved };
    };
    const [eager, compiled] = [await run(false), await run(true)];
    expect(compiled).toEqual(eager);
    expect(eager.held[0]).toEqual([21, 41]);
    expect(eager.held[1]).toEqual(Array.from({ length: 70 }, () => 5));
    expect(eager.moved).toEqual(eager.held.slice(0, 2));
    expect(eager.results[1]).toEqual([20, 40]);
    expect(eager.results[2]).toEqual([420]);
  });

  test('lets its parameters go when it is disposed of: they may get another one', async () => {
    const w = variable([1, 2], [2], { name: 'w' });
    const before = device().memory.figures().live;
    using read = compile(() => mul(w, 1));
    const values: number[][] = [];
    for (let turn = 0; turn < 2; turn++) {
      const adam = new Adam([w], { lr: 1 });
      expect(() => new Adam([w])).toThrow(DaybreakError);
      tidy(() => adam.update([tensor([1, -1])]));
      // What was compiled before finds them, wherever they lie.
      values.push([...(await take([read()]))[0]]);
      adam.dispose();
    }
    expect(values).toEqual([
      [expect.closeTo(0, 4), expect.closeTo(3, 4)],
      [expect.closeTo(-1, 4), expect.closeTo(4, 4)],
    ]);
    read.dispose();
    expect(device().memory.figures().live).toBe(before);
    w.dispose();
  });

  test('its update is revised by a guard that comes afterwards', async () => {
    const w = variable([1, 2], [2]);
    const adam = new Adam([w], { lr: 1 });
    using f = compile((bad: Tensor) => {
      adam.update([fullLike(w, 1)]);
      guardAssignments(bad);
      return undefined;
    });
    const read: number[][] = [];
    for (const flag of [1, 0]) {
      tidy(() => f(tensor([flag])));
      read.push([...(await w.data()), await adam.steps.item()]);
    }
    expect(read).toEqual([
      [1, 2, 0],
      [expect.closeTo(0, 4), expect.closeTo(1, 4), 1],
    ]);
    adam.dispose();
    w.dispose();
  });
});

describe('arguments', () => {
  test('that are the variable itself mean what it held before', async () => {
    const v = variable([1, 2], [2]);
    using f = compile((x: Tensor) => {
      v.assign(mul(x, 2));
      return [x, add(x, v)];
    });
    using g = compile((x: Tensor) => {
      v.assign(x);
      return undefined;
    });
    const results = (await take(f(v) as Tensor[])).map(numbers => [...numbers]);
    expect(results).toEqual([
      [1, 2],
      [3, 6],
    ]);
    g(v);
    expect([...(await v.data())]).toEqual([2, 4]);
    v.dispose();
  });

  test('that lie in the memory of an update in place', async () => {
    const w = variable([1, 2], [2]);
    const adam = new Adam([w], { lr: 1 });
    using f = compile((x: Tensor) => {
      adam.update([fullLike(w, 1)]);
      return add(x, 0);
    });
    const [old] = await take([f(w)]);
    expect([...old]).toEqual([1, 2]);
    adam.dispose();
    w.dispose();
  });
});

describe('refused, by name', () => {
  test('another element type, another device’s tensor, what is no tensor', () => {
    const v = variable([1, 2], [2], { name: 'pair' });
    tidy(() => {
      const words = tensor(Uint32Array.of(1, 2));
      expect(() => v.assign(words)).toThrow(DTypeError);
      expect(() => v.assign(words)).toThrow('assign to pair: expected f32, got u32.');
      expect(() => v.assign(3 as unknown as Tensor)).toThrow('assign to pair: expected a tensor, got 3.');
      expect(() => v.write(Uint32Array.of(1, 2))).toThrow(DTypeError);
    });
    v.dispose();
  });

  test('writing and making variables while a function is traced', () => {
    const v = variable([1], [1], { name: 'v' });
    using writes = compile(() => {
      v.write(Float32Array.of(1));
      return undefined;
    });
    using makes = compile(() => {
      variable([1]);
      return undefined;
    });
    expect(() => writes()).toThrow(TraceError);
    expect(() => makes()).toThrow(TraceError);
    v.dispose();
  });
});

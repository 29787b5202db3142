/** Packs: what is computed for one place in a larger buffer is written there at once, wherever WebGPU allows it. */
import { describe, expect, test } from 'vitest';
import { GradientError } from '../../engine/basics/errors.ts';
import { compile } from '../../engine/compile.ts';
import { packLayout } from '../../engine/graph/memory-operations.ts';
import { type Tensor, tensor, tidy } from '../../engine/tensor.ts';
import { type Variable, variable } from '../../engine/variable.ts';
import { add, exp, grad, matmul, mul, neg, reshape, square, sum } from '../../kernels/index.ts';
import { pack, part } from '../../kernels/movement/pack.ts';
import { Adam } from '../../nn/optim/adam.ts';
import { guardAssignments } from '../../train/kernels/guard.ts';
import { sharedDevice, take, takeOne } from '../device.ts';

sharedDevice();

const X = [1, 2, 3, 4];

/** Dispatches of the compiled pack, whose content must be the uncompiled one's, gaps of zeros included. */
async function dispatches(members: (x: Tensor) => readonly Tensor[]): Promise<number> {
  const body = (x: Tensor) => pack(members(x));
  using compiled = compile(body);
  const expected = await takeOne(tidy(() => body(tensor(X, [2, 2]))));
  // Twice: gaps must stay zero.
  for (let i = 0; i < 2; i++) expect(await takeOne(tidy(() => compiled(tensor(X, [2, 2]))))).toEqual(expected);
  return compiled.programs[0].dispatches;
}

describe('no copies', () => {
  test('of what several kernels compute', async () => {
    expect(await dispatches(x => [matmul(x, x), sum(x), exp(x)])).toBe(3);
  });

  test('of what is computed in steps', async () => {
    expect(await dispatches(x => [matmul(matmul(x, x), x), neg(x)])).toBe(3);
  });
});

describe('copies, and the right numbers', () => {
  test('of arguments', async () => {
    expect(await dispatches(x => [x, neg(x)])).toBe(2);
  });

  test('of the same tensor twice', async () => {
    await dispatches(x => {
      const y = matmul(x, x);
      return [y, y];
    });
  });

  test('of a tensor and a view of it', async () => {
    await dispatches(x => {
      const y = matmul(x, x);
      return [reshape(y, [4]), y, exp(x)];
    });
    await dispatches(x => {
      const inner = pack([matmul(x, x), exp(x)]);
      return [part(inner, 64, [2, 2]), part(inner, 0, [4])];
    });
  });

  test('of a member from which another is computed', async () => {
    await dispatches(x => {
      const y = exp(x);
      return [y, matmul(y, x), matmul(reshape(y, [4, 1]), reshape(x, [1, 4]))];
    });
  });

  test('of a pack within a pack', async () => {
    await dispatches(x => [pack([exp(x), neg(x)]), exp(x)]);
  });
});

test('layout: places that WebGPU can bind, none overlapping', () => {
  const shapes = [[3], [64], [65], [], [2, 5]];
  const { offsets, total } = packLayout(shapes);
  expect(offsets).toEqual([0, 64, 128, 256, 320]);
  expect(total).toBe(384);
});

describe('an update in place', () => {
  const withAdam = (body: (w: Variable, update: () => void, x: Tensor) => Tensor) => {
    const w = variable([3, 4], [2], { name: 'w' });
    const adam = new Adam([w], { lr: 1 });
    const compiled = compile((x: Tensor) => body(w, () => adam.update(grad(sum(mul(w, x)), [w])), x));
    return {
      call: () => tidy(() => compiled(tensor([1, 1]))),
      [Symbol.dispose]: () => {
        for (const one of [compiled, adam, w]) one.dispose();
      },
    };
  };

  test('is seen by what is read afterwards', async () => {
    using step = withAdam((w, update) => {
      update();
      return mul(w, 10);
    });
    expect([...(await takeOne(step.call()))]).toEqual([expect.closeTo(20, 4), expect.closeTo(30, 4)]);
  });

  test('leaves what was computed before', async () => {
    using step = withAdam((w, update) => {
      const old = mul(w, 10);
      update();
      return add(old, 1);
    });
    expect([...(await takeOne(step.call()))]).toEqual([31, 41]);
  });

  test('leaves the old content to whoever still needs it', async () => {
    // w = [3, 4] becomes [2, 3]: one step of 1 against the gradient's sign.
    const late: Readonly<
      Record<string, [body: (w: Variable, update: () => void, x: Tensor) => Tensor, right: number[]]>
    > = {
      'a view that is read later': [
        (w, update) => {
          const old = reshape(w, [2, 1]);
          update();
          return neg(old);
        },
        [-3, -4],
      ],
      'a view as a result': [
        (w, update) => {
          const old = reshape(w, [2, 1]);
          update();
          return old;
        },
        [3, 4],
      ],
      'a gradient with respect to something else': [
        (w, update, x) => {
          const loss = sum(mul(w, square(x)));
          update();
          return grad(loss, [x])[0];
        },
        [6, 8],
      ],
      'a guard that comes afterwards': [
        (w, update, x) => {
          update();
          guardAssignments(sum(x));
          return add(w, 0);
        },
        [3, 4],
      ],
    };
    for (const [name, [body, right]] of Object.entries(late)) {
      using step = withAdam(body);
      expect([...(await takeOne(step.call()))], name).toEqual(right);
    }
  });

  test('comes after the gradients that it would spoil', () => {
    using step = withAdam((w, update, x) => {
      const loss = sum(mul(square(w), x));
      update();
      return grad(loss, [w])[0];
    });
    expect(() => step.call()).toThrow(GradientError);
    expect(() => step.call()).toThrow(/w was assigned before grad/);
  });
});

test('Adam with one gradient for two parameters', async () => {
  const [a, b] = [variable([1, 1], [2], { name: 'a' }), variable([2, 2], [2], { name: 'b' })];
  const adam = new Adam([a, b], { lr: 0.5 });
  using step = compile((x: Tensor) => {
    adam.update(grad(sum(mul(square(x), add(a, b))), [a, b]));
    return undefined;
  });
  tidy(() => step(tensor([1, 2])));
  // The first step is the learning rate against the gradient's sign.
  const [newA, newB] = (await take([a.alias(), b.alias()])).map(values => [...values]);
  expect(newA).toEqual([expect.closeTo(0.5, 5), expect.closeTo(0.5, 5)]);
  expect(newB).toEqual([expect.closeTo(1.5, 5), expect.closeTo(1.5, 5)]);
  adam.dispose();
  a.dispose();
  b.dispose();
});

/** Reverse-mode differentiation: sums over paths, deep graphs, what is recorded and what is refused. */
import { describe, expect, test } from 'vitest';
import { noGrad } from '../../engine/apply.ts';
import { GradientError, ShapeError } from '../../engine/basics/errors.ts';
import { compile } from '../../engine/compile.ts';
import { type Tensor, tensor, tidy } from '../../engine/tensor.ts';
import { variable } from '../../engine/variable.ts';
import {
  add,
  bceWithLogits as bce,
  grad,
  mul,
  neg,
  notFinite,
  reshape,
  slice,
  square,
  sub,
  sum,
} from '../../kernels/index.ts';
import { sharedDevice, take, takeOne } from '../device.ts';

const device = sharedDevice();

const input = (...values: number[]): Tensor => tensor(values, [values.length], { requiresGrad: true });

/** The gradients of what `body` returns with respect to its arguments. */
async function gradients(values: readonly number[], body: (...x: Tensor[]) => Tensor): Promise<number[]> {
  const results = await take(
    tidy(() => {
      const x = values.map(value => input(value));
      return grad(body(...x), x);
    }),
  );
  return results.map(([value]) => value);
}

describe('paths add up', () => {
  test('a tensor used twice in one operation', async () => {
    expect(await gradients([3], x => mul(x, x))).toEqual([6]);
    expect(await gradients([3], x => sub(x, x))).toEqual([0]);
  });

  test('a diamond', async () => {
    // y = x², loss = 2y + y³: dy = 2 + 3y² = 245 at y = 9, dx = 6 · 245.
    expect(
      await gradients([3], x => {
        const y = square(x);
        return add(mul(y, 2), mul(y, square(y)));
      }),
    ).toEqual([1470]);
  });

  test('two inputs through shared parts', async () => {
    // loss = (a + b)(a − b) = a² − b².
    expect(await gradients([3, 5], (a, b) => mul(add(a, b), sub(a, b)))).toEqual([6, -10]);
  });

  test('parts of one tensor', async () => {
    const gradient = await takeOne(
      tidy(() => {
        const x = input(1, 2, 3, 4);
        const twice = mul(slice(x, [0], [2]), slice(x, [2], [4]));
        return grad(add(sum(twice), sum(reshape(x, [2, 2]))), [x])[0];
      }),
    );
    expect([...gradient]).toEqual([4, 5, 2, 3]);
  });

  test('the loss itself, an intermediate tensor, and the same tensor asked for twice', async () => {
    const results = await take(
      tidy(() => {
        const x = input(3);
        const y = square(x);
        const loss = mul(y, 2);
        const [ofLoss, ofY, ofX] = grad(loss, [loss, y, x]);
        const [first, second] = grad(loss, [x, x]);
        return [ofLoss, ofY, ofX, first.alias(), second.alias()];
      }),
    );
    expect(results.map(([value]) => value)).toEqual([1, 2, 12, 12, 12]);
  });

  test('the loss may have any shape of one element', async () => {
    const [gradient] = await take(
      tidy(() => {
        const x = tensor([2], [1, 1, 1], { requiresGrad: true });
        return grad(square(x), [x]);
      }),
    );
    expect([...gradient]).toEqual([4]);
  });
});

describe('depth', () => {
  const DEPTH = 5000;

  test('a chain of 5,000 nodes is differentiated and given back', async () => {
    const before = device().memory.figures().live;
    const x = input(1);
    const loss = tidy(() => {
      let y: Tensor = x;
      for (let i = 0; i < DEPTH; i++) y = add(y, 1);
      return mul(y, y);
    });
    const [gradient] = grad(loss, [x]);
    expect(await takeOne(gradient)).toEqual(Float32Array.of(2 * (DEPTH + 1)));
    loss.dispose();
    x.dispose();
    expect(device().memory.figures().live).toBe(before);
  });

  test('a chain of diamonds takes time linear in its length', async () => {
    // Walked path by path it would take 2^200 turns.
    expect(
      await gradients([1], x => {
        let y = x;
        for (let i = 0; i < 200; i++) y = mul(add(y, y), 0.5);
        return y;
      }),
    ).toEqual([1]);
  });

  test('a compiled chain', async () => {
    using compiled = compile((x: Tensor) => {
      let y = x;
      for (let i = 0; i < 2000; i++) y = add(y, 1);
      return grad(square(y), [x])[0];
    });
    const gradient = await takeOne(tidy(() => compiled(tensor([1]))));
    expect([...gradient]).toEqual([4002]);
  });
});

describe('what is recorded', () => {
  test('requiresGrad follows from the inputs', () => {
    tidy(() => {
      const x = input(1, 2);
      const constant = tensor([1, 2]);
      expect([x, constant, neg(constant), neg(x), add(constant, x)].map(t => t.requiresGrad)).toEqual([
        true,
        false,
        false,
        true,
        true,
      ]);
      expect(noGrad(() => neg(x)).requiresGrad).toBe(false);
    });
  });

  test('noGrad ends with its body, also by an error', () => {
    tidy(() => {
      const x = input(1);
      expect(() =>
        noGrad(() => {
          throw new Error('mine');
        }),
      ).toThrow('mine');
      expect(neg(x).requiresGrad).toBe(true);
      expect(noGrad(() => noGrad(() => neg(x))).requiresGrad).toBe(false);
    });
  });

  test('noGrad keeps no memory', () => {
    using x = input(1, 2);
    const before = device().memory.figures().live;
    const y = noGrad(() => tidy(() => square(square(x))));
    expect(device().memory.figures().live).toBe(before + 256);
    y.dispose();
  });

  test('gradients are not recorded themselves unless asked for', () => {
    tidy(() => {
      const x = input(2);
      expect(grad(square(x), [x])[0].requiresGrad).toBe(false);
      expect(grad(square(x), [x], { createGraph: true })[0].requiresGrad).toBe(true);
    });
  });

  test('inside compile everything may be differentiated, and noGrad holds there, too', async () => {
    using compiled = compile((x: Tensor) => {
      const stopped = noGrad(() => square(x));
      return grad(sum(mul(stopped, x)), [x])[0];
    });
    // stopped counts as a constant: d (4 · x) = 4.
    expect([...(await takeOne(tidy(() => compiled(tensor([2])))))]).toEqual([4]);
  });
});

describe('refused, with a reason', () => {
  test('a loss of several elements', () => {
    tidy(() => {
      const x = input(1, 2);
      expect(() => grad(square(x), [x])).toThrow(ShapeError);
    });
  });

  test('a loss that does not depend on what is asked for', () => {
    tidy(() => {
      const x = input(1, 2);
      const other = input(1, 2, 3);
      expect(() => grad(sum(x), [x, other])).toThrow(GradientError);
      expect(() => grad(sum(x), [x, other])).toThrow(/does not depend on tensor 1 of shape \[3\]/);
      expect(() =>
        grad(
          noGrad(() => sum(x)),
          [x],
        ),
      ).toThrow(/tensor 0 of shape \[2\].*requiresGrad: true.*noGrad/);
    });
    const weight = variable([1], [1], { name: 'blocks.0.weight' });
    expect(() => tidy(() => grad(sum(input(1)), [weight]))).toThrow(/does not depend on blocks\.0\.weight/);
    weight.dispose();
  });

  test('an operation without a gradient on the way, by name', () => {
    tidy(() => {
      const x = input(1, 2);
      expect(() => grad(sum(notFinite(x)), [x])).toThrow(/notFinite has no gradient/);
    });
  });

  test('but not when the way does not lead to what is asked for', async () => {
    const [gradient] = await take(
      tidy(() => {
        const [x, y] = [input(1, 2), input(3, 4)];
        return grad(sum(mul(notFinite(x), y)), [y]);
      }),
    );
    expect([...gradient]).toEqual([0, 0]);
  });

  test('a second derivative through an operation that is a gradient itself', () => {
    tidy(() => {
      const x = tensor([1, 2, 3, 4], [1, 1, 2, 2], { requiresGrad: true });
      const target = tensor([1, 1, 1, 1], [1, 1, 2, 2]);
      // d² of bceWithLogits' kernel is not declared.
      const loss = () => bce(x, target);
      const [first] = grad(loss(), [x], { createGraph: true });
      expect(() => grad(sum(first), [x])).toThrow(GradientError);
    });
  });

  test('a variable that was assigned after it was used', () => {
    const weight = variable([2], [1], { name: 'weight' });
    tidy(() => {
      const loss = square(weight);
      weight.assign(tensor([5]));
      expect(() => grad(loss, [weight])).toThrow(GradientError);
      expect(() => grad(loss, [weight])).toThrow(/weight was assigned before grad\(\) computed/);
    });
    tidy(() => {
      const loss = square(weight);
      weight.write(Float32Array.of(7));
      expect(() => grad(loss, [weight])).toThrow(/weight was assigned/);
    });
    weight.dispose();
  });

  test('also when a compiled function assigned it', () => {
    const weight = variable([2], [1], { name: 'weight' });
    using step = compile(() => {
      weight.assign(mul(weight, 0.5));
      return undefined;
    });
    const loss = tidy(() => square(weight));
    step();
    expect(() => grad(loss, [weight])).toThrow(/weight was assigned/);
    loss.dispose();
    weight.dispose();
  });

  test('a failed gradient leaves nothing behind', () => {
    tidy(() => {
      const x = input(1, 2);
      const loss = sum(add(notFinite(x), square(x)));
      const before = device().memory.figures().live;
      expect(() => grad(loss, [x])).toThrow(GradientError);
      expect(device().memory.figures().live).toBe(before);
    });
  });
});

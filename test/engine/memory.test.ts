/** GPU memory: pooled, bounded, accounted for; handles, scopes and what happens to a tensor after its end. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DaybreakError, DisposedError, LimitError, OutOfMemoryError } from '../../engine/basics/errors.ts';
import { Device } from '../../engine/device/device.ts';
import { BINDING_ALIGNMENT, sizeClass } from '../../engine/device/memory.ts';
import { type Tensor, tensor, tidy } from '../../engine/tensor.ts';
import { variable } from '../../engine/variable.ts';
import { add, grad, mul, neg, reshape, square, sum } from '../../kernels/index.ts';
import { sharedDevice, takeOne } from '../device.ts';

const device = sharedDevice();
const figures = () => device().memory.figures();

describe('size classes', () => {
  test('hold what is asked for, waste at most a quarter, and can be bound', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 32 }), bytes => {
        const size = sizeClass(bytes);
        expect(size).toBeGreaterThanOrEqual(bytes);
        expect(size % BINDING_ALIGNMENT).toBe(0);
        expect(size).toBeLessThanOrEqual(Math.max(bytes * 1.25, bytes + BINDING_ALIGNMENT));
        expect(sizeClass(size), 'a class is its own').toBe(size);
      }),
      { seed: 1 },
    );
  });
});

describe('the pool', () => {
  test('gives back what it was given, and counts', () => {
    const { memory } = device();
    memory.trim();
    const before = figures();
    const first = memory.allocate(1000, 'first');
    expect(figures()).toMatchObject({ live: before.live + 1024, buffers: before.buffers + 1, pooled: 0 });
    const { buffer } = first;
    first.release();
    expect(figures()).toMatchObject({ live: before.live, buffers: before.buffers, pooled: 1024 });
    const second = memory.allocate(900, 'second');
    expect(second.buffer, 'the same class, the same buffer').toBe(buffer);
    expect(figures()).toMatchObject({ live: before.live + 1024, pooled: 0 });
    second.release();
    memory.trim();
    expect(figures()).toMatchObject({ live: before.live, pooled: 0 });
  });

  test('peak is the most that was ever live', () => {
    const { memory } = device();
    const large = memory.allocate(8 * 2 ** 20, 'large');
    const peak = figures().peak;
    expect(peak).toBeGreaterThanOrEqual(8 * 2 ** 20);
    large.release();
    memory.allocate(1000, 'small').release();
    expect(figures().peak).toBe(peak);
  });

  test('a claim given back twice counts once; a part keeps the whole', () => {
    const { memory } = device();
    const before = figures().live;
    const whole = memory.allocate(4096, 'whole');
    const part = whole.slice(1024, 512);
    expect([part.offset, part.bytes, part.buffer === whole.buffer]).toEqual([1024, 512, true]);
    whole.release();
    expect(whole.alive).toBe(true);
    expect(figures().live).toBe(before + 4096);
    part.release();
    part.release();
    expect(whole.alive).toBe(false);
    expect(figures().live).toBe(before);
    expect(() => whole.retain()).toThrow(DisposedError);
  });

  test('exact memory is not pooled', () => {
    const { memory } = device();
    memory.trim();
    const exact = memory.allocateExact(1001, 'exact');
    expect(exact.buffer.size).toBe(1004);
    exact.release();
    expect(figures().pooled).toBe(0);
  });

  test('holders say who, how much, and where', () => {
    function somebodyWhoForgets(): Tensor {
      return tensor(new Float32Array(5000));
    }
    const forgotten = somebodyWhoForgets();
    const [holder] = device().memory.holders();
    expect(holder).toMatchObject({ label: 'tensor', bytes: sizeClass(20_000) });
    expect(holder.stack).toContain('somebodyWhoForgets');
    forgotten.dispose();
    expect(
      device()
        .memory.holders()
        .every(({ bytes }) => bytes !== sizeClass(20_000)),
    ).toBe(true);
  });
});

describe('limits', () => {
  test('beyond the budget: OutOfMemoryError with the figures; what is pooled makes room first', async () => {
    const budget = 4 * 2 ** 20;
    using small = await Device.create({ memoryBudget: budget });
    const mebibytes = (count: number) => tensor(new Float32Array(count * 2 ** 18), undefined, { device: small });
    const kept = mebibytes(2);
    const passing = mebibytes(1);
    passing.dispose();
    // 2 live, 1 pooled: 2 more fit only when the pooled one goes.
    const other = mebibytes(2);
    expect(small.memory.figures()).toMatchObject({ live: budget, pooled: 0 });
    let error: unknown;
    try {
      mebibytes(1);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(OutOfMemoryError);
    expect(error).toMatchObject({ requested: 2 ** 20, live: budget, peak: budget, budget });
    expect((error as Error).message).toMatch(/asked for 1\.0 MiB with 4\.0 MiB live.*budget 4\.0 MiB.*memoryBudget/);
    // Nothing was lost, and work goes on.
    other.dispose();
    const result = neg(kept);
    expect(small.memory.figures().live).toBe(budget);
    result.dispose();
    kept.dispose();
    expect(small.memory.figures().live).toBe(0);
    await small.finished();
  });

  test('a result that does not fit leaves the operands as they were', async () => {
    using small = await Device.create({ memoryBudget: 2 ** 20 });
    const x = tensor(new Float32Array(2 ** 17), undefined, { device: small });
    const y = neg(x);
    expect(() => add(x, y)).toThrow(OutOfMemoryError);
    expect(small.memory.figures().live).toBe(2 ** 20);
    expect((await takeOne(y)).length).toBe(2 ** 17);
    x.dispose();
  });

  test('a buffer larger than the adapter allows: LimitError', () => {
    const allowed = device().gpu.limits.maxBufferSize;
    const ask = () => device().memory.allocate(allowed + 4, 'a huge picture');
    expect(ask).toThrow(LimitError);
    expect(ask).toThrow(/a huge picture.*maxBufferSize/);
    expect(ask).toThrow(expect.objectContaining({ limit: 'maxBufferSize', allowed }));
  });

  test('a tensor larger than a kernel can bind: LimitError naming the operation', () => {
    const allowed = device().traits.maxBindingBytes;
    if (allowed >= device().gpu.limits.maxBufferSize) {
      // Such a tensor cannot even be made here.
      expect(() => tensor(new Float32Array(allowed / 4 + 1))).toThrow(/tensor.*maxBufferSize/);
      return;
    }
    const x = tensor(new Float32Array(allowed / 4 + 1));
    expect(() => neg(x)).toThrow(LimitError);
    expect(() => neg(x)).toThrow(/neg.*maxStorageBufferBindingSize/);
    x.dispose();
    device().memory.trim();
  });
});

describe('handles', () => {
  test('dispose: the memory goes at once, the handle is of no use, again does no harm', async () => {
    const before = figures().live;
    const x = tensor([1, 2, 3]);
    expect([x.disposed, x.size, String(x)]).toEqual([false, 3, 'Tensor[3]']);
    x.dispose();
    x.dispose();
    expect(figures().live).toBe(before);
    expect([x.disposed, String(x)]).toEqual([true, 'Tensor(disposed)']);
    expect(() => x.shape).toThrow(DisposedError);
    expect(() => neg(x)).toThrow(DisposedError);
    expect(() => x.alias()).toThrow(DisposedError);
    await expect(x.data()).rejects.toThrow(DisposedError);
  });

  test('using', () => {
    const before = figures().live;
    {
      using x = tensor([1, 2, 3]);
      using y = neg(x);
      expect(y.shape).toEqual([3]);
      expect(figures().live).toBeGreaterThan(before);
    }
    expect(figures().live).toBe(before);
  });

  test('aliases and views keep the memory, each on its own', async () => {
    const x = tensor([1, 2, 3, 4]);
    const alias = x.alias();
    const view = reshape(x, [2, 2]);
    x.dispose();
    alias.dispose();
    expect(view.disposed).toBe(false);
    expect([...(await takeOne(view))]).toEqual([1, 2, 3, 4]);
  });

  test('memory goes back while work that reads it is under way, and the result is right', async () => {
    const count = 2 ** 18;
    const results: Tensor[] = [];
    for (let i = 0; i < 10; i++) {
      const x = tensor(new Float32Array(count).fill(i));
      results.push(add(x, 1));
      x.dispose();
    }
    for (const [i, result] of results.entries()) {
      const data = await takeOne(result);
      expect(data.every(value => value === i + 1)).toBe(true);
    }
  });

  test('item, data and words', async () => {
    using one = tensor(2.5);
    using words = tensor(Uint32Array.of(1, 4_000_000_000));
    using three = tensor([1, 2, 3]);
    expect([one.shape, words.dtype]).toEqual([[], 'u32']);
    expect(await one.item()).toBe(2.5);
    expect([...(await words.words())]).toEqual([1, 4_000_000_000]);
    await expect(three.item()).rejects.toThrow(/one element.*\[3\]/);
    await expect(words.data()).rejects.toThrow(/u32/);
  });
});

describe('tidy', () => {
  test('keeps what is returned, in arrays and objects, and nothing else', async () => {
    const before = figures().live;
    const { pair, sole } = tidy(() => {
      const x = tensor([1, 2]);
      const y = neg(neg(x));
      return { pair: [y, square(y)] as const, sole: mul(x, 3), text: 'no tensor' };
    });
    expect(figures().live).toBe(before + 3 * 256);
    expect([...(await takeOne(pair[0]))]).toEqual([1, 2]);
    expect([...(await takeOne(pair[1]))]).toEqual([1, 4]);
    expect([...(await takeOne(sole))]).toEqual([3, 6]);
  });

  test('nested: what an inner scope returns belongs to the outer', () => {
    const before = figures().live;
    let seen: Tensor | undefined;
    tidy(() => {
      seen = tidy(() => neg(tensor([1])));
      expect(seen.disposed).toBe(false);
    });
    expect(seen?.disposed).toBe(true);
    expect(figures().live).toBe(before);
  });

  test('an error disposes of everything and passes on', () => {
    const before = figures().live;
    expect(() =>
      tidy(() => {
        neg(tensor([1]));
        throw new Error('mine');
      }),
    ).toThrow('mine');
    expect(figures().live).toBe(before);
  });

  test('takes no asynchronous function', () => {
    const before = figures().live;
    expect(() => tidy(async () => neg(tensor([1])))).toThrow(DaybreakError);
    expect(figures().live).toBe(before);
  });

  test('variables outlive it', async () => {
    const kept = tidy(() => {
      const v = variable([1, 2], [2], { name: 'kept' });
      return () => v;
    })();
    expect(kept.disposed).toBe(false);
    expect([...(await takeOne(kept))]).toEqual([1, 2]);
  });
});

test('recorded nodes hold what a gradient needs, and only as long as somebody can ask for it', async () => {
  const before = figures().live;
  const w = tensor([2, 3], [2], { requiresGrad: true });
  // The square and the product are needed for the gradient although their handles are gone.
  const loss = tidy(() => sum(mul(square(w), square(w))));
  expect(figures().live).toBeGreaterThan(before + 2 * 256);
  const [gradient] = grad(loss, [w]);
  expect([...(await takeOne(gradient))]).toEqual([32, 108]);
  loss.dispose();
  expect(figures().live).toBe(before + 256);
  w.dispose();
});

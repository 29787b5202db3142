/** What grows with use has bounds: programs, their temporaries, devices; and what works over several turns is left alone. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { DisposedError, LimitError } from '../../engine/basics/errors.ts';
import { compile } from '../../engine/compile.ts';
import { Device } from '../../engine/device/device.ts';
import { systemMemory } from '../../engine/device/gpu.node.ts';
import { type Tensor, tensor, tidy } from '../../engine/tensor.ts';
import { variable } from '../../engine/variable.ts';
import { add, exp, matmul, mul, sum, transpose } from '../../kernels/index.ts';
import { sharedDevice, take, takeOne } from '../device.ts';

const device = sharedDevice();
const live = () => device().memory.figures().live;

describe('the programs of one compiled function', () => {
  /** Two temporaries of the size of x. */
  const body = (x: Tensor) => sum(matmul(exp(matmul(x, x)), transpose(x)));

  test('are at most as many as it is told, the one used longest ago goes', async () => {
    let traced = 0;
    using f = compile(
      (x: Tensor) => {
        traced++;
        return mul(x, 2);
      },
      { programs: 3, baked: false },
    );
    const call = async (n: number) =>
      expect((await takeOne(tidy(() => f(tensor(new Float32Array(n).fill(3))))))[n - 1]).toBe(6);
    for (const n of [1, 2, 3, 1, 4, 1]) await call(n);
    expect([f.programs.length, traced]).toEqual([3, 4]);
    // 2 was used longest ago.
    await call(1);
    expect(traced).toBe(4);
    await call(2);
    expect(traced).toBe(5);
  });

  test('1,000 shapes take a bounded number of programs, kernels and bytes', () => {
    const before = live();
    const kernels = device().pipelineCount;
    using f = compile((x: Tensor) => sum(exp(x)), { baked: false });
    let most = 0;
    for (let n = 1; n <= 1000; n++) {
      tidy(() => f(tensor(new Float32Array(n)))).dispose();
      most = Math.max(most, live() - before);
    }
    expect(f.programs).toHaveLength(32);
    // A sum in one stage, and one in two.
    expect(device().pipelineCount - kernels).toBeLessThan(8);
    expect(most).toBeLessThan(64 * 1024);
  });

  test('share their temporaries: 8 shapes hold what the largest needs', async () => {
    const held = async (sizes: readonly number[]) => {
      const before = live();
      using f = compile(body, { baked: false });
      for (const n of sizes) tidy(() => f(tensor(new Float32Array(n * n).fill(1 / n), [n, n]))).dispose();
      // The smallest still computes right in the largest one's memory: Σ of e¹ · 1/n over n³ products is n² · e.
      const n = sizes[0];
      const [result] = await takeOne(tidy(() => f(tensor(new Float32Array(n * n).fill(1 / n), [n, n]))));
      const [product, right] = [1 / n, n ** 2 * Math.exp(1 / n)];
      expect(Math.abs(result / right - 1), `${product}`).toBeLessThan(1e-5);
      return live() - before;
    };
    const sizes = [16, 32, 48, 64, 80, 96, 112, 128];
    expect(await held(sizes)).toBe(await held([128]));
    expect(await held(sizes.toReversed())).toBe(await held([128]));
  });
});

describe('over several turns of the event loop', () => {
  const N = 64;
  const filled = (value: number) => tensor(new Float32Array(N * N).fill(value), [N, N]);
  /** With temporaries, a number, and a variable that each call adds to. */
  const accumulating = () => {
    const total = variable([0], [], { trainable: false });
    const f = compile((x: Tensor, factor: Tensor) => {
      const y = sum(matmul(exp(mul(x, factor)), x));
      total.assign(add(total, y));
      return y;
    });
    return { total, f };
  };
  const right = (x: number, factor: number) => N ** 3 * Math.exp(x * factor) * x;

  test.each(['warmUp', 'gpu', 'host'] as const)(
    '%s is as one call, whatever is called or disposed of meanwhile',
    async way => {
      const { total, f } = accumulating();
      const x = filled(1);
      const slow = way === 'warmUp' ? f.warmUp([x, 0.5]) : f.profile([x, 0.5], way).then(({ result }) => result);
      x.dispose();
      const others: Tensor[] = [];
      for (let i = 1; i <= 3; i++) {
        others.push(tidy(() => f(filled(2), i / 4)));
        await new Promise(resolve => setImmediate(resolve));
      }
      const numbers = (await take([await slow, ...others])).map(([value]) => value);
      const expected = [right(1, 0.5), right(2, 0.25), right(2, 0.5), right(2, 0.75)];
      numbers.forEach((value, i) => {
        expect(Math.abs(value / expected[i] - 1), `call ${i}`).toBeLessThan(1e-5);
      });
      const all = expected.reduce((a, b) => a + b);
      expect(Math.abs((await total.item()) / all - 1)).toBeLessThan(1e-5);
      f.dispose();
      total.dispose();
    },
  );

  test('two at once', async () => {
    const { total, f } = accumulating();
    using x = filled(1);
    const slow = [f.profile([x, 0.5], 'gpu'), f.profile([x, 0.25], 'gpu'), f.profile([x, 0], 'host')];
    const results = (await Promise.all(slow)).map(({ result }) => result);
    const numbers = (await take(results)).map(([value]) => value);
    [right(1, 0.5), right(1, 0.25), right(1, 0)].forEach((value, i) => {
      expect(Math.abs(numbers[i] / value - 1), `call ${i}`).toBeLessThan(1e-5);
    });
    f.dispose();
    total.dispose();
  });

  test('disposing of the function during a warm-up compiles it again; during a profile it is an error', async () => {
    const { total, f } = accumulating();
    using x = filled(1);
    const warm = f.warmUp([x, 0.5]);
    f.dispose();
    const [result] = await take([await warm]);
    expect(Math.abs(result[0] / right(1, 0.5) - 1)).toBeLessThan(1e-5);
    const profiled = f.profile([x, 0.5], 'host');
    f.dispose();
    await expect(profiled).rejects.toThrow(DisposedError);
    f.dispose();
    total.dispose();
  });
});

describe('a device', () => {
  test('that was disposed of is collected, with its GPU device', async () => {
    const script = fileURLToPath(new URL('./disposed-devices.ts', import.meta.url));
    const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', '--import', 'tsx', script]);
    // The one of the last turn may still be in a register.
    const { made, alive } = JSON.parse(stdout) as { made: number; alive: number };
    expect([made, alive <= 1]).toEqual([8, true]);
  });

  test('of the caller’s keeps the caller’s errors to the caller', async () => {
    const gpu = device().gpu;
    const heard: string[] = [];
    const listen = (event: Event) => {
      event.preventDefault();
      heard.push((event as GPUUncapturedErrorEvent).error.message);
    };
    const { requestGpu } = await import('../../engine/device/gpu.node.ts');
    const adapter = await (await requestGpu()).requestAdapter();
    const foreign = await adapter!.requestDevice();
    foreign.addEventListener('uncapturederror', listen);
    expect(gpu).not.toBe(foreign);
    {
      using shared = await Device.create({ device: foreign });
      const x = tensor([1, 2], undefined, { device: shared });
      foreign.createBuffer({ size: 4, usage: 0 });
      const y = mul(x, 2);
      expect([...(await takeOne(y))]).toEqual([2, 4]);
      await shared.finished();
      expect(heard).toHaveLength(1);
      x.dispose();
    }
    foreign.destroy();
  });

  test('counts the memory of its container, not of the machine', () => {
    const allowed = process.constrainedMemory?.() ?? 0;
    const { constrainedMemory } = process;
    try {
      process.constrainedMemory = () => 700 * 2 ** 20;
      expect(systemMemory()).toBe(700 * 2 ** 20);
      process.constrainedMemory = () => 0;
      expect(systemMemory()).toBeGreaterThan(700 * 2 ** 20);
    } finally {
      process.constrainedMemory = constrainedMemory;
    }
    expect(allowed).toBeGreaterThanOrEqual(0);
  });

  test('refuses to read more than one buffer holds, before it tries', async () => {
    const { memory, limits } = device();
    const storage = memory.allocate(1024, 'large');
    const many = Array.from({ length: Math.floor(limits.maxBufferSize / 1024) + 1 }, () => storage);
    // The list is long where the limit is; what is asked for is not made.
    if (many.length < 2 ** 23) await expect(device().read(many)).rejects.toThrow(LimitError);
    storage.release();
  });

  test('whose driver has refused memory gives back what it kept, and knows what there is', async () => {
    using small = await Device.create();
    const tensors = [1, 2, 3].map(i => tensor(new Float32Array(i * 2 ** 18), undefined, { device: small }));
    for (const one of tensors.slice(1)) one.dispose();
    expect(small.memory.figures().pooled).toBeGreaterThan(0);
    const { live: held, pooled } = small.memory.figures();
    small.memory.refused();
    expect(small.memory.figures().pooled).toBe(0);
    expect(small.memory.budget).toBeLessThanOrEqual(held + pooled);
    tensors[0].dispose();
  });
});

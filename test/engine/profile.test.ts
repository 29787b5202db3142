import { describe, expect, test } from 'vitest';
import { requestGpu } from '#gpu';
import { TraceError } from '../../engine/basics/errors.ts';
import { compile } from '../../engine/compile.ts';
import { Device } from '../../engine/device/device.ts';
import { BufferCount, type Clock, type RunProfile } from '../../engine/program/profile.ts';
import { type Tensor, tensor } from '../../engine/tensor.ts';
import { variable } from '../../engine/variable.ts';
import { add, matmul, sum, tanh } from '../../kernels/index.ts';
import { sharedDevice, take, takeOne } from '../device.ts';

const device = sharedDevice();

const CLOCKS: readonly (Clock | undefined)[] = [undefined, 'gpu', 'host'];

/** Three dispatches and an assignment: each run adds to `total`. */
function accumulating() {
  const total = variable([0], [1], { device: device(), name: 'total' });
  const f = compile((x: Tensor) => {
    const y = sum(tanh(matmul(x, x)), { axes: [0, 1], keepDims: true });
    total.assign(add(total, sum(y)));
    return { y };
  });
  return {
    f,
    total,
    [Symbol.dispose]() {
      f.dispose();
      total.dispose();
    },
  };
}

const square = (n: number) => Float32Array.from({ length: n * n }, (_, i) => Math.sin(i));

/** What must hold of any timed run. */
function checkDispatches({ dispatches, wait, submit, origin, clock }: RunProfile): void {
  for (const [i, { begin, end }] of dispatches.entries()) {
    expect(end).toBeGreaterThanOrEqual(begin);
    if (i > 0) expect(begin).toBeGreaterThanOrEqual(dispatches[i - 1].end);
  }
  const [first, last] = [dispatches[0], dispatches.at(-1)!];
  expect(first.begin).toBe(0);
  expect(last.end).toBeGreaterThan(0);
  // The host saw the end after it happened.
  expect(last.end).toBeLessThanOrEqual(wait.end - submit.begin);
  if (clock === 'gpu') expect(origin).toBeGreaterThan(0n);
}

describe('a profiled run', () => {
  test('is a run like any other, whatever the clock', async () => {
    const results: unknown[] = [];
    for (const clock of ['plain', ...CLOCKS] as const) {
      using accumulated = accumulating();
      using x = tensor(square(40), [40, 40]);
      const values: number[][] = [];
      for (let i = 0; i < 3; i++) {
        const { y } = clock === 'plain' ? accumulated.f(x) : (await accumulated.f.profile([x], clock)).result;
        values.push([...(await takeOne(y))]);
      }
      results.push({ values, total: await accumulated.total.item() });
    }
    for (const result of results) expect(result).toEqual(results[0]);
  });

  test.each(['gpu', 'host'] as const)('timed by the %s has each dispatch in order, with what it is', async clock => {
    using accumulated = accumulating();
    using x = tensor(square(40), [40, 40]);
    accumulated.f(x).y.dispose();
    const { result, profile } = await accumulated.f.profile([x], clock);
    result.y.dispose();
    expect(profile.clock).toBe(clock);
    expect(profile.dispatches).toHaveLength(accumulated.f.programs[0].dispatches);
    expect(profile.dispatches[0].call).toMatchObject({
      operation: 'matmul',
      kernel: { name: expect.stringMatching(/^matmul/) },
      problem: { inputs: [{ shape: [40, 40] }, { shape: [40, 40] }], outputs: [{ shape: [40, 40] }] },
    });
    expect(profile.dispatches[0].bytes).toBe(3 * 40 * 40 * 4);
    checkDispatches(profile);
  });

  test('that is not timed tells what the host did, in order', async () => {
    using accumulated = accumulating();
    using x = tensor(square(40), [40, 40]);
    const before = performance.now();
    const { result, profile } = await accumulated.f.profile([x]);
    result.y.dispose();
    const { encode, submit, wait } = profile;
    expect(profile).toMatchObject({ clock: undefined, dispatches: [] });
    const times = [before, encode.begin, encode.end, submit.begin, submit.end, wait.begin, wait.end, performance.now()];
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(encode.end).toBeGreaterThan(encode.begin);
  });

  test('measures finer than the 65,536 ns that browsers allow', async () => {
    using accumulated = accumulating();
    using x = tensor(square(40), [40, 40]);
    const { result, profile } = await accumulated.f.profile([x], 'gpu');
    result.y.dispose();
    expect(profile.tick).toBe(1);
  });

  test('may have more dispatches than a query set has queries for', async () => {
    const LENGTH = 2100;
    using f = compile((x: Tensor) => {
      let y = x;
      for (let i = 0; i < LENGTH; i++) y = matmul(x, y);
      return y;
    });
    using x = tensor([0, 1, 1, 0], [2, 2]);
    const { result, profile } = await f.profile([x], 'gpu');
    expect([...(await takeOne(result))]).toEqual([0, 1, 1, 0]);
    expect(profile.dispatches).toHaveLength(LENGTH);
    checkDispatches(profile);
  });

  test('cannot be traced', async () => {
    using inner = compile((x: Tensor) => add(x, 1));
    let refused: Promise<unknown> | undefined;
    using outer = compile((x: Tensor) => {
      refused = inner.profile([x]);
      return add(x, 1);
    });
    using x = tensor([1]);
    outer(x).dispose();
    await expect(refused).rejects.toThrow(TraceError);
  });
});

test('where the device has no timestamps, the host’s clock is used', async () => {
  const adapter = await (await requestGpu()).requestAdapter();
  const gpu = await adapter!.requestDevice();
  using bare = await Device.create({ device: gpu });
  using x = tensor(square(20), [20, 20], { device: bare });
  using f = compile((x: Tensor) => matmul(x, x));
  const { result, profile } = await f.profile([x], 'gpu');
  result.dispose();
  expect(profile.clock).toBe('host');
  expect(profile.dispatches).toHaveLength(1);
  checkDispatches(profile);
  gpu.destroy();
});

describe('counting buffers', () => {
  test('counts every buffer that is made meanwhile, and none before or after', async () => {
    const { gpu } = device();
    const make = () => gpu.createBuffer({ size: 16, usage: GPUBufferUsage.STORAGE }).destroy();
    make();
    {
      using buffers = new BufferCount(gpu);
      expect(buffers.count).toBe(0);
      make();
      make();
      expect(buffers.count).toBe(2);
    }
    make();
    expect(Object.hasOwn(gpu, 'createBuffer')).toBe(false);
  });

  test('finds none in a compiled function that runs again, profiled or not', async () => {
    using accumulated = accumulating();
    using x = tensor(square(40), [40, 40]);
    for (let round = 0; round < 2; round++) {
      using buffers = new BufferCount(device().gpu);
      for (const clock of CLOCKS) await take([(await accumulated.f.profile([x], clock)).result.y]);
      await take([accumulated.f(x).y]);
      if (round === 0) expect(buffers.count).toBeGreaterThan(0);
      else expect(buffers.count).toBe(0);
    }
  });
});

/** More than 65,535 workgroups, which WebGPU allows in one dimension: every element is still computed, and by the right one. */
import { afterEach, beforeEach, describe, expect, type MockInstance, test, vi } from 'vitest';
import { type Tensor, tensor, tidy } from '../../engine/tensor.ts';
import * as ops from '../../kernels/index.ts';
import { sharedDevice, takeOne } from '../device.ts';

const MOST_WORKGROUPS = 65_535;
/** 65,568 workgroups of 64; no multiple of 65,535, so that a second row of the grid is ragged. */
const [ROWS, COLUMNS] = [2049, 2048];
const COUNT = ROWS * COLUMNS;

/** Small whole numbers, which no neighbour shares: sums of a few are exact. */
const at = (i: number) => (i % 1021) - 7;
const content = Float32Array.from({ length: COUNT }, (_, i) => at(i));

/** The first element that is not what it should be. */
async function firstDifference(result: Tensor, count: number, expected: (i: number) => number): Promise<string> {
  const values = await takeOne(result);
  if (values.length !== count) return `${values.length} elements instead of ${count}`;
  for (let i = 0; i < count; i++)
    if (values[i] !== expected(i)) return `element ${i} is ${values[i]} instead of ${expected(i)}`;
  return 'none';
}

const run = (shape: readonly number[], body: (x: Tensor) => Tensor): Tensor => tidy(() => body(tensor(content, shape)));

let dispatch: MockInstance<GPUComputePassEncoder['dispatchWorkgroups']>;

beforeEach(() => {
  dispatch = vi.spyOn(GPUComputePassEncoder.prototype, 'dispatchWorkgroups');
});

// Else the sizes here, or what a workgroup takes, have changed, and the test shows nothing.
afterEach(() => {
  const most = Math.max(...dispatch.mock.calls.map(([x, y = 1]) => x * y));
  dispatch.mockRestore();
  expect(most).toBeGreaterThan(MOST_WORKGROUPS);
});

describe('workgroups of 64 elements, as on a GPU', () => {
  sharedDevice({ traits: { software: false, subgroupSize: 0 } });

  test('elementwise', async () => {
    expect(
      await firstDifference(
        run([COUNT], x => ops.add(ops.mul(x, 2), x)),
        COUNT,
        i => 3 * at(i),
      ),
    ).toBe('none');
  });

  test('elementwise with broadcasting', async () => {
    const result = run([ROWS, COLUMNS], x =>
      ops.sub(
        x,
        tensor(
          Float32Array.from({ length: ROWS }, (_, i) => i),
          [ROWS, 1],
        ),
      ),
    );
    expect(await firstDifference(result, COUNT, i => at(i) - Math.floor(i / COLUMNS))).toBe('none');
  });

  test('permute', async () => {
    const result = run([ROWS, COLUMNS], x => ops.transpose(x));
    expect(await firstDifference(result, COUNT, i => at((i % ROWS) * COLUMNS + Math.floor(i / ROWS)))).toBe('none');
  });

  test('slice and pad', async () => {
    const result = run([ROWS, COLUMNS], x =>
      ops.pad(ops.slice(x, [1, 0], [ROWS, COLUMNS]), [
        [1, 0],
        [0, 0],
      ]),
    );
    expect(await firstDifference(result, COUNT, i => (i < COLUMNS ? 0 : at(i)))).toBe('none');
  });

  test('concat', async () => {
    const result = run([COUNT], x => ops.concat([x, tensor([5])]));
    expect(await firstDifference(result, COUNT + 1, i => (i < COUNT ? at(i) : 5))).toBe('none');
  });

  test('pooling', async () => {
    const result = run([1, 1, ROWS, COLUMNS], x => ops.maxPool2d(x, 1));
    expect(await firstDifference(result, COUNT, at)).toBe('none');
  });

  test('a short sum for each of many outputs, a whole one over all', async () => {
    const pairs = run([COUNT / 2, 2], x => ops.sum(ops.concat([x, x]), { axes: [1] }));
    expect(await firstDifference(pairs, COUNT, i => at((2 * i) % COUNT) + at(((2 * i) % COUNT) + 1))).toBe('none');
    const [total] = await takeOne(run([COUNT], x => ops.sum(x)));
    const exact = content.reduce((sum, value) => sum + value, 0);
    expect(Math.abs(total - exact) / exact).toBeLessThan(1e-6);
  });

  // Workgroups of the broadcast kernels walk over tiles: 65,536 of them would take gigabytes. For tiles through workgroup
  // memory see conv2d-variants.test.ts.
  test('convolution by the plain kernel', async () => {
    const result = run([1, 1, ROWS, COLUMNS], x => ops.conv2d(x, tensor([3], [1, 1, 1, 1])));
    expect(await firstDifference(result, COUNT, i => 3 * at(i))).toBe('none');
  });

  test('convolution with padding', async () => {
    // The element above left, plus ten times the one itself.
    const weight = [1, 0, 0, 0, 10, 0, 0, 0, 0];
    const result = run([1, 1, ROWS, COLUMNS], x =>
      ops.conv2d(x, tensor(weight, [1, 1, 3, 3]), undefined, { padding: 1 }),
    );
    const expected = (i: number) => 10 * at(i) + (i >= COLUMNS && i % COLUMNS > 0 ? at(i - COLUMNS - 1) : 0);
    expect(await firstDifference(result, COUNT, expected)).toBe('none');
  });
});

describe('the adapter’s own workgroups', () => {
  sharedDevice();

  test('a sum by a workgroup for each of many outputs', async () => {
    const length = 64;
    const outputs = Math.floor(COUNT / length);
    expect(outputs).toBeGreaterThan(MOST_WORKGROUPS);
    const sums = run([outputs, length], x => ops.sum(x, { axes: [1] }));
    const expected = (i: number) => {
      let sum = 0;
      for (let j = 0; j < length; j++) sum += at(i * length + j);
      return sum;
    };
    expect(await firstDifference(sums, outputs, expected)).toBe('none');
  });

  test('matmul', async () => {
    const result = tidy(() =>
      ops.matmul(tensor(content.subarray(0, ROWS), [ROWS, 1]), tensor(content.subarray(0, COLUMNS), [1, COLUMNS])),
    );
    expect(await firstDifference(result, COUNT, i => at(Math.floor(i / COLUMNS)) * at(i % COLUMNS))).toBe('none');
  });
});

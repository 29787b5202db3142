import { describe, expect, test } from 'vitest';
import type { RgbPlanes } from '../../../methods/declaration.ts';
import { MethodError } from '../../../methods/errors.ts';
import { selfExSR } from '../../../methods/selfexsr/selfexsr.ts';
import { ThreadedRunner } from '../../../methods/threads.node.ts';
import { BackwardRunner, scene } from './scenes.ts';

const flat = (width: number, height: number, levels: readonly number[]): RgbPlanes => {
  const [r, g, b] = levels.map(level => new Float32Array(width * height).fill(level));
  return { width, height, planes: [r, g, b] };
};

test('the bytes depend on the seed, not on how the work is divided', async () => {
  const picture = scene(16, 13);
  const whole = await selfExSR(picture, { seed: 7 });
  expect(whole).toMatchObject({ width: 64, height: 52 });
  expect(await selfExSR(picture, { seed: 7, runner: new BackwardRunner(3) })).toEqual(whole);
  using threads = new ThreadedRunner(3);
  await threads.start();
  expect(await selfExSR(picture, { seed: 7, runner: threads })).toEqual(whole);
  expect(await selfExSR(picture, { seed: 8 })).not.toEqual(whole);
});

test.each([
  [1, 1],
  [2, 3],
  [1, 20],
  [12, 4],
])('%ix%i: constants stay constant, other pictures stay within 0 and 1', async (width, height) => {
  for (const scale of [2, 4] as const) {
    const result = await selfExSR(flat(width, height, [0, 0.3, 1]), { scale });
    expect(result).toMatchObject({ width: width * scale, height: height * scale });
    for (const [c, level] of [0, 0.3, 1].entries()) {
      expect(result.planes[c].length).toBe(width * height * scale * scale);
      expect(result.planes[c].every(value => Math.abs(value - level) < 1e-6)).toBe(true);
    }
    const { planes } = await selfExSR(scene(width, height), { scale });
    expect(planes.every(plane => plane.every(value => value >= 0 && value <= 1))).toBe(true);
  }
});

test('the picture is not written to', async () => {
  const picture = scene(8, 8);
  const copy = structuredClone(picture);
  await selfExSR(picture);
  expect(picture).toEqual(copy);
});

test('progress rises to the total', async () => {
  const seen: (readonly [number, number])[] = [];
  await selfExSR(scene(12, 9), { onProgress: (done, total) => seen.push([done, total]) });
  const [, total] = seen[0];
  expect(seen.every(([done, of], i) => of === total && done <= total && (i === 0 || done >= seen[i - 1][0]))).toBe(
    true,
  );
  expect(seen.at(-1)).toEqual([total, total]);
  expect(new Set(seen.map(([done]) => done)).size).toBeGreaterThan(100);
});

test('an aborted signal ends it, before and within a second while it works', async () => {
  const reason = new Error('enough');
  await expect(selfExSR(scene(8, 8), { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  const control = new AbortController();
  let abortedAt = 0;
  setTimeout(() => {
    abortedAt = performance.now();
    control.abort(reason);
  }, 100);
  await expect(selfExSR(scene(200, 200), { signal: control.signal })).rejects.toBe(reason);
  expect(performance.now() - abortedAt).toBeLessThan(1000);
});

describe('what it refuses', () => {
  test.each([
    [{ scale: 3 as 4 }, 'scale: expected 2 or 4, got 3'],
    [{ seed: -1 }, 'seed: expected an integer from 0 to 2^53 - 1, got -1'],
    [{ seed: 0.5 }, 'seed: expected an integer from 0 to 2^53 - 1, got 0.5'],
  ])('%o', async (options, message) => {
    await expect(selfExSR(scene(4, 4), options)).rejects.toThrow(new MethodError(message));
  });

  test('planes of another size', async () => {
    const message = 'planes: expected 3x5 samples in each, got 16, 16, 16';
    await expect(selfExSR({ ...scene(4, 4), width: 3, height: 5 })).rejects.toThrow(new MethodError(message));
    await expect(selfExSR(flat(0, 0, [0, 0, 0]))).rejects.toThrow(MethodError);
  });
});

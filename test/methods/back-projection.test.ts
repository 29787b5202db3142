import { expect, test } from 'vitest';
import { resizeSamples } from '../../image/resize.ts';
import { BACK_PROJECTION } from '../../methods/back-projection.ts';
import { LocalRunner } from '../../methods/passes.ts';
import { planeOf, scene, transposed } from './planes.ts';

const runner = new LocalRunner();
const enlarged = (plane: Parameters<typeof BACK_PROJECTION.run>[0]) => BACK_PROJECTION.run(plane, { runner });

const largest = (values: Float64Array, others: ArrayLike<number>) =>
  values.reduce((most, value, i) => Math.max(most, Math.abs(value - others[i])), 0);

test('the result shrinks to the picture, which bicubic interpolation does not', async () => {
  const given = scene(23, 17);
  const shrunk = (plane: { width: number; height: number; data: Float64Array }) =>
    resizeSamples({ ...plane, channels: 1 }, 1 / 4, { boundary: 'clamp' }).data;
  const result = await enlarged(given);
  expect([result.width, result.height]).toEqual([92, 68]);
  expect(largest(shrunk({ ...result, data: Float64Array.from(result.data) }), given.data)).toBeLessThan(1);
  const bicubic = resizeSamples({ ...given, channels: 1 }, 4, { boundary: 'clamp' });
  expect(largest(shrunk(bicubic), given.data)).toBeGreaterThan(3);
});

test('constants stay constant at every size; a transposed picture gives the transposed result', async () => {
  for (const [width, height] of [
    [1, 1],
    [2, 7],
  ] as const) {
    const { data } = await enlarged(planeOf(width, height, () => 77));
    expect(largest(Float64Array.from(data), new Array(data.length).fill(77))).toBeLessThan(1e-9);
  }
  const given = scene(12, 9);
  const turned = transposed(await enlarged(transposed(given)));
  expect(largest(Float64Array.from(turned.data), (await enlarged(given)).data)).toBeLessThan(1e-9);
});

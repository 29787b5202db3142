import { expect, test } from 'vitest';
import { INTERPOLATIONS, interpolation, isInterpolation } from '../../eval/methods.ts';
import { createPicture } from '../../image/picture.ts';
import { formulaPicture } from '../image/fixtures.ts';
import { checkPublishedScores, whatIsMissing } from './published-scores.ts';

const ALL = Object.fromEntries(INTERPOLATIONS.map(name => [name, interpolation(name)]));

test.for([
  ['Set5', ALL],
  ['Set14', ALL],
  // The others are in the long tests: 100 pictures take seconds for each method.
  ['BSD100', { bicubic: interpolation('bicubic') }],
] as const)('methods score on %s as published, in both protocols', async ([set, methods], context) => {
  const missing = whatIsMissing();
  if (missing) return context.skip(missing);
  await checkPublishedScores(set, methods);
});

test.each(INTERPOLATIONS)('%s keeps the channels, constant colours and sides of any size', async name => {
  for (const channels of [1, 2, 3, 4] as const) {
    const levels = [200, 77, 13, 255].slice(0, channels);
    const flat = createPicture(
      5,
      3,
      channels,
      Uint8Array.from({ length: 15 * channels }, (_, i) => levels[i % channels]),
    );
    const result = await interpolation(name)(flat);
    expect(result).toMatchObject({ width: 20, height: 12, channels });
    expect(result.data.every((value, i) => value === levels[i % channels])).toBe(true);
  }
});

test('nearest repeats each pixel 4x4', async () => {
  const picture = formulaPicture([3, 2, 3, 5]);
  const { data } = await interpolation('nearest')(picture);
  for (let y = 0; y < 8; y++) {
    for (let x = 0; x < 12; x++) {
      const from = ((y >> 2) * 3 + (x >> 2)) * 3;
      const to = (y * 12 + x) * 3;
      expect([...data.subarray(to, to + 3)]).toEqual([...picture.data.subarray(from, from + 3)]);
    }
  }
});

test('names are told from files', () => {
  expect(isInterpolation('bicubic')).toBe(true);
  expect(isInterpolation('./bicubic')).toBe(false);
  expect(isInterpolation('lanczos2')).toBe(false);
});

test('an aborted signal stops an interpolation', async () => {
  const signal = AbortSignal.abort(new Error('enough'));
  await expect(interpolation('bicubic')(createPicture(4, 4, 3), { signal })).rejects.toThrow('enough');
});

test('an interpolation hears of an abort while it works', async () => {
  const control = new AbortController();
  setTimeout(() => control.abort(new Error('enough')), 0);
  const running = interpolation('bicubic')(createPicture(100, 100, 3), { signal: control.signal });
  await expect(running).rejects.toThrow('enough');
});

import { expect, test } from 'vitest';
import { interpolate } from '../../models/interpolate.ts';
import { WeightsError } from '../../nn/module.ts';

const weights = (...values: readonly number[]) =>
  new Map([['w', { shape: [values.length], data: Float32Array.from(values) }]]);

test.each([
  [0, [1, -2]],
  [0.25, [1.5, -1.5]],
  [1, [3, 0]],
])('α = %d', (alpha, expected) => {
  expect([...interpolate(weights(1, -2), weights(3, 0), alpha).get('w')!.data]).toEqual(expected);
});

test('of different networks, or outside of 0 to 1, is an error', () => {
  expect(() => interpolate(weights(1), weights(1, 2), 0.5)).toThrow(
    'interpolate: expected equal shapes of w, got [1] and [2].',
  );
  expect(() => interpolate(weights(1), new Map(), 0.5)).toThrow('only one of the networks has w');
  expect(() => interpolate(new Map(), weights(1), 0.5)).toThrow('only one of the networks has w');
  for (const alpha of [-0.1, 1.1, Number.NaN])
    expect(() => interpolate(weights(1), weights(1), alpha)).toThrow(WeightsError);
});

import { expect, test } from 'vitest';
import { parseConfig } from '../../train/config/config.ts';
import { nextStop } from '../../train/run/next-stop.ts';

const run = (options: Record<string, unknown>) =>
  parseConfig({
    data: 'x',
    eval: 'held',
    out: 'y',
    steps: 100,
    evalEvery: 0,
    sampleEvery: 0,
    saveEvery: 1000,
    ...options,
  });

test.each([
  [{ saveEvery: 30 }, [30, 60, 90, 100]],
  [{ evalEvery: 40 }, [40, 80, 100]],
  [{ sampleEvery: 50 }, [50, 100]],
  [{ saveEvery: 30, evalEvery: 40, sampleEvery: 45 }, [30, 40, 45, 60, 80, 90, 100]],
  [{}, [100]],
])('%j: a run of 100 updates pauses after %j', (options, expected) => {
  const stops: number[] = [];
  for (let step = 0; step < 100; step = stops.at(-1)!) stops.push(nextStop(run(options), step));
  expect(stops).toEqual(expected);
});

test('a stop between two pauses changes none of them', () => {
  for (const step of [30, 31, 59]) expect(nextStop(run({ saveEvery: 30 }), step)).toBe(60);
});

/** The convolutions are as fast as they were, within a quarter. */
import { describe, expect, test } from 'vitest';
import { readBaselines } from '../../bench/baseline.ts';
import { baselineFor, parseBaselines, placeOf, ratioOf, slowerThan, WATCHED } from '../../bench/guard.ts';
import type { Device } from '../../engine/device/device.ts';
import { sharedDevice } from '../device.ts';

describe('the comparison', () => {
  const baseline = { adapter: 'a', cpu: 'c', date: '2026-11-25', ratios: { x: 20, y: 10 } };

  test('names what lost more than a quarter, and nothing else', () => {
    expect(slowerThan(baseline, { x: 15.1, y: 30, z: 0.1 })).toEqual([]);
    expect(slowerThan(baseline, { x: 14.9, y: 7.6 })).toEqual(['x']);
  });

  test('a damaged file is refused', () => {
    expect(parseBaselines(JSON.stringify([baseline]))).toEqual([baseline]);
    expect(() => parseBaselines(JSON.stringify([{ ...baseline, ratios: { x: '20' } }]))).toThrow('ratios');
  });

  test('the file that is kept knows every kernel that is watched', () => {
    for (const { ratios } of readBaselines()) expect(Object.keys(ratios)).toEqual(WATCHED.map(({ name }) => name));
  });
});

describe('on this machine', () => {
  const device = sharedDevice({ widest: true });

  test('a baseline counts for no other driver, and for no other width of the same', () => {
    const here = { ...placeOf(device()), date: '2026-11-25', ratios: {} };
    expect(baselineFor(device(), [here])).toBe(here);
    for (const key of ['description', 'device'] as const) {
      const description = { ...device().description, [key]: 'another' };
      expect(baselineFor({ description, traits: device().traits } as Device, [here])).toBeUndefined();
    }
  });

  test('no convolution has lost more than a quarter of its speed', async ({ skip }) => {
    const baseline = baselineFor(device(), readBaselines());
    const { adapter, cpu } = placeOf(device());
    if (!baseline)
      return skip(`bench/baseline.json has none for ${adapter} on ${cpu}; npm run bench -- baseline writes one`);
    const ratios: Record<string, number> = {};
    for (const watched of WATCHED) {
      const { name } = watched;
      ratios[name] = await ratioOf(device(), watched);
      // Once more: a disturbance of a second hits one kernel, a loss of speed stays.
      if (slowerThan(baseline, { [name]: ratios[name] }).length > 0) ratios[name] = await ratioOf(device(), watched);
    }
    const told = slowerThan(baseline, ratios).map(
      name => `${name}: ${ratios[name].toFixed(1)} times the plain kernel, was ${baseline.ratios[name]}`,
    );
    expect(told, 'after a change on purpose: npm run bench -- baseline').toEqual([]);
  });
});

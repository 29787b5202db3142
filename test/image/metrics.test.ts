import fc from 'fast-check';
import { expect, test } from 'vitest';
import { daalaLuma } from '../../image/daala.ts';
import { daalaSsim, psnr, ssim } from '../../image/metrics.ts';
import type { Plane } from '../../image/plane.ts';
import { formulaPicture } from './fixtures.ts';
import reference from './reference-values.json' with { type: 'json' };

test('the reference values come out', () => {
  const [a, b] = [daalaLuma(formulaPicture(reference.scores.a)), daalaLuma(formulaPicture(reference.scores.b))];
  expect(psnr(a, b)).toBeCloseTo(reference.scores.psnr, 10);
  expect(ssim(a, b)).toBeCloseTo(reference.scores.ssim, 12);
  expect(daalaSsim(a, b)).toBeCloseTo(reference.scores.daalaSsim, 12);
});

test('daala SSIM takes its window from the height, cut to the width', () => {
  const [width, height] = reference.tallSsim.picture;
  const data = new Float64Array(formulaPicture(reference.tallSsim.picture).data);
  const other = data.map(value => Math.floor(value * 0.8 + 20));
  expect(daalaSsim({ width, height, data }, { width, height, data: other })).toBeCloseTo(
    reference.tallSsim.daalaSsim,
    12,
  );
});

const plane: fc.Arbitrary<Plane> = fc
  .uint8Array({ minLength: 12 * 13, maxLength: 12 * 13 })
  .map(data => ({ width: 12, height: 13, data: new Float64Array(data) }));

test('symmetric; 1 and infinite for equal planes, less for others', () => {
  fc.assert(
    fc.property(plane, plane, (a, b) => {
      expect(psnr(a, a)).toBe(Number.POSITIVE_INFINITY);
      expect(ssim(a, a)).toBeCloseTo(1, 12);
      expect(daalaSsim(a, a)).toBeCloseTo(1, 12);
      for (const metric of [psnr, ssim, daalaSsim]) expect(metric(a, b)).toBeCloseTo(metric(b, a), 10);
      const equal = a.data.every((value, i) => value === b.data[i]);
      if (!equal) expect(Math.max(ssim(a, b), daalaSsim(a, b))).toBeLessThan(1);
    }),
  );
});

test('PSNR of a constant difference d is 20 log10(255 / d)', () => {
  fc.assert(
    fc.property(plane, fc.integer({ min: 1, max: 100 }), (a, d) => {
      const shifted = { ...a, data: a.data.map(value => value + d) };
      expect(psnr(a, shifted)).toBeCloseTo(20 * Math.log10(255 / d), 10);
    }),
  );
});

test('unequal or too small planes are refused', () => {
  const small = { width: 10, height: 12, data: new Float64Array(120) };
  expect(() => ssim(small, small)).toThrow('10x12 is too small for SSIM');
  expect(() => psnr(small, { ...small, height: 11 })).toThrow('cannot compare');
});

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseConfig } from '../../train/config/config.ts';
import { learningRateAt } from '../../train/schedule.ts';

const schedule = (options: Record<string, unknown>) => parseConfig({ data: 'x', out: 'y', ...options });

describe('constant', () => {
  test("is the paper's 10^-4 from the first update to the millionth", () => {
    for (const step of [0, 1, 999_999, 2e6]) expect(learningRateAt(schedule({}), step)).toBe(1e-4);
  });
});

describe('step', () => {
  test("is SRGAN's: 10^5 updates at 10^-4 and 10^5 at 10^-5", () => {
    const srgan = schedule({ lrSchedule: 'step', steps: 200_000 });
    expect(learningRateAt(srgan, 0)).toBe(1e-4);
    expect(learningRateAt(srgan, 99_999)).toBe(1e-4);
    expect(learningRateAt(srgan, 100_000)).toBeCloseTo(1e-5, 15);
    expect(learningRateAt(srgan, 199_999)).toBeCloseTo(1e-5, 15);
    expect(learningRateAt(srgan, 200_000)).toBeCloseTo(1e-6, 16);
  });

  test('takes any factor and interval', () => {
    const halves = schedule({ lrSchedule: 'step', lr: 0.8, lrStepEvery: 3, lrStepFactor: 0.5 });
    expect([0, 1, 2, 3, 4, 5, 6, 9].map(step => learningRateAt(halves, step))).toEqual([
      0.8, 0.8, 0.8, 0.4, 0.4, 0.4, 0.2, 0.1,
    ]);
  });
});

describe('cosine', () => {
  const cosine = schedule({ lrSchedule: 'cosine', lr: 4e-3, lrFloor: 1e-5, steps: 1000 });

  test('starts at lr, is halfway in the middle, ends at the floor and stays there', () => {
    expect(learningRateAt(cosine, 0)).toBe(4e-3);
    expect(learningRateAt(cosine, 500)).toBeCloseTo((4e-3 + 1e-5) / 2, 12);
    expect(learningRateAt(cosine, 1000)).toBeCloseTo(1e-5, 15);
    // Not a multiple of the period, after which a cosine that went on would be back.
    for (const step of [1001, 1500, 2000, 5000]) expect(learningRateAt(cosine, step)).toBeCloseTo(1e-5, 15);
  });

  test("equals PyTorch's CosineAnnealingLR", () => {
    // Its closed form for base_lr=1, eta_min=0.1, T_max=10, evaluated in Python for steps 0 to 5.
    const torch = [1, 0.9779754323328191, 0.9140576474687264, 0.8145033635316129, 0.6890576474687263, 0.55];
    const ten = schedule({ lrSchedule: 'cosine', lr: 1, lrFloor: 0.1, steps: 10 });
    for (const [step, rate] of torch.entries()) expect(learningRateAt(ten, step)).toBeCloseTo(rate, 14);
  });

  test('never rises and stays within its bounds', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e6 }), fc.double({ min: 0, max: 1, noNaN: true }), (steps, any) => {
        // Smaller numbers are 0 in float32 and refused.
        const floor = any < 2 ** -126 ? 0 : any;
        const one = schedule({ lrSchedule: 'cosine', lr: 1, lrFloor: floor, steps });
        let before = 1;
        for (let i = 0; i <= 20; i++) {
          const rate = learningRateAt(one, Math.round((steps * i) / 20));
          expect(rate).toBeLessThanOrEqual(before);
          expect(rate).toBeGreaterThanOrEqual(floor - 1e-15);
          before = rate;
        }
      }),
    );
  });
});

describe('warm-up', () => {
  test('rises linearly to the full rate, and does not change later rates', () => {
    const warm = schedule({ lr: 0.8, lrWarmup: 4 });
    expect([0, 1, 2, 3, 4, 100].map(step => learningRateAt(warm, step))).toEqual([0.2, 0.4, 0.8 * 0.75, 0.8, 0.8, 0.8]);
  });

  test('multiplies the rate of the schedule', () => {
    const options = { lrSchedule: 'cosine', lr: 1, lrFloor: 0.1, steps: 10 };
    const [plain, warm] = [schedule(options), schedule({ ...options, lrWarmup: 3 })];
    for (let step = 0; step < 12; step++)
      expect(learningRateAt(warm, step)).toBe(learningRateAt(plain, step) * Math.min(1, (step + 1) / 3));
  });

  test('of one update has no effect', () => {
    expect(learningRateAt(schedule({ lrWarmup: 1 }), 0)).toBe(1e-4);
  });
});

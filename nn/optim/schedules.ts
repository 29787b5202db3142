/**
 * Learning-rate schedules: functions from the number of steps so far, 0 before the first, to the learning rate. They have no
 * state, so a resumed training continues them. Rates are those of PyTorch's schedulers of similar names.
 *
 *     const rateAt = warmup(cosine({ lr: 1e-3, steps: 1000 }), 50);
 *     optimizer.lr = rateAt(step);
 */
import { ArgumentError, checkOptions } from '../../engine/basics/errors.ts';

/** The learning rate after this many steps. */
export type Schedule = (step: number) => number;

function positive(name: string, option: string, value: number): void {
  if (!(value > 0)) throw new ArgumentError(name, `expected ${option} above 0, got ${value}.`);
}

/** lr · factor^⌊step / every⌋ (StepLR). `factor` is 0.1 by default. */
export function stepDecay(options: {
  readonly lr: number;
  readonly every: number;
  readonly factor?: number;
}): Schedule {
  checkOptions('stepDecay', options, ['lr', 'every', 'factor']);
  const { lr, every, factor = 0.1 } = options;
  positive('stepDecay', 'every', every);
  return step => lr * factor ** Math.floor(step / every);
}

/** lr · factor^(number of `milestones` reached) (MultiStepLR). `factor` is 0.1 by default. */
export function multiStep(options: {
  readonly lr: number;
  readonly milestones: readonly number[];
  readonly factor?: number;
}): Schedule {
  checkOptions('multiStep', options, ['lr', 'milestones', 'factor']);
  const { lr, milestones, factor = 0.1 } = options;
  return step => lr * factor ** milestones.filter(milestone => step >= milestone).length;
}

/** lr · factor^step (ExponentialLR). */
export function exponential(options: { readonly lr: number; readonly factor: number }): Schedule {
  checkOptions('exponential', options, ['lr', 'factor']);
  const { lr, factor } = options;
  return step => lr * factor ** step;
}

/**
 * From lr at step 0 to `floor` (0 by default) at step `steps` on half a cosine, and constant from there (CosineAnnealingLR;
 * Loshchilov and Hutter, "SGDR", 2017, equation 5 without restarts).
 */
export function cosine(options: { readonly lr: number; readonly steps: number; readonly floor?: number }): Schedule {
  checkOptions('cosine', options, ['lr', 'steps', 'floor']);
  const { lr, steps, floor = 0 } = options;
  positive('cosine', 'steps', steps);
  return step => floor + 0.5 * (lr - floor) * (1 + Math.cos((Math.PI * Math.min(step, steps)) / steps));
}

/** lr · (1 − step / steps)^power, 0 from step `steps` on (PolynomialLR). `power` is 1 by default: a straight line. */
export function polynomial(options: {
  readonly lr: number;
  readonly steps: number;
  readonly power?: number;
}): Schedule {
  checkOptions('polynomial', options, ['lr', 'steps', 'power']);
  const { lr, steps, power = 1 } = options;
  positive('polynomial', 'steps', steps);
  return step => lr * (1 - Math.min(step, steps) / steps) ** power;
}

/** Multiplies the first `steps` rates by (step + 1) / steps: linear warm-up (Goyal et al. 2017, §2.2). Delays nothing. */
export function warmup(schedule: Schedule, steps: number): Schedule {
  return step => schedule(step) * (step < steps ? (step + 1) / steps : 1);
}

/** Reduces the learning rate when a measurement stalls (PyTorch's ReduceLROnPlateau). */
export class ReduceOnPlateau {
  readonly #options: Required<PlateauOptions>;
  #lr: number;
  #best = Number.POSITIVE_INFINITY;
  #stalled = 0;
  #cooling = 0;

  constructor(options: PlateauOptions) {
    checkOptions('ReduceOnPlateau', options, ['lr', 'factor', 'patience', 'threshold', 'cooldown', 'floor', 'mode']);
    const given = { factor: 0.1, patience: 10, threshold: 1e-4, cooldown: 0, floor: 0, mode: 'min' as const };
    this.#options = { ...given, ...options };
    const { factor, lr } = this.#options;
    if (!(factor > 0 && factor < 1))
      throw new ArgumentError('ReduceOnPlateau', `expected a factor between 0 and 1, got ${factor}.`);
    this.#lr = lr;
  }

  /** The current learning rate. */
  get lr(): number {
    return this.#lr;
  }

  /** Takes a new measurement, such as a validation loss, and returns the learning rate from now on. NaN counts as no better. */
  step(measured: number): number {
    const { factor, patience, threshold, cooldown, floor, mode } = this.#options;
    const value = mode === 'min' ? measured : -measured;
    const needed = Number.isFinite(this.#best) ? this.#best - threshold * Math.abs(this.#best) : this.#best;
    if (value < needed) {
      this.#best = value;
      this.#stalled = 0;
    } else this.#stalled++;
    if (this.#cooling > 0) {
      this.#cooling--;
      this.#stalled = 0;
    }
    if (this.#stalled > patience) {
      this.#lr = Math.max(this.#lr * factor, floor);
      this.#cooling = cooldown;
      this.#stalled = 0;
    }
    return this.#lr;
  }
}

/** Options of {@link ReduceOnPlateau}. */
export interface PlateauOptions {
  /** First learning rate. */
  readonly lr: number;
  /** Factor of a reduction. Default: 0.1. */
  readonly factor?: number;
  /** Measurements without improvement that are accepted. Default: 10. */
  readonly patience?: number;
  /** Relative improvement that counts. Default: 1e-4. */
  readonly threshold?: number;
  /** Measurements after a reduction that do not count as stalled. Default: 0. */
  readonly cooldown?: number;
  /** Least learning rate. Default: 0. */
  readonly floor?: number;
  /** Whether less or more is better. Default: `min`. */
  readonly mode?: 'min' | 'max';
}

/** Learning rate schedules. */

import { cosine, stepDecay, warmup } from '../nn/index.ts';
import type { TrainConfig } from './config/config.ts';

/** The options of a configuration that the learning rate depends on. */
export type Schedule = Pick<TrainConfig, 'lr' | 'lrSchedule' | 'lrFloor' | 'lrStepEvery' | 'lrStepFactor' | 'steps'> &
  Partial<Pick<TrainConfig, 'lrWarmup'>>;

/**
 * The learning rate of update `step`, counted from 0. If `lrWarmup` is n > 0, the schedule's rate is multiplied by
 * min(1, (step + 1) / n): linear warm-up (Goyal et al. 2017, "Accurate, Large Minibatch SGD", §2.2). The schedule itself is
 * not delayed.
 *
 * `constant`: lr. `step`: lr · lrStepFactor^⌊step / lrStepEvery⌋. `cosine` (Loshchilov and Hutter, "SGDR", 2017, equation
 * 5 without restarts): falls from lr at update 0 to lrFloor at update `steps`, and stays there.
 */
export function learningRateAt(schedule: Schedule, step: number): number {
  return warmup(scheduled(schedule), schedule.lrWarmup ?? 0)(step);
}

function scheduled({ lrSchedule, lr, lrFloor, lrStepEvery, lrStepFactor, steps }: Schedule): (step: number) => number {
  switch (lrSchedule) {
    case 'constant':
      return () => lr;
    case 'step':
      return stepDecay({ lr, every: lrStepEvery, factor: lrStepFactor });
    case 'cosine':
      return cosine({ lr, steps, floor: lrFloor });
  }
}

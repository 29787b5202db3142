/** Learning rate schedules. */

import type { TrainConfig } from './config/config.ts';

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
  const { lrWarmup = 0 } = schedule;
  return scheduledRate(schedule, step) * (step < lrWarmup ? (step + 1) / lrWarmup : 1);
}

function scheduledRate(schedule: Schedule, step: number): number {
  const { lr, lrFloor, lrStepEvery, lrStepFactor, steps } = schedule;
  switch (schedule.lrSchedule) {
    case 'constant':
      return lr;
    case 'step':
      return lr * lrStepFactor ** Math.floor(step / lrStepEvery);
    case 'cosine':
      return lrFloor + 0.5 * (lr - lrFloor) * (1 + Math.cos((Math.PI * Math.min(step, steps)) / steps));
  }
}

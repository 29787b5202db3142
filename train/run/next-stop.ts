import type { TrainConfig } from '../config/config.ts';

/** The next update after `step` at which an unbroken run pauses: to evaluate, sample, save, or because it is the last. */
export function nextStop({ steps, evalEvery, sampleEvery, saveEvery }: TrainConfig, step: number): number {
  const after = (every: number) => (every > 0 ? (Math.floor(step / every) + 1) * every : Number.POSITIVE_INFINITY);
  return Math.min(steps, after(evalEvery), after(sampleEvery), after(saveEvery));
}

/** Training entries of the metrics log: mean losses since the previous entry, speed and time. */

import { stepEntries } from '../report/report-content.ts';
import type { MetricsEntry, StepEntry } from '../run-folder/metrics.ts';
import { learningRateAt } from '../schedule.ts';
import type { StepResult } from '../trainer.ts';
import type { OpenRun } from './open-run.node.ts';

export interface StepLogOptions {
  /** Crops per update. */
  readonly batch: number;
  /** Learning rate of update `step`, counted from 0. */
  readonly rate: (step: number) => number;
  /** Seconds in which the GPU waited for crops in this session. */
  readonly waited: () => number;
  /** Last entry of earlier sessions. Its time is continued, and its sums if it is unfinished. */
  readonly before?: StepEntry | undefined;
  readonly append: (entry: StepEntry) => void;
}

/** Continues the log of a run. `metrics`: its entries so far. */
export function openStepLog({ folder, config, trainer }: OpenRun, metrics: readonly MetricsEntry[]): StepLog {
  return new StepLog({
    batch: config.batch * config.accumulate,
    rate: step => learningRateAt(config, step),
    waited: () => trainer.waitedForData,
    before: folder.unfinished ?? stepEntries(metrics).at(-1),
    append: entry => folder.record(entry),
  });
}

export class StepLog {
  readonly #options: StepLogOptions;
  readonly #secondsBefore: number;
  readonly #waitedBefore: number;
  /** Seconds of training in this session, without pauses between `stop` and `start`. */
  #seconds = 0;
  /** When the clock was read last; undefined while it is stopped. */
  #clock: number | undefined;
  #lastEntryAt = 0;
  #sums = new Map<string, number>();
  /** Updates in the sums. */
  #count = 0;
  /** Skipped updates since the previous entry; they are in no sum. */
  #skipped = 0;
  /** Updates since the previous entry, skipped or not, that were made while the clock ran. */
  #timed = 0;
  #step = 0;

  constructor(options: StepLogOptions) {
    this.#options = options;
    this.#secondsBefore = options.before?.seconds ?? 0;
    this.#waitedBefore = options.before?.waitedForDataSeconds ?? 0;
    const { updates, sums } = options.before?.unfinished ?? { updates: 0, sums: {} };
    this.#count = updates;
    this.#skipped = options.before?.unfinished ? (options.before.skipped ?? 0) : 0;
    this.#step = options.before?.step ?? 0;
    this.#sums = new Map(Object.entries(sums));
  }

  /** Seconds in which the GPU waited for crops, over all sessions. */
  get waited(): number {
    return this.#waitedBefore + this.#options.waited();
  }

  /** Starts the clock. */
  start(): void {
    this.#clock = this.#lastEntryAt = performance.now();
  }

  /**
   * Stops the clock and writes an entry for updates that have none yet. `unfinished`: an unbroken run would not write an
   * entry here, so the next session will replace it.
   */
  stop({ unfinished = false } = {}): void {
    if (this.#count + this.#skipped > 0) this.write({ unfinished });
    this.#readClock();
    this.#clock = undefined;
  }

  /** Adds a result. Returns crops per second since the previous entry; undefined while the clock is stopped. */
  add({ step, terms, skipped }: StepResult): number | undefined {
    if (skipped) this.#skipped++;
    else {
      for (const [name, value] of Object.entries(terms)) this.#sums.set(name, (this.#sums.get(name) ?? 0) + value);
      this.#count++;
    }
    this.#step = step;
    if (this.#clock === undefined) return undefined;
    this.#timed++;
    return this.#speed();
  }

  /** Writes an entry for all results since the previous one. */
  write({ unfinished = false } = {}): void {
    const { append, rate } = this.#options;
    // The first update of a session compiles kernels: its time says nothing about speed.
    const imagesPerSecond = this.#clock === undefined ? 0 : this.#speed();
    this.#readClock();
    const { loss = Number.NaN, ...terms } = Object.fromEntries(
      [...this.#sums].map(([name, sum]) => [name, sum / this.#count]),
    );
    append({
      step: this.#step,
      loss,
      ...(Object.keys(terms).length > 0 && { terms }),
      lr: rate(this.#step - 1),
      ...(this.#skipped > 0 && { skipped: this.#skipped }),
      imagesPerSecond,
      seconds: this.#secondsBefore + this.#seconds,
      waitedForDataSeconds: this.waited,
      ...(unfinished && { unfinished: { updates: this.#count, sums: Object.fromEntries(this.#sums) } }),
    });
    this.#sums = new Map();
    this.#count = this.#skipped = this.#timed = 0;
    this.#lastEntryAt = performance.now();
  }

  #speed(): number {
    return (this.#timed * this.#options.batch) / Math.max((performance.now() - this.#lastEntryAt) / 1000, 1e-6);
  }

  #readClock(): void {
    if (this.#clock === undefined) return;
    const now = performance.now();
    this.#seconds += (now - this.#clock) / 1000;
    this.#clock = now;
  }
}

/** From results of updates to lines of the log: means since the line before, speed, time. */

import type { StepEntry } from '../run-folder/metrics.ts';
import type { StepResult } from '../trainer.ts';

export interface StepLogOptions {
  /** Crops an update. */
  readonly batch: number;
  /** Learning rate of update `step`, counted from 0. */
  readonly rate: (step: number) => number;
  /** Seconds in which the GPU waited for crops in this session. */
  readonly waited: () => number;
  /** The last line of the sessions before: its clock goes on, and the sums of a line that was not finished. */
  readonly before?: StepEntry | undefined;
  readonly append: (entry: StepEntry) => void;
}

export class StepLog {
  readonly #options: StepLogOptions;
  readonly #secondsBefore: number;
  readonly #waitedBefore: number;
  /** Seconds of training in this session; the clock stands still between `end` and `begin`. */
  #seconds = 0;
  #began: number | undefined;
  #lineAt = 0;
  #sums = new Map<string, number>();
  /** Updates in the sums. */
  #count = 0;
  /** Updates that are in no sum, because they were skipped. */
  #skipped = 0;
  /** Of both, updates that the clock saw: not the first of a session, nor those of the sessions before. */
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

  /** Training begins or goes on. */
  begin(): void {
    this.#began = this.#lineAt = performance.now();
  }

  /**
   * Training pauses; what has no line yet gets one. `unfinished`: it stopped where an unbroken run would not have, and
   * the line will be taken back.
   */
  end({ unfinished = false } = {}): void {
    if (this.#count + this.#skipped > 0) this.write({ unfinished });
    this.#elapse();
    this.#began = undefined;
  }

  /** One more result; returns crops a second since the last line. */
  add({ step, terms, skipped }: StepResult): number {
    if (skipped) this.#skipped++;
    else {
      for (const [name, value] of Object.entries(terms)) this.#sums.set(name, (this.#sums.get(name) ?? 0) + value);
      this.#count++;
    }
    if (this.#began !== undefined) this.#timed++;
    this.#step = step;
    return this.#speed();
  }

  /** Writes the line of all results since the one before. */
  write({ unfinished = false } = {}): void {
    const { append, rate } = this.#options;
    // Nothing to tell of an update that was made before the clock started, the warm-up's.
    const imagesPerSecond = this.#began === undefined ? 0 : this.#speed();
    this.#elapse();
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
    this.#lineAt = performance.now();
  }

  #speed(): number {
    return (this.#timed * this.#options.batch) / Math.max((performance.now() - this.#lineAt) / 1000, 1e-6);
  }

  #elapse(): void {
    if (this.#began === undefined) return;
    const now = performance.now();
    this.#seconds += (now - this.#began) / 1000;
    this.#began = now;
  }
}

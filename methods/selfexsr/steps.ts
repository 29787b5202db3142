/** Runs the passes of one picture, and counts the work. */

import type { Pass, PassControl, Runner } from '../passes.ts';

/** How a picture is computed. */
export interface StepOptions {
  readonly runner: Runner;
  readonly signal?: AbortSignal | undefined;
  /** Called with the work done and all of it, which never changes. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** Work is counted in patch comparisons, roughly. */
export class Steps {
  readonly runner: Runner;
  readonly #total: number;
  readonly #signal: AbortSignal | undefined;
  readonly #onProgress: StepOptions['onProgress'];
  #done = 0;

  constructor({ runner, signal, onProgress }: StepOptions, total: number) {
    this.runner = runner;
    this.#total = total;
    this.#signal = signal;
    this.#onProgress = onProgress;
  }

  /** Runs a pass whose work counts as `work`. @throws the signal's reason. */
  async run<T extends object>(pass: Pass<T>, data: T, items: number, work = 0): Promise<void> {
    const before = this.#done;
    const report = (share: number) => {
      this.#done = before + work * share;
      this.#onProgress?.(this.#done, this.#total);
    };
    const control: PassControl = { signal: this.#signal, ...(work > 0 && { onDone: done => report(done / items) }) };
    await this.runner.run(pass, data, items, control);
    if (work > 0) report(1);
  }
}

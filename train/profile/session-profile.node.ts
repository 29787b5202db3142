/** Profiling as part of a session: the first updates after the warm-up are profiled, then a file is written. */

import { replaceFile } from '../run-folder/replace-file.node.ts';
import type { StepResult, Trainer } from '../trainer.ts';
import type { ProfileSummary } from './profile.ts';
import { summarize, TrainingProfiler } from './profile.ts';
import { profileLines } from './text.ts';
import { traceFile } from './trace.ts';

export interface ProfileOptions {
  /** The trace file to write. */
  readonly file: string;
  /** Updates to profile whole, and as many again dispatch by dispatch. */
  readonly steps: number;
}

export class SessionProfile {
  readonly #trainer: Trainer;
  readonly #profiler: TrainingProfiler;
  readonly #options: ProfileOptions;
  readonly #onLine: (text: string) => void;
  #summary: ProfileSummary | undefined;
  #ended = false;

  /** `onLine` is told the summary when it is there. */
  constructor(trainer: Trainer, options: ProfileOptions, onLine: (text: string) => void = () => {}) {
    this.#trainer = trainer;
    this.#profiler = new TrainingProfiler(trainer, options.steps);
    this.#options = options;
    this.#onLine = onLine;
  }

  get summary(): ProfileSummary | undefined {
    return this.#summary;
  }

  /** The trainer's updates until `last` (see `Trainer.run`), those profiled that are still to be. */
  async *updates(
    last: number,
    learningRate: (step: number) => number,
    signal?: AbortSignal,
  ): AsyncGenerator<StepResult, void, undefined> {
    while (!this.#profiler.done && this.#trainer.step < last && !signal?.aborted) {
      yield await this.#profiler.step(learningRate);
      // The update is made and told of, whatever becomes of the profile.
      if (this.#profiler.done) await this.#write();
    }
    yield* this.#trainer.run(last, learningRate, signal);
  }

  /** Writes what there is where the training ended before it was written. */
  async end(): Promise<void> {
    if (!this.#ended) await this.#write();
  }

  /** @throws RunFolderError naming the file. */
  async #write(): Promise<void> {
    this.#ended = true;
    const { profile } = this.#profiler;
    const { file, steps } = this.#options;
    if (!profile) {
      this.#onLine(`no profile: it takes ${2 * steps} updates after the first, and the training ended before`);
      return;
    }
    this.#summary = summarize(profile);
    await replaceFile(file, JSON.stringify(traceFile(profile)));
    for (const line of [...profileLines(this.#summary), '', `trace: ${file} (open it at ui.perfetto.dev)`])
      this.#onLine(line);
  }
}

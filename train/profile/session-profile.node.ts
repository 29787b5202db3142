/** Profiles the first updates of a session after the warm-up, and writes a trace file. */

import { replaceFile } from '../run-folder/replace-file.node.ts';
import type { StepResult, Trainer } from '../trainer.ts';
import type { ProfileSummary } from './profile.ts';
import { summarize, TrainingProfiler } from './profile.ts';
import { profileLines } from './text.ts';
import { traceFile } from './trace.ts';

/** What a session profiles, and where to. */
export interface ProfileOptions {
  /** The trace file to write. */
  readonly file: string;
  /** Number of normal updates to measure, and of updates to time dispatch by dispatch. */
  readonly steps: number;
}

export class SessionProfile {
  readonly #trainer: Trainer;
  readonly #profiler: TrainingProfiler;
  readonly #options: ProfileOptions;
  readonly #onLine: (text: string) => void;
  #summary: ProfileSummary | undefined;
  #ended = false;

  /** `onLine` receives the lines of the summary. */
  constructor(trainer: Trainer, options: ProfileOptions, onLine: (text: string) => void = () => {}) {
    this.#trainer = trainer;
    this.#profiler = new TrainingProfiler(trainer, options.steps);
    this.#options = options;
    this.#onLine = onLine;
  }

  get summary(): ProfileSummary | undefined {
    return this.#summary;
  }

  /** Runs the trainer until update `last` (see `Trainer.run`), and profiles the first updates. */
  async *updates(
    last: number,
    learningRate: (step: number) => number,
    signal?: AbortSignal,
  ): AsyncGenerator<StepResult, void, undefined> {
    while (!this.#profiler.done && this.#trainer.step < last && !signal?.aborted) {
      yield await this.#profiler.step(learningRate);
      // After the yield, so that the update is reported even if writing the profile fails.
      if (this.#profiler.done) await this.#write();
    }
    yield* this.#trainer.run(last, learningRate, signal);
  }

  /** Writes the profile if the training ended early. */
  async end(): Promise<void> {
    if (!this.#ended) await this.#write();
  }

  /** @throws RunFolderError naming the file. */
  async #write(): Promise<void> {
    this.#ended = true;
    const { profile } = this.#profiler;
    const { file, steps } = this.#options;
    if (!profile) {
      this.#onLine(`no profile: it needs ${2 * steps} updates after the first, and the training ended before`);
      return;
    }
    this.#summary = summarize(profile);
    await replaceFile(file, JSON.stringify(traceFile(profile)));
    for (const line of [...profileLines(this.#summary), '', `trace: ${file} (open it at ui.perfetto.dev)`])
      this.#onLine(line);
  }
}

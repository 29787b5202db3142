/** Results that are written in the background. */

import { printable } from '../common/text.ts';
import { codeOf, reasonOf } from '../files/file-error.ts';
import { FullDiskError } from './errors.ts';
import type { Outcome } from './job.ts';

/** Maximum number of concurrent writes. */
const MOST_WRITES = 4;

/** Results being written. Reports their outcomes in order. */
export class PendingResults {
  readonly #onOutcome: ((outcome: Outcome) => void) | undefined;
  readonly #writes = new Set<Promise<void>>();
  /** Resolves when all outcomes so far are reported. */
  #reported = Promise.resolve();
  #bytes = 0;
  #failure: { readonly error: unknown } | undefined;
  #full: FullDiskError | undefined;

  constructor(onOutcome: ((outcome: Outcome) => void) | undefined) {
    this.#onOutcome = onOutcome;
  }

  /** Bytes of the unwritten results. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Adds a job that needs no writing. */
  addOutcome(outcome: Outcome): void {
    this.add(Promise.resolve(outcome), 0);
  }

  /** Adds a result of `bytes`; `outcome` resolves when it is written. */
  add(outcome: Promise<Outcome>, bytes: number): void {
    this.#bytes += bytes;
    const reported = this.#reported.then(async () => this.#onOutcome?.(await outcome));
    this.#reported = reported.catch(error => {
      this.#failure ??= { error };
    });
    const write = outcome
      .then(
        known => {
          this.#full ??= fullDisk(known);
        },
        () => undefined,
      )
      .then(() => {
        this.#bytes -= bytes;
        this.#writes.delete(write);
      });
    this.#writes.add(write);
  }

  /** Waits until at most `bytes` and MOST_WRITES results are pending, or none. */
  async room(bytes: number): Promise<void> {
    while (this.#writes.size > 0 && (this.#writes.size >= MOST_WRITES || this.#bytes > bytes)) {
      await Promise.race(this.#writes);
    }
    if (this.#failure) throw this.#failure.error;
    this.throwIfFull();
  }

  /** @throws FullDiskError if a result met a full disk. */
  throwIfFull(): void {
    if (this.#full) throw this.#full;
  }

  /** Waits for all writes. Throws errors that are not outcomes. */
  async all(): Promise<void> {
    await this.#reported;
    if (this.#failure) throw this.#failure.error;
  }
}

/** System error codes that affect all results. */
const FULL = ['ENOSPC', 'EDQUOT', 'EROFS'];

/** The error that ends the batch, if the outcome is of that kind. */
function fullDisk(outcome: Outcome): FullDiskError | undefined {
  const cause: unknown = outcome.state === 'failed' ? outcome.error.cause : undefined;
  if (!FULL.includes(codeOf(cause))) return undefined;
  const problem = `cannot write more results: ${reasonOf(cause)}; earlier results are kept`;
  return new FullDiskError(`${printable(outcome.job.output)}: ${problem}`, { cause });
}

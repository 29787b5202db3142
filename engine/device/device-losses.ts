/** Counts consecutive device losses: after one the work is retried, after several it is given up. */
import { DeviceLostError } from '../basics/errors.ts';

/** Consecutive losses after which work is no longer retried. */
export const LOSSES_IN_A_ROW = 3;

/** Counts device losses without progress in between. */
export class DeviceLosses {
  readonly limit: number;
  #row = 0;

  constructor(limit = LOSSES_IN_A_ROW) {
    this.limit = limit;
  }

  /** Number of losses since the last progress. */
  get row(): number {
    return this.#row;
  }

  /** Records a loss. Throws a DeviceLostError with the count once there are `limit` in a row. */
  lost(error: DeviceLostError): void {
    this.#row++;
    if (this.#row < this.limit) return;
    const [times, last] = [`${this.#row} times in a row`, error.message.replace(/^GPU device lost /, '')];
    throw new DeviceLostError(error.reason, `${times} without progress; last error: ${last}`, {
      cause: error,
    });
  }

  /** Records progress: a step, an image. */
  progressed(): void {
    this.#row = 0;
  }
}

/** Lost devices in a row: one is bad luck and the work is done again, several say that it will not do. */
import { DeviceLostError } from '../basics/errors.ts';

/** Losses after which work that is long done again gives up. */
export const LOSSES_IN_A_ROW = 3;

/** Counts losses of the device between which nothing was achieved. */
export class DeviceLosses {
  readonly limit: number;
  #row = 0;

  constructor(limit = LOSSES_IN_A_ROW) {
    this.limit = limit;
  }

  /** How many there have been since the last progress. */
  get row(): number {
    return this.#row;
  }

  /** Notes a loss. Throws a DeviceLostError that says how often, where it makes `limit` in a row. */
  lost(error: DeviceLostError): void {
    this.#row++;
    if (this.#row < this.limit) return;
    const [times, last] = [`${this.#row} times in a row`, error.message.replace(/^GPU device lost /, '')];
    throw new DeviceLostError(error.reason, `${times} with nothing achieved between; the last: ${last}`, {
      cause: error,
    });
  }

  /** Notes that something was achieved: a step, a picture. */
  progressed(): void {
    this.#row = 0;
  }
}

/** The end of a training in which too many updates in a row were not finite. */
import { NonFiniteError } from './errors.ts';
import type { Looking } from './first-non-finite.ts';
import { foundIn, type Skip } from './skip.ts';
import type { Update } from './update.ts';

export class Ending {
  /** Updates so far, the last of them one too many. */
  readonly step: number;
  readonly skipped: Skip;
  #error: NonFiniteError | undefined;

  constructor(step: number, skipped: Skip) {
    this.step = step;
    this.skipped = skipped;
  }

  /**
   * What to throw. The state is still that before the first update of the row, which is looked into once.
   * @throws what looking does where the device was lost.
   */
  async error(update: Update, learningRate: (step: number) => number, looking: Looking): Promise<NonFiniteError> {
    if (this.#error) return this.#error;
    const { step, skipped } = this;
    const { inRow } = skipped;
    const failing = step - inRow;
    let first: string;
    let isKnown = true;
    try {
      first = (await update.firstNonFinite(failing, learningRate(failing), looking)) ?? 'none, computed one by one';
    } catch (cause) {
      if (update.device.lost) throw cause;
      isKnown = !looking.signal?.aborted;
      const [line] = (cause instanceof Error ? cause.message : String(cause)).split('\n');
      first = isKnown ? `not to be found (${line})` : 'not looked for to the end';
    }
    const error = new NonFiniteError({ step, inRow, found: foundIn(skipped), first });
    if (isKnown) this.#error = error;
    return error;
  }
}

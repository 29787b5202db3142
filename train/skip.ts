/** Updates that were skipped because they contain NaN or infinity, and the lines that report them. */

import { count } from '../common/text.ts';

/** Default number of consecutive skipped updates that ends a training. */
export const MAX_NON_FINITE = 10;

/** A skipped update. It changed nothing. */
export interface Skip {
  /** Number of consecutive skipped updates, including this one. */
  readonly inRow: number;
  /** Number of NaN and infinite elements by kind: losses, gradients, running statistics. Kinds without any are absent. */
  readonly found: Readonly<Record<string, number>>;
}

/** "1 of the losses, 1,204 of the generator's gradients". */
export const foundIn = ({ found }: Skip): string =>
  Object.entries(found)
    .map(([kind, elements]) => `${count(elements)} of the ${kind}`)
    .join(', ');

/** Chooses the skipped updates that get a line, so that many of them do not flood the output. */
export class SkipLines {
  /** Rows of consecutive skipped updates so far. */
  #rows = 0;

  /** Line for a skipped update; undefined for most of many. `limit`: number in a row that ends the run. */
  line(step: number, skip: Skip, limit: number): string | undefined {
    const { inRow } = skip;
    if (inRow === 1 || this.#rows === 0) this.#rows++;
    const ends = inRow === limit;
    if (!ends && !(isShown(this.#rows, 10) && isShown(inRow, 3))) return undefined;
    const row =
      limit === 1
        ? 'that ends the run'
        : `${count(inRow)} in a row${ends ? ' end the run' : `, ${count(limit)} end the run`}`;
    return `skipped update ${count(step)}, NaN or infinity in ${foundIn(skip)} (${row})`;
  }
}

/** True for the first `all` numbers, and for powers of two. */
const isShown = (number: number, all: number): boolean => number <= all || Number.isInteger(Math.log2(number));

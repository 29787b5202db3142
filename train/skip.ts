/** Updates that were skipped because something in them was not finite, and how they are told. */
import { count } from '../common/text.ts';

/** Updates in a row that may be skipped before a training ends, where nothing else is said. */
export const MAX_NON_FINITE = 10;

/** An update that was skipped: it changed nothing. */
export interface Skip {
  /** Updates skipped since the last one that counted, this one included. */
  readonly inRow: number;
  /** How many numbers were not finite, by what they are; what was finite is left out. */
  readonly found: Readonly<Record<string, number>>;
}

/** "1 of the losses, 1,204 of the generator's gradients". */
export const foundIn = ({ found }: Skip): string =>
  Object.entries(found)
    .map(([kind, numbers]) => `${count(numbers)} of the ${kind}`)
    .join(', ');

/** Which skipped updates are told of: a line each of very many would drown all else. */
export class SkipLines {
  #rows = 0;

  /** The line for one skipped update of a run that `limit` in a row end; undefined where it goes without saying. */
  line(step: number, skip: Skip, limit: number): string | undefined {
    const { inRow } = skip;
    if (inRow === 1 || this.#rows === 0) this.#rows++;
    const ends = inRow === limit;
    const isTold = ends || (isSeldom(this.#rows, 10) && isSeldom(inRow, 3));
    if (!isTold) return undefined;
    const row =
      limit === 1
        ? 'that ends the run'
        : `${count(inRow)} in a row${ends ? ' end the run' : `, ${count(limit)} end the run`}`;
    return `update ${count(step)} skipped, not finite: ${foundIn(skip)} (${row})`;
  }
}

/** The first `all`, then the powers of two. */
const isSeldom = (number: number, all: number): boolean => number <= all || Number.isInteger(Math.log2(number));

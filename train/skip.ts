/** Updates that were skipped because something in them was not finite, and how they are told. */
import { count } from './readable.ts';

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

/** The line for one skipped update. */
export function skipLine(step: number, skip: Skip, limit: number): string {
  const end =
    skip.inRow < limit
      ? `${count(skip.inRow)} in a row, ${count(limit)} end the run`
      : `${count(skip.inRow)} in a row end the run; looking for the first number that was not`;
  return `update ${count(step)} skipped, not finite: ${foundIn(skip)} (${end})`;
}

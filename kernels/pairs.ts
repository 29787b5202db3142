/** Options with one number for rows and columns, or one each. */
import { quoted, ShapeError } from '../engine/basics/errors.ts';

/** [rows, columns]. */
export type Pair = readonly [number, number];

const isPair = (value: unknown): value is Pair => Array.isArray(value) && value.length === 2;

/** `value` as a pair. Throws ShapeError unless its numbers are integers of at least `least`. */
export function pairOf(operation: string, name: string, value: number | Pair, least: number): Pair {
  const pair = typeof value === 'number' ? [value, value] : value;
  if (isPair(pair) && pair.every(one => Number.isInteger(one) && one >= least)) return pair;
  throw new ShapeError(
    operation,
    `expected ${name} as an integer of at least ${least} or as [rows, columns], got ${quoted(value)}.`,
  );
}

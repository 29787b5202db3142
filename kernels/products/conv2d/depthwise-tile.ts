/**
 * Depthwise convolutions have no channels to sum over, so memory is their limit. An invocation computes a tile of one
 * channel: it loads each element that the tile reads once, row by row, and adds it to all results that need it.
 */
import type { AdapterTraits } from '../../../engine/text/kernel.ts';
import { lines, range } from '../../../engine/text/repeat.ts';
import type { Pair } from '../../pairs.ts';
import type { Conv2dProblem } from './problem.ts';

/** Element `at` of a tile's rows (or columns) reads the element `offset` after the start of the tile's patch, times tap `tap`. */
export interface Reading {
  readonly at: number;
  readonly tap: number;
  readonly offset: number;
}

/** What an axis of a tile of this size reads. */
export type Readings = (size: number, axis: 0 | 1) => Reading[];

export interface Tile {
  readonly rows: number;
  readonly columns: number;
  readonly down: readonly Reading[];
  readonly across: readonly Reading[];
}

/** Maximum loads of a patch, each of which takes 10 to 30 ms to compile on a software driver. */
const MOST_LOADS = 80;

export const isDepthwise = ({ c, groups = 1 }: Conv2dProblem): boolean => groups > 1 && groups === c;

const every = (size: number, kernel: number, reading: (at: number, tap: number) => number | undefined): Reading[] =>
  range(size).flatMap(at =>
    range(kernel).flatMap(tap => {
      const offset = reading(at, tap);
      return offset === undefined ? [] : [{ at, tap, offset }];
    }),
  );

/** Results of the forward pass; the patch starts at start · stride − padding. */
export const forwardReadings =
  ({ r, s, stride, dilation = [1, 1] }: Conv2dProblem): Readings =>
  (size, axis) =>
    every(size, [r, s][axis], (at, tap) => at * stride[axis] + tap * dilation[axis]);

/** Results of the input gradient, in tiles of a multiple of the stride; the patch starts at start / stride. */
export const gradientReadings =
  ({ r, s, stride, padding, dilation = [1, 1] }: Conv2dProblem): Readings =>
  (size, axis) =>
    every(size, [r, s][axis], (at, tap) => {
      const offset = (at + padding[axis] - tap * dilation[axis]) / stride[axis];
      return Number.isInteger(offset) ? offset : undefined;
    });

export const offsetsOf = (readings: readonly Reading[]): number[] =>
  [...new Set(readings.map(({ offset }) => offset))].sort((a, b) => a - b);

/**
 * The tile with the fewest loads per result; undefined if none is small enough. `unit`: its sides are multiples of these.
 * Software drivers gather wherever elements are; on GPUs neighbours read neighbours, so tiles are one unit wide.
 */
export function tileOf(
  readings: Readings,
  unit: Pair,
  { software }: Pick<AdapterTraits, 'software'>,
): Tile | undefined {
  let best: Tile | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const rows of [8, 4, 2, 1].map(size => size * unit[0]))
    for (const columns of (software ? [4, 2, 1] : [1]).map(size => size * unit[1])) {
      const [down, across] = [readings(rows, 0), readings(columns, 1)];
      const loads = offsetsOf(down).length * offsetsOf(across).length;
      if (loads > MOST_LOADS || rows * columns > 2 * MOST_LOADS || loads / (rows * columns) >= least) continue;
      least = loads / (rows * columns);
      best = { rows, columns, down, across };
    }
  return best;
}

/** Declares `x…` and `m…`, the columns of a patch that starts at `left`, and whether they are inside of `width`. */
export const patchColumns = (columns: readonly number[], width: string): string =>
  lines(
    columns.length,
    i =>
      `let x${i} = left + ${columns[i]}; let m${i} = (x${i} >= 0) & (x${i} < ${width}); let f${i} = select(0, x${i}, m${i});`,
  );

/** Loads row `offset` of a patch from the plane at `start` of `source`, of `height` rows of `width`, as `v…`. */
export const patchRow = (
  offset: number | string,
  columns: number,
  source: string,
  height: string,
  width: string,
): string =>
  `let y = top + ${offset}; let inside = (y >= 0) & (y < ${height}); let line = start + select(0, y, inside) * ${width};
      ${lines(columns, i => `let v${i} = select(0.0, ${source}[line + f${i}], m${i} & inside);`)}`;

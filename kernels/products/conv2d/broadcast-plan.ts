/** Plans the tiling of a broadcast kernel with a cost model of its loads, arithmetic and sums. */
import { type Correlation, latticeOf, latticesOf, type Tap } from './correlation.ts';

export interface Plan {
  /** Positions and channel groups (one channel per lane) that one iteration of a workgroup computes. */
  readonly rows: number;
  readonly columns: number;
  readonly groups: number;
  /** Patch rows per iteration: all of a small patch; for larger ones the text would take seconds to compile. */
  readonly turnRows: number;
  readonly turns: number;
  /** The taps of the first iteration, by phase; later iterations move down the patch. */
  readonly taps: readonly (readonly Tap[])[];
  /** Input channels whose weights a workgroup keeps over its tiles; 0: it reloads them for each tile. */
  readonly held: number;
  /** Tiles per workgroup. */
  readonly each: number;
}

/** Costs in multiply-adds of a subgroup, on lavapipe (bench/NOTES.md). */
const LOAD = 29;
/** Reading a kept weight, and storing one. */
const KEPT = 12;
const KEEP = 45;
/** Each iteration, and each sum in it. */
const TURN = 20;
const SUM = 3;
/** Storing and reloading a sum between two parts of the input channels. */
const RESUME = 60;

/** More accumulators bring no gain. */
const MOST_ACCUMULATORS = 128;
/** Maximum elements of a patch: each load of a subgroup takes 10 to 30 ms to compile. */
const MOST_PATCH = 208;
/** Maximum kept weights per lane, and iterations × channels per array: more would take seconds to compile. */
const MOST_KEPT = 1200;
const LONGEST_ARRAY = 192;
/** Tiles per workgroup if sizes are not in the text: typical for an image of moderate size. */
const EACH_UNKNOWN = 8;
const MOST_EACH = 32;

/** Patch rows per iteration. */
const rowsOfTurn = ({ r, s, phases }: Correlation): number => (phases.length > 1 || r <= 3 || s === 1 ? r : 1);

/** Tiles per workgroup, so that there are at least `workgroups` workgroups. */
export const eachOf = (tiles: number, workgroups: number): number =>
  Math.min(MOST_EACH, Math.max(1, Math.floor(tiles / workgroups)));

/** Input channels whose weights a workgroup can keep. */
function mostHeld(c: number, turns: number, perTurn: number): number {
  const most = Math.min(Math.floor(MOST_KEPT / (turns * perTurn)), Math.floor(LONGEST_ARRAY / turns));
  // Equal parts, so that one loop serves all.
  return most < 1 ? 0 : Math.ceil(c / Math.ceil(c / most));
}

/**
 * The cheapest plan with at least `workgroups` workgroups, if possible. If sizes are not in the text the plan does not
 * depend on them, so that one text serves every image.
 */
export function planOf(problem: Correlation, lanes: number, workgroups: number): Plan {
  const { n, c, k, r, s, stride, phases, groups: parts = 1, baked } = problem;
  const turnRows = rowsOfTurn(problem);
  const turns = r / turnRows;
  const taps = phases.map(phase => phase.taps.filter(({ row }) => row < turnRows));
  const perTurn = taps.reduce((sum, list) => sum + list.length, 0);
  const [down, across] = latticeOf(problem);
  const images = n * latticesOf(problem);
  const needed = Math.ceil(k / lanes);
  const plan = { turnRows, turns, taps };
  let best: Plan | undefined;
  let least = Number.POSITIVE_INFINITY;
  const consider = (rows: number, columns: number, groups: number) => {
    const sums = rows * columns * groups * phases.length;
    const blocks = Math.ceil(needed / groups);
    const tiles = baked ? images * Math.ceil(down / rows) * Math.ceil(across / columns) : EACH_UNKNOWN;
    const patch = ((rows - 1) * stride[0] + turnRows) * ((columns - 1) * stride[1] + s);
    if (sums > MOST_ACCUMULATORS || patch > MOST_PATCH) return;
    const arithmetic = rows * columns * groups * perTurn;
    const each = baked ? eachOf(tiles * blocks * parts, workgroups) : EACH_UNKNOWN;
    // Sums over several iterations are added in parts: their order must not depend on the number of threads.
    const typical = turns > 1 ? EACH_UNKNOWN : each;
    const turn = Math.ceil(patch / lanes) * LOAD + patch + arithmetic + TURN + SUM * sums;
    const cost = (weights: number, resumes: number) =>
      tiles * blocks * (c * turns * (turn + groups * perTurn * weights) + resumes * sums * RESUME);
    const held = mostHeld(c, turns, groups * perTurn);
    const options = [
      { held: 0, each: 1, cost: cost(LOAD, 0) },
      ...(held > 0 ? [{ held, each, cost: cost(KEPT + KEEP / typical, Math.ceil(c / held) - 1) }] : []),
    ];
    for (const option of options) {
      if (option.cost >= least) continue;
      least = option.cost;
      best = { ...plan, rows, columns, groups, held: option.held, each: option.each };
    }
  };
  const groupCounts = [1, 2, 4].filter(count => count === 1 || count <= needed);
  if (baked)
    for (let rows = 1; rows <= 12; rows++)
      for (let columns = 2; columns <= 16; columns++) for (const groups of groupCounts) consider(rows, columns, groups);
  else
    for (const [rows, columns] of [
      [8, 8],
      [4, 8],
      [2, 8],
    ] as const) {
      for (const groups of groupCounts) consider(rows, columns, groups);
      if (best) break;
    }
  // The smallest tile fits everything that the variants accept.
  return best!;
}

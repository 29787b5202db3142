/** A correlation with its plan, and the names and offsets in the text that follow from both. */
import { lines, range } from '../../../engine/text/repeat.ts';
import { type Plan, planOf } from './broadcast-plan.ts';
import { type Correlation, groupOffset, type Tap } from './correlation.ts';

/** A correlation with its plan and derived values. */
export interface Layout extends Plan {
  readonly problem: Correlation;
  readonly lanes: number;
  readonly patchColumns: number;
  readonly patch: number;
  readonly patchLoads: number;
  /** All taps of an iteration, in the order in which their weights are kept. */
  readonly allTaps: readonly Tap[];
  readonly pixels: number;
  /** Groups of the correlation, and each one's blocks of output channels, a block per workgroup. */
  readonly parts: number;
  readonly blocks: number;
  /** All input channels are summed before anything is stored. */
  readonly whole: boolean;
}

export function layoutOf(problem: Correlation, lanes: number, workgroups: number): Layout {
  const plan = planOf(problem, lanes, workgroups);
  const { rows, columns, turnRows, taps } = plan;
  const patchColumns = (columns - 1) * problem.stride[1] + problem.s;
  const patch = ((rows - 1) * problem.stride[0] + turnRows) * patchColumns;
  return {
    ...plan,
    problem,
    lanes,
    patchColumns,
    patch,
    patchLoads: Math.ceil(patch / lanes),
    allTaps: taps.flat(),
    pixels: rows * columns,
    parts: problem.groups ?? 1,
    blocks: Math.ceil(problem.k / lanes / plan.groups),
    whole: plan.held === 0 || plan.held >= problem.c,
  };
}

export const accumulator = (
  { groups, rows, columns }: Layout,
  phase: number,
  group: number,
  row: number,
  column: number,
) => `a${((phase * groups + group) * rows + row) * columns + column}`;

/** Offset of a tap's weight in the first iteration, relative to the output and input channel. */
export const tapOffset = ({ problem }: Layout, { weightRow, weightColumn }: Tap): number =>
  weightRow * problem.weight.perRow + weightColumn;

/** Added to {@link tapOffset} in later iterations. */
export function turnOffset({ problem, turns, turnRows }: Layout): string {
  if (turns === 1) return '';
  const rowOf = (row: number) => problem.phases[0].taps.find(tap => tap.row === row)!.weightRow;
  return ` ${rowOf(1) > rowOf(0) ? '+' : '-'} turn * ${turnRows * problem.weight.perRow}`;
}

/** Lanes beyond the last channel repeat it and store nothing. */
export function channelLines({ problem, groups, lanes, parts, blocks }: Layout): string {
  const [part, block] = parts > 1 ? [`let part = block / ${blocks};\n    `, `block % ${blocks}`] : ['', 'block'];
  return `${part}${lines(
    groups,
    g => `let o${g} = (${block} * ${groups} + ${g}) * ${lanes} + i32(lane); let c${g} = min(o${g}, ${problem.k - 1});`,
  )}`;
}

/** Index of the first weight of a group of channels. */
export const firstWeight = ({ problem }: Layout, group: number): string =>
  `${problem.weight.base(`c${group}`)}${groupOffset(problem, 'part')}`;

/** The sums of a group of channels, phase by phase. */
export const sumsOfGroup = (layout: Layout, g: number): string[] =>
  layout.problem.phases.flatMap((_, phase) =>
    range(layout.rows).flatMap(row => range(layout.columns).map(column => accumulator(layout, phase, g, row, column))),
  );

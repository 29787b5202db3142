/**
 * A correlation's weights as the right-hand matrix of its product: a row for each tap and input channel (channels vary
 * fastest), a column for each output channel. Tiles are then contiguous vec4 loads without bounds checks: rows of each phase
 * are zero-padded to whole steps of the sum, columns to whole tiles.
 */
import { assembleElements } from '../../../engine/text/assemble.ts';
import { type AdapterTraits, input, type Step, scratch } from '../../../engine/text/kernel.ts';
import { Numbers } from '../../../engine/text/numbers.ts';
import { type Correlation, groupOffset, type Phase } from './correlation.ts';

/** The taps of one phase form a grid (columns vary fastest) whose weights have constant strides. */
interface TapGrid {
  readonly taps: number;
  readonly columns: number;
  /** The first tap's patch element, and its index in a channel's weights. */
  readonly row: number;
  readonly column: number;
  readonly weight: number;
  /** Strides between taps down a column of the grid, and across a row. */
  readonly weightDown: number;
  readonly weightAcross: number;
}

/** The rows of all phases. */
export interface WeightRows {
  readonly grids: readonly TapGrid[];
  /** The first row of each phase, and its number of steps. */
  readonly starts: readonly number[];
  readonly steps: readonly number[];
  /** Rows and columns of the matrix. */
  readonly rows: number;
  readonly columns: number;
}

function gridOf({ taps }: Phase, perRow: number): TapGrid {
  const [first] = taps;
  if (!first) return { taps: 0, columns: 1, row: 0, column: 0, weight: 0, weightDown: 0, weightAcross: 0 };
  const columns = taps.filter(({ row }) => row === first.row).length;
  const weight = (tap = first) => tap.weightRow * perRow + tap.weightColumn;
  return {
    taps: taps.length,
    columns,
    row: first.row,
    column: first.column,
    weight: weight(),
    weightDown: weight(taps[columns]) - weight(),
    weightAcross: columns > 1 ? weight(taps[1]) - weight() : 0,
  };
}

/** `depth`: inner size of a step; `tileColumns`: output channels per tile. */
export function weightRows({ phases, c, k, weight }: Correlation, depth: number, tileColumns: number): WeightRows {
  const grids = phases.map(phase => gridOf(phase, weight.perRow));
  const steps = grids.map(({ taps }) => Math.ceil((taps * c) / depth));
  const starts: number[] = [];
  let rows = 0;
  for (const count of steps) {
    starts.push(rows);
    rows += count * depth;
  }
  return { grids, starts, steps, rows, columns: Math.ceil(k / tileColumns) * tileColumns };
}

/** Declares `name`, the number at index `phase` (i32); a constant if all are equal. */
export function perPhase(name: string, values: readonly number[]): string {
  if (values.every(value => value === values[0])) return `let ${name} = ${values[0]};`;
  return `let ${name} = array<i32, ${values.length}>(${values.join(', ')})[phase];`;
}

/** Writes the matrix to scratch buffer 0; of several groups, one after the other. */
export function packWeights(correlation: Correlation, matrix: WeightRows, traits: AdapterTraits): Step {
  const { c, k, weight, groups = 1 } = correlation;
  const { grids, starts, rows, columns } = matrix;
  const of = (key: keyof TapGrid) => grids.map(grid => grid[key]);
  // The last phase that starts at or before the row.
  const phase = starts
    .slice(1)
    .map(start => `i32(row >= ${start})`)
    .join(' + ');
  const kernel = assembleElements(
    {
      name: 'conv2d.tiled weights',
      reads: ['weight'],
      numbers: new Numbers(true, {}),
      elements: groups * rows * columns,
      count: `${groups * rows * columns}`,
      body: `let row = index / ${columns}${groups > 1 ? ` % ${rows}` : ''}; let channel = index % ${columns};
    let phase = ${phase || '0'};
    ${perPhase('start', starts)} ${perPhase('taps', of('taps'))} ${perPhase('tapColumns', of('columns'))}
    ${perPhase('first', of('weight'))} ${perPhase('downwards', of('weightDown'))} ${perPhase('sideways', of('weightAcross'))}
    let tap = (row - start) / ${c}; let read = (row - start) % ${c};
    var value = 0.0;
    if (channel < ${k} && tap < taps) {
      let at = first + tap / tapColumns * downwards + tap % tapColumns * sideways;
      value = weight[${weight.base('channel')} + read * ${weight.perInput} + at${groupOffset(correlation, `index / ${rows * columns}`)}];
    }
    result[index] = value;`,
    },
    traits,
  );
  return { kernel, operands: [input(1), scratch(0)] };
}

/**
 * Forward passes and input gradients as one problem: every output position is a sum over taps of a patch of the input. A
 * gradient of stride 2 has one sum for each parity of row and column (a phase), each with its own taps.
 */
import type { Epilogue } from '../../../engine/text/epilogue.ts';
import { type Conv2dProblem, channelsOfGroup, outputSize } from './problem.ts';
export interface Correlation {
  readonly name: string;
  readonly n: number;
  /** As many correlations side by side, if there are several: each has c and k channels of its own. */
  readonly groups?: number;
  /** Channels, rows and columns that are read. */
  readonly c: number;
  readonly h: number;
  readonly w: number;
  /** Channels, rows and columns that are written. */
  readonly k: number;
  readonly oh: number;
  readonly ow: number;
  /** Rows and columns of the patch that a position reads. */
  readonly r: number;
  readonly s: number;
  /** The patch of position (i, j) starts at (i·stride − padding, j·stride − padding). */
  readonly stride: readonly [number, number];
  readonly padding: readonly [number, number];
  /** Distance in the input between neighbouring elements of a patch, if it is not 1. The stride is 1 then, and there is one phase. */
  readonly dilation?: readonly [number, number];
  readonly phases: readonly Phase[];
  /** Distance in the output between the same phase of neighbouring positions. */
  readonly spread: readonly [number, number];
  readonly bias: boolean;
  /** Applied to each element after the bias; its inputs follow. */
  readonly epilogue?: Epilogue;
  readonly baked: boolean;
  readonly weight: WeightLayout;
}

/** Index of the weight of an output channel, input channel c and element (row, column): base + c·perInput + row·perRow + column. */
export interface WeightLayout {
  /** WGSL for the first element of an output channel, given as an expression. */
  base(channel: string): string;
  readonly perInput: number;
  readonly perRow: number;
  /** From one group to the next. */
  readonly perGroup: number;
}

/** ` + ` the start of a group's weights, if there are several groups. */
export const groupOffset = ({ groups = 1, weight }: Pick<Correlation, 'groups' | 'weight'>, group: string): string =>
  groups === 1 ? '' : ` + ${group} * ${weight.perGroup}`;

/** Output (i·spread + row, j·spread + column) of position (i, j) is the sum over `taps`. */
export interface Phase {
  readonly row: number;
  readonly column: number;
  readonly taps: readonly Tap[];
}

/** Patch element (row, column) times weight element (weightRow, weightColumn). */
export interface Tap {
  readonly row: number;
  readonly column: number;
  readonly weightRow: number;
  readonly weightColumn: number;
}

const single = [1, 1] as const;

/** Rows and columns of output positions: the elements of one phase. */
export const positionsOf = ({ oh, ow, spread }: Correlation): [number, number] => [
  Math.ceil(oh / spread[0]),
  Math.ceil(ow / spread[1]),
];

/**
 * Lattices of a dilated correlation: positions that are a dilation apart share elements of their patches, and those between them
 * do not. So each lattice is a correlation without dilation, of every second (third, …) row and column.
 */
export const latticesOf = ({ dilation: [down, across] = single }: Pick<Correlation, 'dilation'>): number =>
  down * across;

/** Rows and columns of the positions of one lattice; the last one may have fewer. */
export function latticeOf(correlation: Correlation): [number, number] {
  const [down, across] = correlation.dilation ?? single;
  const [rows, columns] = positionsOf(correlation);
  return [Math.ceil(rows / down), Math.ceil(columns / across)];
}

/** One phase over the whole patch, in the weight's order or reversed. */
export function wholePatch(r: number, s: number, flipped = false): readonly Phase[] {
  const taps: Tap[] = [];
  for (let row = 0; row < r; row++)
    for (let column = 0; column < s; column++)
      taps.push({
        row,
        column,
        weightRow: flipped ? r - 1 - row : row,
        weightColumn: flipped ? s - 1 - column : column,
      });
  return [{ row: 0, column: 0, taps }];
}

/**
 * The phases of a strided convolution's gradient along one axis: output o receives gy[(o + padding − p) / stride] times
 * tap p, if that index is an integer. Returns the taps of each phase as [patch offset, p], and where the patch starts.
 */
function axisPhases(kernel: number, stride: number, padding: number) {
  const phases: (readonly [number, number])[][] = [];
  let least = 0;
  let most = 0;
  for (let phase = 0; phase < stride; phase++) {
    const taps: (readonly [number, number])[] = [];
    for (let p = kernel - 1; p >= 0; p--) {
      if ((phase + padding - p) % stride !== 0) continue;
      const offset = (phase + padding - p) / stride;
      taps.push([offset, p]);
      least = Math.min(least, offset);
      most = Math.max(most, offset);
    }
    phases.push(taps);
  }
  return { phases, begin: least, size: most - least + 1 };
}

/** Patch and phases of the input gradient of a convolution with these kernel sizes, strides and paddings. */
export function gradientPhases(
  kernel: readonly [number, number],
  stride: readonly [number, number],
  padding: readonly [number, number],
): Pick<Correlation, 'r' | 's' | 'padding' | 'phases'> {
  const rows = axisPhases(kernel[0], stride[0], padding[0]);
  const columns = axisPhases(kernel[1], stride[1], padding[1]);
  const phases = rows.phases.flatMap((rowTaps, row) =>
    columns.phases.map((columnTaps, column) => ({
      row,
      column,
      taps: rowTaps.flatMap(([i, weightRow]) =>
        columnTaps.map(([j, weightColumn]) => ({
          row: i - rows.begin,
          column: j - columns.begin,
          weightRow,
          weightColumn,
        })),
      ),
    })),
  );
  return { r: rows.size, s: columns.size, padding: [-rows.begin, -columns.begin], phases };
}

/** The forward pass of a convolution. */
export function forwardCorrelation(problem: Conv2dProblem, name: string): Correlation {
  const { r, s } = problem;
  const [c, k] = channelsOfGroup(problem);
  const [oh, ow] = outputSize(problem);
  const perChannel = c * r * s;
  const base = (channel: string) => `${channel} * ${perChannel}`;
  const weight = { base, perInput: r * s, perRow: s, perGroup: k * perChannel };
  return { ...problem, name, c, k, oh, ow, phases: wholePatch(r, s), spread: single, weight };
}

/** A correlation of gy with reversed taps and swapped channels; with a stride each parity has its own taps. */
export function inputGradientCorrelation(problem: Conv2dProblem, name: string): Correlation {
  const { n, h, w, r, s, stride, padding, dilation, groups = 1, baked } = problem;
  const [c, k] = channelsOfGroup(problem);
  const [gh, gw] = outputSize(problem);
  const perChannel = c * r * s;
  const base = (channel: string) => `${channel} * ${r * s}`;
  const weight = { base, perInput: perChannel, perRow: s, perGroup: k * perChannel };
  const sizes = { n, ...(groups > 1 && { groups }), c: k, h: gh, w: gw, k: c, oh: h, ow: w };
  const common = { name, ...sizes, stride: single, spread: stride, bias: false, baked, weight };
  if (!dilation) return { ...common, ...gradientPhases([r, s], stride, padding) };
  const before = [dilation[0] * (r - 1) - padding[0], dilation[1] * (s - 1) - padding[1]] as const;
  return { ...common, r, s, padding: before, phases: wholePatch(r, s, true), dilation };
}

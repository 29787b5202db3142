/** Convolution and pooling of sequences [N, C, L]: those of images with one row. */
import { checkOptions, quoted, ShapeError } from '../../engine/basics/errors.ts';
import { formatShape, type Shape } from '../../engine/basics/shape.ts';
import { requireTensors } from '../../engine/require.ts';
import { type Choose, type Sample, type Specification, specifyFunction } from '../../engine/specify.ts';
import { type Tensor, tidy } from '../../engine/tensor.ts';
import { reshape } from '../movement/reshape.ts';
import type { Pair } from '../pairs.ts';
import { conv2d } from '../products/conv2d/index.ts';
import { conv2dReference } from '../products/conv2d/reference.ts';
import { avgPool2d, maxPool2d } from './pool.ts';
import { pooledShape, type SlidingWindows, windowOf } from './pool-windows.ts';

/** Options of {@link conv1d}. */
export interface Conv1dOptions {
  /** Default 1. */
  readonly stride?: number;
  /** Zeros at each end. `same` (stride 1 only): so many that the result is as long as x. `valid`: none. Default 0. */
  readonly padding?: number | 'same' | 'valid';
  /** Distance between the elements that a kernel reads. Default 1. */
  readonly dilation?: number;
  /** As in `conv2d`. Default 1. */
  readonly groups?: number;
}

/** Options of all pools over sequences. */
export interface Pool1dOptions {
  /** Distance between windows; default the kernel's size. */
  readonly stride?: number;
  /** Padding at each end, at most half the kernel. Default 0. */
  readonly padding?: number;
  /** Whether a last window may end beyond the padding, if it begins inside. Default false. */
  readonly ceilMode?: boolean;
}

/** Options of {@link maxPool1d}. */
export interface MaxPool1dOptions extends Pool1dOptions {
  /** Distance between the elements of a window. Default 1. */
  readonly dilation?: number;
}

/** Options of {@link avgPool1d}. */
export interface AvgPool1dOptions extends Pool1dOptions {
  /** Whether padding counts as zeros. Default true. */
  readonly countIncludePad?: boolean;
}

/** Options of a row: [1, value] for each number, or [0, value] for padding. */
function inRows(operation: string, options: object, known: readonly string[]): Record<string, unknown> {
  checkOptions(operation, options, known);
  return Object.fromEntries(
    Object.entries(options).map(([name, value]) => {
      if (Array.isArray(value))
        throw new ShapeError(operation, `expected ${name} as one number, got ${quoted(value)}.`);
      return [name, typeof value === 'number' && name !== 'groups' ? row(value, name === 'padding' ? 0 : 1) : value];
    }),
  );
}
const row = (value: number, other: 0 | 1): Pair => [other, value];

/** [N, C, L] as an image with one row. */
function asImage(operation: string, what: string, x: Tensor): Tensor {
  const [n, c, l] = x.shape;
  if (x.shape.length !== 3) throw new ShapeError(operation, `expected ${what}, got ${formatShape(x.shape)}.`);
  return reshape(x, [n, c, 1, l]);
}

/** The image's row. */
const asSequence = (y: Tensor): Tensor => reshape(y, [y.shape[0], y.shape[1], y.shape[3]]);

/**
 * PyTorch's conv1d: x [N, C, L], weight [K, C / groups, S], optional bias [K]; result [N, K, OL] with
 * OL = ⌊(L + 2 · padding − dilation · (S − 1) − 1) / stride⌋ + 1. Throws ShapeError.
 */
export function conv1d(x: Tensor, weight: Tensor, bias?: Tensor, options: Conv1dOptions = {}): Tensor {
  requireTensors('conv1d', x, weight, ...(bias ? [bias] : []));
  const rows = inRows('conv1d', options, ['stride', 'padding', 'dilation', 'groups']);
  return tidy(() =>
    asSequence(
      conv2d(
        asImage('conv1d', 'x of [N, C, L]', x),
        asImage('conv1d', 'a weight of [K, C / groups, S]', weight),
        bias,
        rows,
      ),
    ),
  );
}

/** PyTorch's max_pool1d of [N, C, L], as `maxPool2d`. Throws ShapeError. */
export function maxPool1d(x: Tensor, kernel: number, options: MaxPool1dOptions = {}): Tensor {
  requireTensors('maxPool1d', x);
  const rows = inRows('maxPool1d', options, ['stride', 'padding', 'dilation', 'ceilMode']);
  return tidy(() => asSequence(maxPool2d(asImage('maxPool1d', 'x of [N, C, L]', x), row(kernel, 1), rows)));
}

/** PyTorch's avg_pool1d of [N, C, L], as `avgPool2d`. Throws ShapeError. */
export function avgPool1d(x: Tensor, kernel: number, options: AvgPool1dOptions = {}): Tensor {
  requireTensors('avgPool1d', x);
  const rows = inRows('avgPool1d', options, ['stride', 'padding', 'ceilMode', 'countIncludePad']);
  return tidy(() => asSequence(avgPool2d(asImage('avgPool1d', 'x of [N, C, L]', x), row(kernel, 1), rows)));
}

type Conv1dAttributes = {
  readonly stride: number;
  readonly padding: number;
  readonly dilation: number;
  readonly groups: number;
};

const convolutionSample = (x: Shape, weight: Shape, attributes: Conv1dAttributes): Sample<Conv1dAttributes> => ({
  inputs: [{ shape: x }, { shape: weight }, { shape: [weight[0]] }],
  attributes,
});

/* @__PURE__ */ specifyFunction<Conv1dAttributes>(() => ({
  name: 'conv1d',
  summary: 'One-dimensional cross-correlation of [N, C, L], with the options of conv2d.',
  call: ([x, weight, bias], attributes) => [conv1d(x, weight, bias, attributes)],
  reference([x, weight, bias], [[n, c, w], [k, , s]], { stride, padding, dilation, groups }) {
    const geometry = { stride: row(stride, 1), padding: row(padding, 0), dilation: row(dilation, 1), groups };
    return [conv2dReference({ n, c, h: 1, w, k, r: 1, s, ...geometry, bias: true, baked: true }, x, weight, bias)];
  },
  samples: [convolutionSample([2, 4, 9], [6, 2, 3], { stride: 2, padding: 2, dilation: 2, groups: 2 })],
  random: (choose: Choose) =>
    convolutionSample([choose.integer(1, 2), 3, choose.integer(5, 12)], [6, 3, 3], {
      stride: choose.integer(1, 2),
      padding: choose.integer(0, 2),
      dilation: choose.integer(1, 2),
      groups: 1,
    }),
  tolerance: 3e-6,
}));

type Pool1dAttributes = {
  readonly kernel: number;
  readonly stride: number;
  readonly padding: number;
  readonly ceilMode: boolean;
};

/** What both pools of sequences share; `combine` gets the elements of a window and its size. */
function poolSpecification(
  combine: (elements: readonly number[], size: number) => number,
): Pick<Specification<Pool1dAttributes>, 'reference' | 'samples' | 'random'> {
  return {
    reference([x], [[n, c, l]], { kernel, stride, padding, ceilMode }) {
      const windows: SlidingWindows = {
        kernel: row(kernel, 1),
        stride: row(stride, 1),
        padding: row(padding, 0),
        dilation: [1, 1],
        ceil: ceilMode,
        counted: true,
      };
      const count = pooledShape('pool', [n, c, 1, l], windows)[3];
      return [
        Float64Array.from({ length: n * c * count }, (_, index) => {
          const { elements, size } = windowOf(windows, 1, index % count, l, count);
          return combine(
            elements.map(at => x[Math.floor(index / count) * l + at]),
            size,
          );
        }),
      ];
    },
    samples: [{ inputs: [{ shape: [2, 3, 9] }], attributes: { kernel: 3, stride: 2, padding: 1, ceilMode: true } }],
    random: choose => ({
      inputs: [{ shape: [choose.integer(1, 2), 3, choose.integer(4, 12)] }],
      attributes: {
        kernel: 3,
        stride: choose.integer(1, 3),
        padding: choose.integer(0, 1),
        ceilMode: choose.pick([true, false]),
      },
    }),
  };
}

/* @__PURE__ */ specifyFunction<Pool1dAttributes>(() => ({
  name: 'maxPool1d',
  summary: 'Maximum of each window of [N, C, L].',
  call: ([x], { kernel, ...options }) => [maxPool1d(x, kernel, options)],
  ...poolSpecification(elements => Math.max(...elements)),
}));

/* @__PURE__ */ specifyFunction<Pool1dAttributes>(() => ({
  name: 'avgPool1d',
  summary: 'Mean of each window of [N, C, L].',
  call: ([x], { kernel, ...options }) => [avgPool1d(x, kernel, options)],
  ...poolSpecification((elements, size) => elements.reduce((a, b) => a + b, 0) / size),
}));

/** Pooling of [N, C, H, W]. */
import { apply } from '../../engine/apply.ts';
import { checkOptions, ShapeError } from '../../engine/basics/errors.ts';
import { f32, formatShape, type Shape, sizeOf } from '../../engine/basics/shape.ts';
import { type Declaration, defineOp } from '../../engine/define.ts';
import type { Attributes } from '../../engine/graph/operation.ts';
import { requireTensors } from '../../engine/require.ts';
import { type Choose, type Sample, type SampleInput, specify, specifyFunction } from '../../engine/specify.ts';
import type { Tensor } from '../../engine/tensor.ts';
import { ACCUMULATION, emptySum } from '../../engine/text/accumulate.ts';
import { assembleElements } from '../../engine/text/assemble.ts';
import { type AdapterTraits, input, type Lowering, output } from '../../engine/text/kernel.ts';
import { literal } from '../../engine/text/literal.ts';
import { Numbers } from '../../engine/text/numbers.ts';
import { isNaNText } from '../elementwise/bits.ts';
import { type Pair, pairOf } from '../pairs.ts';
import { mean } from '../reductions/sum.ts';
import {
  type AdaptiveWindows,
  type AxisText,
  axisText,
  pooledShape,
  type SlidingWindows,
  type Windows,
  windowOf,
} from './pool-windows.ts';

type PoolAttributes = Windows & Attributes;
type PoolGradientAttributes = PoolAttributes & { readonly shape: Shape };

/** Statements for an element of the result at (plane, row, column) that declare `value`, from both axes of the windows. */
type Body = (axes: readonly [AxisText, AxisText]) => string;

/** One invocation per element of `target`; `big` and `small` are shapes before and after pooling. */
function lowerPlanes(
  name: string,
  windows: Windows,
  { target, small, big }: { readonly target: Shape; readonly small: Shape; readonly big: Shape },
  reads: readonly string[],
  baked: boolean,
  body: Body,
  traits: AdapterTraits,
): Lowering {
  const numbers = new Numbers(baked, {
    n: sizeOf(target),
    h: big[2],
    w: big[3],
    oh: small[2],
    ow: small[3],
    rows: target[2],
    columns: target[3],
  });
  const element = `let column = index % columns; let row = index / columns % rows; let plane = index / (columns * rows);
    ${body([axisText(windows, 0, 'h', 'oh'), axisText(windows, 1, 'w', 'ow')])}
    result[index] = value;`;
  const declarations = ACCUMULATION;
  const parts = { name, reads, declarations, numbers, elements: sizeOf(target), count: 'n', body: element };
  const kernel = assembleElements(parts, traits);
  return { steps: [{ kernel, operands: [...reads.map((_, i) => input(i)), output(0)] }], scratch: [] };
}

/** Runs `body` for the elements of window (i, j), whose index is `at`. */
function elementsOf([down, across]: Parameters<Body>[0], i: string, j: string, body: string): string {
  const inside = (axis: AxisText, position: string, size: string) =>
    axis.padded ? `if (${position} < 0 || ${position} >= ${size}) { continue; }` : '';
  const by = ({ step }: AxisText) => (step === 1 ? '' : ` * ${step}`);
  return `{
      let top = ${down.start(i)}; let height = ${down.length(i)};
      let left = ${across.start(j)}; let width = ${across.length(j)};
      for (var p = 0; p < height; p++) {
        let y = top + p${by(down)}; ${inside(down, 'y', 'h')}
        for (var q = 0; q < width; q++) {
          let z = left + q${by(across)}; ${inside(across, 'z', 'w')}
          let at = (plane * h + y) * w + z;
          ${body}
        }
      }
    }`;
}

/** Declares the largest element of window (i, j) and its index: the first one, or the last NaN, as in PyTorch. */
const largestText = (
  axes: Parameters<Body>[0],
  i: string,
  j: string,
): string => `var best = -1; var most = ${literal(Number.NEGATIVE_INFINITY)};
    ${elementsOf(axes, i, j, `let v = x[at]; if (best < 0 || v > most || ${isNaNText('v')}) { most = v; best = at; }`)}`;

/** Runs `body` for the windows (i, j) that have the element at (row, column). */
function windowsText([down, across]: Parameters<Body>[0], body: string): string {
  const only = (condition: string | undefined) => (condition ? `if (!(${condition})) { continue; }` : '');
  return `for (var i = ${down.first('row')}; i <= ${down.last('row')}; i++) {
      ${only(down.has('row', 'i'))}
      for (var j = ${across.first('column')}; j <= ${across.last('column')}; j++) {
        ${only(across.has('column', 'j'))}
        ${body}
      }
    }`;
}

/** By what the mean of window (i, j) divides. */
function divisorOf([down, across]: Parameters<Body>[0], i: string, j: string): { constant: boolean; text: string } {
  const [rows, columns] = [down.size(i), across.size(j)];
  if (typeof rows === 'number' && typeof columns === 'number') return { constant: true, text: `${rows * columns}.0` };
  return { constant: false, text: `f32(${rows} * ${columns})` };
}

/** Calls `visit(window, elements, divisor)` with indices of x, for every window in order. */
function forEachWindow(
  shape: Shape,
  windows: Windows,
  visit: (index: number, elements: readonly number[], divisor: number) => void,
): void {
  const [n, c, oh, ow] = pooledShape('pool', shape, windows) as [number, number, number, number];
  const [, , h, w] = shape;
  for (let plane = 0; plane < n * c; plane++)
    for (let i = 0; i < oh; i++)
      for (let j = 0; j < ow; j++) {
        const [rows, columns] = [windowOf(windows, 0, i, h, oh), windowOf(windows, 1, j, w, ow)];
        const elements = rows.elements.flatMap(y => columns.elements.map(x => (plane * h + y) * w + x));
        visit((plane * oh + i) * ow + j, elements, rows.size * columns.size);
      }
}

/** Which of the elements is the first largest, or the last NaN. */
const largest = (x: Float64Array, elements: readonly number[]): number =>
  elements.reduce((best, at) => (x[at] > x[best] || Number.isNaN(x[at]) ? at : best));

const windowsOf = (kernel: Pair, stride: Pair, more: Partial<SlidingWindows> = {}): PoolAttributes => ({
  kernel,
  stride,
  padding: [0, 0],
  dilation: [1, 1],
  ceil: false,
  counted: true,
  ...more,
});

const sampleOf = (shape: Shape, attributes: PoolAttributes): Sample<PoolAttributes> => ({
  inputs: [{ shape }],
  attributes,
});

/** A shape and windows that fit it; without `mean`, dilated ones too. */
function randomPool(choose: Choose, isMean: boolean): { shape: number[]; attributes: PoolAttributes } {
  const shape = [choose.integer(1, 2), choose.pick([1, 3, 5]), choose.pick([3, 7, 8]), choose.pick([3, 9, 12])];
  if (choose.pick([true, false, false]))
    return { shape, attributes: { size: [choose.pick([2, 3]), choose.pick([1, 4])] } };
  const kernel: Pair = [choose.integer(1, 3), choose.integer(1, 3)];
  const attributes = windowsOf(kernel, [choose.integer(1, 3), choose.integer(1, 3)], {
    padding: [choose.integer(0, kernel[0] >> 1), choose.integer(0, kernel[1] >> 1)],
    ceil: choose.pick([true, false]),
    ...(isMean
      ? { counted: choose.pick([true, false]) }
      : { dilation: [shape[2] > 4 ? choose.integer(1, 2) : 1, shape[3] > 4 ? choose.integer(1, 2) : 1] as const }),
  });
  return { shape, attributes };
}

/** The upstream gradient of a pool. */
const pooled = (shape: Shape, attributes: PoolAttributes): SampleInput => ({
  shape: pooledShape('pool', shape, attributes),
});

export const maxPool2dOp: Declaration<PoolAttributes> = /* @__PURE__ */ defineOp<PoolAttributes>({
  name: 'maxPool2d',
  infer: ([x], attributes) => [f32(pooledShape('maxPool2d', x.shape, attributes))],
  lower: ({ inputs: [x], outputs: [y], attributes, baked }, traits) =>
    lowerPlanes(
      'maxPool2d',
      attributes,
      { target: y.shape, small: y.shape, big: x.shape },
      ['x'],
      baked,
      axes => `${largestText(axes, 'row', 'column')}
    let value = most;`,
      traits,
    ),
  gradient: ({ inputs: [x], grads, attributes }) => [apply(maxPool2dGradientOp, [grads[0]!, x], attributes)[0]],
});

const maxSamples = (): Sample<PoolAttributes>[] => [
  sampleOf([2, 5, 8, 8], windowsOf([2, 2], [2, 2])),
  sampleOf([1, 3, 7, 9], windowsOf([2, 2], [2, 2])),
  sampleOf([1, 1, 2, 2], windowsOf([2, 2], [2, 2])),
  sampleOf([1, 3, 7, 9], windowsOf([3, 2], [2, 3], { padding: [1, 1], dilation: [1, 2], ceil: true })),
  sampleOf([1, 2, 7, 5], { size: [3, 2] }),
];

/* @__PURE__ */ specify(maxPool2dOp, () => ({
  summary: 'Maximum of each window, NaN if it contains one; ties pass the gradient to the first.',
  reference([x], [shape], attributes) {
    const y = new Float64Array(sizeOf(pooledShape('maxPool2d', shape, attributes)));
    forEachWindow(shape, attributes, (index, elements) => {
      y[index] = x[largest(x, elements)];
    });
    return [y];
  },
  samples: maxSamples(),
  random(choose) {
    const { shape, attributes } = randomPool(choose, false);
    return sampleOf(shape, attributes);
  },
}));

export const maxPool2dGradientOp: Declaration<PoolAttributes> = /* @__PURE__ */ defineOp<PoolAttributes>({
  name: 'maxPool2dGradient',
  infer: ([, x]) => [f32(x.shape)],
  lower: ({ inputs: [g, x], attributes, baked }, traits) =>
    lowerPlanes(
      'maxPool2dGradient',
      attributes,
      { target: x.shape, small: g.shape, big: x.shape },
      ['g', 'x'],
      baked,
      axes => `var sum = ${emptySum('g')};
    ${windowsText(
      axes,
      `${largestText(axes, 'i', 'j')}
        if (best == index) { addTo(&sum, g[(plane * oh + i) * ow + j]); }`,
    )}
    let value = totalOf(sum);`,
      traits,
    ),
  // The positions of the maxima are constant almost everywhere.
  gradient: ({ inputs: [, x], grads, attributes }) => [apply(maxPool2dChoiceOp, [grads[0]!, x], attributes)[0], null],
});

/** A sample of a max pool as one of an operation that also takes g, of this shape; x is not differentiated. */
const withX = ({ inputs: [x], attributes }: Sample<PoolAttributes>, g: SampleInput): Sample<PoolAttributes> => ({
  inputs: [g, { ...x, fixed: true }],
  attributes,
});
const gradientSample = (sample: Sample<PoolAttributes>) =>
  withX(sample, pooled(sample.inputs[0].shape, sample.attributes));
const choiceSample = (sample: Sample<PoolAttributes>) => withX(sample, { shape: sample.inputs[0].shape });

/* @__PURE__ */ specify(maxPool2dGradientOp, () => ({
  summary: 'The gradient of maxPool2d from g and x.',
  reference([g, x], [, shape], attributes) {
    const gx = new Float64Array(x.length);
    forEachWindow(shape, attributes, (index, elements) => {
      gx[largest(x, elements)] += g[index];
    });
    return [gx];
  },
  samples: [
    {
      inputs: [
        { shape: [1, 1, 2, 2] },
        { shape: [1, 1, 4, 4], values: Array.from({ length: 16 }, () => 1), fixed: true },
      ],
      attributes: windowsOf([2, 2], [2, 2]),
    },
    ...maxSamples().slice(3).map(gradientSample),
  ],
  random(choose) {
    const { shape, attributes } = randomPool(choose, false);
    return gradientSample(sampleOf(shape, attributes));
  },
}));

/** The gradient of {@link maxPool2dGradientOp} with respect to g. */
export const maxPool2dChoiceOp: Declaration<PoolAttributes> = /* @__PURE__ */ defineOp<PoolAttributes>({
  name: 'maxPool2dChoice',
  infer: ([, x], attributes) => [f32(pooledShape('maxPool2dChoice', x.shape, attributes))],
  lower: ({ inputs: [, x], outputs: [y], attributes, baked }, traits) =>
    lowerPlanes(
      'maxPool2dChoice',
      attributes,
      { target: y.shape, small: y.shape, big: x.shape },
      ['u', 'x'],
      baked,
      axes => `${largestText(axes, 'row', 'column')}
    let value = select(0.0, u[max(best, 0)], best >= 0);`,
      traits,
    ),
  gradient: ({ inputs: [, x], grads, attributes }) => [apply(maxPool2dGradientOp, [grads[0]!, x], attributes)[0], null],
});

/* @__PURE__ */ specify(maxPool2dChoiceOp, () => ({
  summary: 'The elements of u where the windows of x have their maxima.',
  reference([u, x], [, shape], attributes) {
    const y = new Float64Array(sizeOf(pooledShape('maxPool2dChoice', shape, attributes)));
    forEachWindow(shape, attributes, (index, elements) => {
      y[index] = u[largest(x, elements)];
    });
    return [y];
  },
  samples: maxSamples().slice(3).map(choiceSample),
  random(choose) {
    const { shape, attributes } = randomPool(choose, false);
    return choiceSample(sampleOf(shape, attributes));
  },
}));

export const avgPool2dOp: Declaration<PoolAttributes> = /* @__PURE__ */ defineOp<PoolAttributes>({
  name: 'avgPool2d',
  infer: ([x], attributes) => [f32(pooledShape('avgPool2d', x.shape, attributes))],
  lower: ({ inputs: [x], outputs: [y], attributes, baked }, traits) =>
    lowerPlanes(
      'avgPool2d',
      attributes,
      { target: y.shape, small: y.shape, big: x.shape },
      ['x'],
      baked,
      axes => `var sum = ${emptySum('x')};
    ${elementsOf(axes, 'row', 'column', 'addTo(&sum, x[at]);')}
    let value = totalOf(sum) / ${divisorOf(axes, 'row', 'column').text};`,
      traits,
    ),
  gradient: ({ inputs: [x], grads, attributes }) => [
    apply(avgPool2dGradientOp, [grads[0]!], { ...attributes, shape: x.shape })[0],
  ],
});

const avgSamples = (): Sample<PoolAttributes>[] => [
  sampleOf([2, 5, 8, 8], windowsOf([2, 2], [2, 2])),
  sampleOf([1, 3, 7, 9], windowsOf([2, 2], [2, 2])),
  sampleOf([1, 3, 7, 9], windowsOf([3, 2], [2, 3], { padding: [1, 1], ceil: true })),
  sampleOf([1, 3, 8, 7], windowsOf([2, 3], [3, 2], { padding: [1, 1], ceil: true, counted: false })),
  sampleOf([1, 2, 7, 5], { size: [3, 2] }),
];

/* @__PURE__ */ specify(avgPool2dOp, () => ({
  summary: 'Mean of each window.',
  reference([x], [shape], attributes) {
    const y = new Float64Array(sizeOf(pooledShape('avgPool2d', shape, attributes)));
    forEachWindow(shape, attributes, (index, elements, divisor) => {
      for (const at of elements) y[index] += x[at] / divisor;
    });
    return [y];
  },
  samples: avgSamples(),
  random(choose) {
    const { shape, attributes } = randomPool(choose, true);
    return sampleOf(shape, attributes);
  },
}));

export const avgPool2dGradientOp: Declaration<PoolGradientAttributes> =
  /* @__PURE__ */ defineOp<PoolGradientAttributes>({
    name: 'avgPool2dGradient',
    infer: (_, { shape }) => [f32(shape)],
    lower: ({ inputs: [g], attributes, baked }, traits) =>
      lowerPlanes(
        'avgPool2dGradient',
        attributes,
        { target: attributes.shape, small: g.shape, big: attributes.shape },
        ['g'],
        baked,
        axes => {
          const { constant, text } = divisorOf(axes, 'i', 'j');
          return `var sum = ${emptySum('g')};
    ${windowsText(axes, `addTo(&sum, g[(plane * oh + i) * ow + j]${constant ? '' : ` / ${text}`});`)}
    let value = totalOf(sum)${constant ? ` / ${text}` : ''};`;
        },
        traits,
      ),
    gradient: ({ grads, attributes: { shape, ...windows } }) => [apply(avgPool2dOp, [grads[0]!], windows)[0]],
  });

/** The gradient problem of a mean pool. */
const spreadSample = ({ inputs: [x], attributes }: Sample<PoolAttributes>): Sample<PoolGradientAttributes> => ({
  inputs: [pooled(x.shape, attributes)],
  attributes: { ...attributes, shape: x.shape },
});

/* @__PURE__ */ specify(avgPool2dGradientOp, () => ({
  summary: 'The gradient of avgPool2d.',
  reference([g], _, attributes) {
    const gx = new Float64Array(sizeOf(attributes.shape));
    forEachWindow(attributes.shape, attributes, (index, elements, divisor) => {
      for (const at of elements) gx[at] += g[index] / divisor;
    });
    return [gx];
  },
  samples: [
    { inputs: [{ shape: [1, 1, 2, 2] }], attributes: { ...windowsOf([2, 2], [2, 2]), shape: [1, 1, 4, 5] } },
    ...avgSamples().slice(2).map(spreadSample),
  ],
  random(choose) {
    const { shape, attributes } = randomPool(choose, true);
    return spreadSample(sampleOf(shape, attributes));
  },
}));

/** Pairs are [rows, columns]. */
export interface PoolOptions {
  /** Distance between windows; default the kernel's size. */
  readonly stride?: number | Pair;
  /** Padding at each side, at most half the kernel. Default 0. */
  readonly padding?: number | Pair;
  /** Whether a last window may end beyond the image and its padding, if it begins inside. Default false. */
  readonly ceilMode?: boolean;
}

/** Options of {@link maxPool2d}. */
export interface MaxPool2dOptions extends PoolOptions {
  /** Distance between the elements of a window. Default 1. */
  readonly dilation?: number | Pair;
}

/** Options of {@link avgPool2d}. */
export interface AvgPool2dOptions extends PoolOptions {
  /** Whether padding counts as zeros; else a mean is over the elements inside the image. Default true. */
  readonly countIncludePad?: boolean;
}

function slidingWindows(
  operation: string,
  kernel: number | Pair,
  {
    stride = kernel,
    padding = 0,
    dilation = 1,
    ceilMode = false,
    countIncludePad = true,
  }: MaxPool2dOptions & AvgPool2dOptions,
): PoolAttributes {
  return {
    kernel: pairOf(operation, 'kernel', kernel, 1),
    stride: pairOf(operation, 'stride', stride, 1),
    padding: pairOf(operation, 'padding', padding, 0),
    dilation: pairOf(operation, 'dilation', dilation, 1),
    ceil: ceilMode,
    counted: countIncludePad,
  };
}

/**
 * PyTorch's max_pool2d of [N, C, H, W]: the largest element of each window of `kernel` (one number, or [rows, columns]), NaN if it
 * has one. Padding is never the largest. Throws ShapeError.
 */
export function maxPool2d(x: Tensor, kernel: number | Pair, options: MaxPool2dOptions = {}): Tensor {
  checkOptions('maxPool2d', options, ['stride', 'padding', 'dilation', 'ceilMode']);
  return apply(maxPool2dOp, [x], slidingWindows('maxPool2d', kernel, options))[0];
}

/** PyTorch's avg_pool2d of [N, C, H, W]: the mean of each window of `kernel` (one number, or [rows, columns]). Throws ShapeError. */
export function avgPool2d(x: Tensor, kernel: number | Pair, options: AvgPool2dOptions = {}): Tensor {
  checkOptions('avgPool2d', options, ['stride', 'padding', 'ceilMode', 'countIncludePad']);
  return apply(avgPool2dOp, [x], slidingWindows('avgPool2d', kernel, options))[0];
}

/**
 * PyTorch's adaptive_max_pool2d: [N, C, H, W] to [N, C, size, size] (or [rows, columns]). Window i of an axis has the elements from
 * ⌊i · H / size⌋ to before ⌈(i + 1) · H / size⌉.
 */
export function adaptiveMaxPool2d(x: Tensor, size: number | Pair): Tensor {
  return apply(maxPool2dOp, [x], adaptiveWindows('adaptiveMaxPool2d', x, size))[0];
}

/** PyTorch's adaptive_avg_pool2d: means over the windows of {@link adaptiveMaxPool2d}. */
export function adaptiveAvgPool2d(x: Tensor, size: number | Pair): Tensor {
  const windows = adaptiveWindows('adaptiveAvgPool2d', x, size);
  // One long sum per channel is split over workgroups.
  if (Math.max(...windows.size) === 1) return mean(x, { axes: [2, 3], keepDims: true });
  return apply(avgPool2dOp, [x], windows)[0];
}

function adaptiveWindows(operation: string, x: Tensor, size: number | Pair): AdaptiveWindows & Attributes {
  requireTensors(operation, x);
  const windows = { size: pairOf(operation, 'size', size, 1) };
  pooledShape(operation, x.shape, windows);
  return windows;
}

/** Mean over all pixels: [N, C, H, W] to [N, C]. */
export function globalAvgPool2d(x: Tensor): Tensor {
  if (x.shape.length !== 4)
    throw new ShapeError('globalAvgPool2d', `expected [N, C, H, W], got ${formatShape(x.shape)}.`);
  return mean(x, { axes: [2, 3] });
}

/* @__PURE__ */ specifyFunction(() => ({
  name: 'globalAvgPool2d',
  summary: 'Mean over all pixels.',
  call: ([x]) => [globalAvgPool2d(x)],
  reference([x], [shape]) {
    const inner = sizeOf(shape.slice(2));
    const y = new Float64Array(sizeOf(shape.slice(0, 2)));
    x.forEach((value, i) => {
      y[Math.floor(i / inner)] += value / inner;
    });
    return [y];
  },
  samples: [{ inputs: [{ shape: [2, 5, 8, 8] }], attributes: {} }],
  random: choose => ({ inputs: [{ shape: randomPool(choose, true).shape }], attributes: {} }),
}));

type SizeAttributes = { readonly size: Pair };

const adaptiveSamples = (): Sample<SizeAttributes>[] => [
  { inputs: [{ shape: [2, 3, 7, 5] }], attributes: { size: [3, 4] } },
  { inputs: [{ shape: [1, 2, 4, 6] }], attributes: { size: [1, 1] } },
];

const adaptiveRandom = (choose: Choose): Sample<SizeAttributes> => ({
  inputs: [{ shape: randomPool(choose, true).shape }],
  attributes: { size: [choose.integer(1, 5), choose.integer(1, 5)] },
});

/* @__PURE__ */ specifyFunction<SizeAttributes>(() => ({
  name: 'adaptiveAvgPool2d',
  summary: 'Mean of each of as many windows as given, which cover the image.',
  call: ([x], { size }) => [adaptiveAvgPool2d(x, size)],
  reference([x], [shape], { size }) {
    const y = new Float64Array(shape[0] * shape[1] * size[0] * size[1]);
    forEachWindow(shape, { size }, (index, elements, divisor) => {
      for (const at of elements) y[index] += x[at] / divisor;
    });
    return [y];
  },
  samples: adaptiveSamples(),
  random: adaptiveRandom,
}));

/* @__PURE__ */ specifyFunction<SizeAttributes>(() => ({
  name: 'adaptiveMaxPool2d',
  summary: 'Maximum of each of as many windows as given, which cover the image.',
  call: ([x], { size }) => [adaptiveMaxPool2d(x, size)],
  reference([x], [shape], { size }) {
    const y = new Float64Array(shape[0] * shape[1] * size[0] * size[1]);
    forEachWindow(shape, { size }, (index, elements) => {
      y[index] = x[largest(x, elements)];
    });
    return [y];
  },
  samples: adaptiveSamples(),
  random: adaptiveRandom,
}));

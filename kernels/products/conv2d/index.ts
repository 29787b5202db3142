/** Two-dimensional convolution: three passes, each with several variants; `variants.ts` chooses one. */
import { apply } from '../../../engine/apply.ts';
import { checkOptions, quoted, ShapeError } from '../../../engine/basics/errors.ts';
import { f32, formatShape, type Shape } from '../../../engine/basics/shape.ts';
import { type Declaration, defineOp } from '../../../engine/define.ts';
import type { Attributes } from '../../../engine/graph/operation.ts';
import { requireTensors } from '../../../engine/require.ts';
import { type Choose, type Sample, specify } from '../../../engine/specify.ts';
import type { Tensor } from '../../../engine/tensor.ts';
import { type Pair, pairOf } from '../../pairs.ts';
import { sum } from '../../reductions/sum.ts';
import { type Conv2dProblem, type Geometry, outputSize } from './problem.ts';
import { conv2dInputGradientReference, conv2dReference, conv2dWeightGradientReference } from './reference.ts';
import { forwardFamily, inputGradientFamily, weightGradientFamily } from './variants.ts';

type Conv2dAttributes = Geometry & Attributes;
/** The shape of the gradient's result: x's or the weight's. */
type GradientAttributes = Conv2dAttributes & { readonly shape: Shape };

function problemOf(
  [n, c, h, w]: Shape,
  [k, , r, s]: Shape,
  { stride, padding, end, dilation, groups }: Conv2dAttributes,
  bias: boolean,
  baked: boolean,
): Conv2dProblem {
  const more = { ...(end && { end }), ...(dilation && { dilation }), ...(groups && { groups }) };
  return { n, c, h, w, k, r, s, stride, padding, ...more, bias, baked };
}

/** Without the shape of a gradient's result. */
const geometryOf = ({ shape, ...geometry }: GradientAttributes): Conv2dAttributes => geometry;

function checkProblem(x: Shape, weight: Shape, attributes: Conv2dAttributes, bias?: Shape): void {
  const fail = (problem: string) => new ShapeError('conv2d', problem);
  if (x.length !== 4) throw fail(`expected x of [N, C, H, W], got ${formatShape(x)}.`);
  if (weight.length !== 4) throw fail(`expected a weight of [K, C, R, S], got ${formatShape(weight)}.`);
  const { padding, end = padding, dilation = [1, 1], groups = 1 } = attributes;
  const channels = weight[1] * groups;
  if (x[1] !== channels)
    throw fail(`x ${formatShape(x)} has ${x[1]} channels, but the weight ${formatShape(weight)} expects ${channels}.`);
  if (weight[0] % groups !== 0)
    throw fail(`expected a multiple of ${groups} output channels for ${groups} groups, got ${formatShape(weight)}.`);
  if (bias && (bias.length !== 1 || bias[0] !== weight[0]))
    throw fail(`expected a bias of [${weight[0]}], got ${formatShape(bias)}.`);
  const [oh, ow] = outputSize(problemOf(x, weight, attributes, false, true));
  if (oh < 1 || ow < 1) {
    const spread = Math.max(...dilation) > 1 ? ` with dilation ${dilation.join('x')}` : '';
    const around = `${padding.join('x')}${end.join() === padding.join() ? '' : ` and ${end.join('x')}`}`;
    throw fail(`the ${weight[2]}x${weight[3]} kernel${spread} is larger than ${formatShape(x)} padded by ${around}.`);
  }
}

/** y = x ∗ weight (+ bias). */
export const conv2dOp: Declaration<Conv2dAttributes> = /* @__PURE__ */ defineOp<Conv2dAttributes>({
  name: 'conv2d',
  infer([x, weight, bias], attributes) {
    checkProblem(x.shape, weight.shape, attributes, bias?.shape);
    const problem = problemOf(x.shape, weight.shape, attributes, false, true);
    return [f32([problem.n, problem.k, ...outputSize(problem)])];
  },
  takesEpilogue: true,
  lower({ inputs, attributes, baked, epilogue }, traits) {
    const bias = inputs.length - (epilogue?.extras.length ?? 0) === 3;
    const plain = problemOf(inputs[0].shape, inputs[1].shape, attributes, bias, baked);
    const problem = epilogue ? { ...plain, epilogue } : plain;
    return forwardFamily.choose(problem, traits).lower(problem, traits);
  },
  gradient({ inputs: [x, weight], grads: [g], needs, attributes }) {
    return [
      needs[0] ? apply(conv2dInputGradientOp, [g!, weight], { ...attributes, shape: x.shape })[0] : undefined,
      needs[1] ? apply(conv2dWeightGradientOp, [x, g!], { ...attributes, shape: weight.shape })[0] : undefined,
      needs[2] ? sum(g!, { axes: [0, 2, 3] }) : undefined,
    ];
  },
});

/* @__PURE__ */ specify(conv2dOp, () => ({
  summary:
    'Two-dimensional cross-correlation with any kernel, stride, zero padding, dilation and groups, and an optional bias.',
  reference([x, weight, bias], shapes, attributes) {
    return [conv2dReference(problemOf(shapes[0], shapes[1], attributes, false, true), x, weight, bias)];
  },
  samples: samples(),
  random: randomSample,
  tolerance: 3e-6,
}));

/** gx from gy and the weight. */
export const conv2dInputGradientOp: Declaration<GradientAttributes> = /* @__PURE__ */ defineOp<GradientAttributes>({
  name: 'conv2dInputGradient',
  infer: (_, { shape }) => [f32(shape)],
  lower({ inputs, attributes, baked }, traits) {
    const problem = problemOf(attributes.shape, inputs[1].shape, attributes, false, baked);
    return inputGradientFamily.choose(problem, traits).lower(problem, traits);
  },
  gradient({ inputs: [g, weight], grads: [u], needs, attributes }) {
    return [
      needs[0] ? apply(conv2dOp, [u!, weight], geometryOf(attributes))[0] : undefined,
      needs[1] ? apply(conv2dWeightGradientOp, [u!, g], { ...attributes, shape: weight.shape })[0] : undefined,
    ];
  },
});

/* @__PURE__ */ specify(conv2dInputGradientOp, () => ({
  summary: 'The gradient of conv2d with respect to its input.',
  reference([g, weight], shapes, attributes) {
    return [conv2dInputGradientReference(problemOf(attributes.shape, shapes[1], attributes, false, true), g, weight)];
  },
  samples: samples().map(sample => gradientSample(sample, 'input')),
  random: choose => gradientSample(randomSample(choose), 'input'),
  tolerance: 3e-6,
}));

/** gw from x and gy. */
export const conv2dWeightGradientOp: Declaration<GradientAttributes> = /* @__PURE__ */ defineOp<GradientAttributes>({
  name: 'conv2dWeightGradient',
  infer: (_, { shape }) => [f32(shape)],
  lower({ inputs, attributes, baked }, traits) {
    const problem = problemOf(inputs[0].shape, attributes.shape, attributes, false, baked);
    return weightGradientFamily.choose(problem, traits).lower(problem, traits);
  },
  gradient({ inputs: [x, g], grads: [u], needs, attributes }) {
    return [
      needs[0] ? apply(conv2dInputGradientOp, [g, u!], { ...attributes, shape: x.shape })[0] : undefined,
      needs[1] ? apply(conv2dOp, [x, u!], geometryOf(attributes))[0] : undefined,
    ];
  },
});

/* @__PURE__ */ specify(conv2dWeightGradientOp, () => ({
  summary: 'The gradient of conv2d with respect to its weight.',
  reference([x, g], shapes, attributes) {
    return [conv2dWeightGradientReference(problemOf(shapes[0], attributes.shape, attributes, false, true), x, g)];
  },
  samples: samples().map(sample => gradientSample(sample, 'weight')),
  random: choose => gradientSample(randomSample(choose), 'weight'),
  tolerance: 3e-6,
}));

const plain: Geometry = { stride: [1, 1], padding: [1, 1] };

const samples = (): Sample<Conv2dAttributes>[] => [
  sampleOf([2, 3, 12, 10], [8, 3, 9, 9], { ...plain, padding: [4, 4] }, true),
  sampleOf([2, 8, 9, 7], [8, 8, 3, 3], plain),
  sampleOf([1, 9, 9, 7], [3, 9, 9, 9], { ...plain, padding: [4, 4] }, true),
  sampleOf([2, 6, 9, 11], [10, 6, 3, 3], { ...plain, stride: [2, 2] }, true),
  sampleOf([1, 1, 1, 1], [1, 1, 3, 3], plain, true),
  sampleOf([1, 4, 10, 9], [6, 4, 3, 5], { stride: [2, 1], padding: [1, 2] }),
  sampleOf([2, 17, 17, 19], [20, 17, 3, 3], plain, true),
  sampleOf([2, 8, 9, 7], [8, 8, 3, 3], { ...plain, padding: [0, 1], end: [2, 0] }),
  sampleOf([1, 6, 10, 9], [4, 3, 3, 2], { stride: [1, 2], padding: [2, 0], dilation: [2, 1], groups: 2 }, true),
  sampleOf([2, 6, 9, 7], [6, 1, 3, 3], { ...plain, groups: 6 }, true),
  sampleOf([1, 3, 11, 10], [6, 1, 5, 3], {
    stride: [2, 2],
    padding: [2, 0],
    end: [1, 3],
    dilation: [1, 2],
    groups: 3,
  }),
];

function sampleOf(x: Shape, weight: Shape, attributes: Geometry, bias = false): Sample<Conv2dAttributes> {
  return {
    inputs: [{ shape: x }, { shape: weight }, ...(bias ? [{ shape: [weight[0]] }] : [])],
    attributes: attributes as Conv2dAttributes,
  };
}

function randomSample(choose: Choose): Sample<Conv2dAttributes> {
  const square = choose.pick([1, 3, 3, 5]);
  const [r, s] = choose.pick([
    [square, square],
    [square, square],
    [3, 1],
    [2, 4],
  ] as const);
  const stride = choose.pick([1, 1, 1, 2]);
  const padding: Pair = [choose.integer(0, r), choose.integer(0, s)];
  const side = () => choose.integer(1, 19);
  const [n, h, w] = [choose.integer(1, 3), Math.max(side(), r), Math.max(side(), s)];
  const bias = choose.pick([true, false]);
  const common = { stride: [stride, stride], padding } as const;
  if (choose.pick([true, true, false])) {
    const c = choose.pick([1, 2, 5, 8, 13, 16]);
    return sampleOf([n, c, h, w], [choose.pick([1, 3, 8, 11, 16, 17]), c, r, s], common, bias);
  }
  // In groups of one channel, or more, or one group; dilated so that the kernel still fits.
  const [c, groups, each] = choose.pick([
    [5, 5, 1],
    [2, 2, 2],
    [4, 2, 3],
    [3, 1, 4],
  ] as const);
  const dilation: Pair = [h > 2 * r ? choose.integer(1, 2) : 1, w > 2 * s ? choose.integer(1, 2) : 1];
  const end: Pair = [choose.integer(0, 2), choose.integer(0, 2)];
  return sampleOf([n, c, h, w], [groups * each, c / groups, r, s], { ...common, end, dilation, groups }, bias);
}

/** The gradient problem of a convolution. */
function gradientSample(
  { inputs, attributes }: Sample<Conv2dAttributes>,
  of: 'input' | 'weight',
): Sample<GradientAttributes> {
  const [x, weight] = inputs;
  const problem = problemOf(x.shape, weight.shape, attributes, false, true);
  const gy = { shape: [problem.n, problem.k, ...outputSize(problem)] };
  return of === 'input'
    ? { inputs: [gy, weight], attributes: { ...attributes, shape: x.shape } }
    : { inputs: [x, gy], attributes: { ...attributes, shape: weight.shape } };
}

/** How the kernel moves over the image. Pairs are [rows, columns]. */
export interface ConvolutionOptions {
  /** Default 1. */
  readonly stride?: number | Pair;
  /** Distance between the elements of the image that a kernel reads. Default 1. */
  readonly dilation?: number | Pair;
  /**
   * Divides the channels into as many groups: each output channel reads those of its own group. As many groups as channels
   * make the convolution depthwise. Default 1.
   */
  readonly groups?: number;
}

/** Options of {@link conv2d}. */
export interface Conv2dOptions extends ConvolutionOptions {
  /**
   * Zeros around the image: one number, [rows, columns], or [[top, bottom], [left, right]]. `same` (stride 1 only): so many that
   * the result has x's height and width, at the bottom and right one more if their number is odd. `valid`: none. Default 0.
   */
  readonly padding?: number | Pair | readonly [Pair, Pair] | 'same' | 'valid';
}

/** Zeros before the first row and column, and after the last. */
function paddingOf(
  padding: NonNullable<Conv2dOptions['padding']>,
  [, , r, s]: Shape,
  stride: Pair,
  dilation: Pair,
): readonly [Pair, Pair] {
  if (padding === 'same') {
    if (Math.max(...stride) > 1)
      throw new ShapeError('conv2d', `expected stride 1 with padding "same", got ${stride.join('x')}.`);
    const [down, across] = [dilation[0] * (r - 1), dilation[1] * (s - 1)];
    return [
      [down >> 1, across >> 1],
      [(down + 1) >> 1, (across + 1) >> 1],
    ];
  }
  if (Array.isArray(padding) && padding.some(Array.isArray)) {
    const [rows, columns] = padding.map(side => pairOf('conv2d', 'padding', side, 0));
    if (padding.length !== 2)
      throw new ShapeError('conv2d', `expected padding as [[top, bottom], [left, right]], got ${quoted(padding)}.`);
    return [
      [rows[0], columns[0]],
      [rows[1], columns[1]],
    ];
  }
  const both = pairOf('conv2d', 'padding', padding === 'valid' ? 0 : (padding as number | Pair), 0);
  return [both, both];
}

/** What is 1 everywhere by default is left out: programs are cached by attributes. */
export function convolutionGeometry(
  operation: string,
  { stride = 1, dilation = 1, groups = 1 }: ConvolutionOptions,
): Pick<Geometry, 'stride' | 'dilation' | 'groups'> {
  if (!Number.isInteger(groups) || groups < 1)
    throw new ShapeError(operation, `expected groups to be an integer of at least 1, got ${quoted(groups)}.`);
  const spread = pairOf(operation, 'dilation', dilation, 1);
  return {
    stride: pairOf(operation, 'stride', stride, 1),
    ...(Math.max(...spread) > 1 && { dilation: spread }),
    ...(groups > 1 && { groups }),
  };
}

/**
 * PyTorch's conv2d: x [N, C, H, W], weight [K, C / groups, R, S], optional bias [K]; result [N, K, OH, OW] with
 * OH = ⌊(H + top + bottom − dilation · (R − 1) − 1) / stride⌋ + 1. Throws ShapeError.
 */
export function conv2d(x: Tensor, weight: Tensor, bias?: Tensor, options: Conv2dOptions = {}): Tensor {
  checkOptions('conv2d', options, ['stride', 'padding', 'dilation', 'groups']);
  requireTensors('conv2d', x, weight);
  const geometry = convolutionGeometry('conv2d', options);
  const { stride, dilation = [1, 1] } = geometry;
  const [padding, end] = paddingOf(options.padding ?? 0, weight.shape, stride, dilation);
  const isEven = padding[0] === end[0] && padding[1] === end[1];
  const attributes = { ...geometry, padding, ...(!isEven && { end }) };
  return apply(conv2dOp, bias ? [x, weight, bias] : [x, weight], attributes as Conv2dAttributes)[0];
}

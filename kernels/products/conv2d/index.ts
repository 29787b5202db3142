/** Two-dimensional convolution: three passes, each with several variants; `variants.ts` chooses one. */
import { apply } from '../../../engine/apply.ts';
import { checkOptions, quoted, ShapeError } from '../../../engine/basics/errors.ts';
import { f32, formatShape, type Shape } from '../../../engine/basics/shape.ts';
import { type Declaration, defineOp } from '../../../engine/define.ts';
import { type Choose, type Sample, specify } from '../../../engine/specify.ts';
import type { Tensor } from '../../../engine/tensor.ts';
import { sum } from '../../reductions/sum.ts';
import { type Conv2dProblem, outputSize } from './problem.ts';
import { conv2dInputGradientReference, conv2dReference, conv2dWeightGradientReference } from './reference.ts';
import { forwardFamily, inputGradientFamily, weightGradientFamily } from './variants.ts';

type Pair = readonly [number, number];
type Conv2dAttributes = { readonly stride: Pair; readonly padding: Pair };
/** The shape of the gradient's result: x's or the weight's. */
type GradientAttributes = Conv2dAttributes & { readonly shape: Shape };

function problemOf(
  x: Shape,
  weight: Shape,
  { stride, padding }: Conv2dAttributes,
  bias: boolean,
  baked: boolean,
): Conv2dProblem {
  const [n, c, h, w] = x as unknown as [number, number, number, number];
  const [k, , r, s] = weight as unknown as [number, number, number, number];
  return { n, c, h, w, k, r, s, stride, padding, bias, baked };
}

function checkProblem(x: Shape, weight: Shape, attributes: Conv2dAttributes, bias?: Shape): void {
  const fail = (problem: string) => new ShapeError('conv2d', problem);
  if (x.length !== 4) throw fail(`expected x of [N, C, H, W], got ${formatShape(x)}.`);
  if (weight.length !== 4) throw fail(`expected a weight of [K, C, R, S], got ${formatShape(weight)}.`);
  if (x[1] !== weight[1])
    throw fail(`x ${formatShape(x)} has ${x[1]} channels, but the weight ${formatShape(weight)} expects ${weight[1]}.`);
  if (bias && (bias.length !== 1 || bias[0] !== weight[0]))
    throw fail(`expected a bias of [${weight[0]}], got ${formatShape(bias)}.`);
  const { stride, padding } = attributes;
  if (![...stride, ...padding].every(Number.isInteger) || Math.min(...stride) < 1 || Math.min(...padding) < 0)
    throw fail(
      `expected integer strides of at least 1 and paddings of at least 0, got ${stride.join('x')} and ${padding.join('x')}.`,
    );
  const [oh, ow] = outputSize(problemOf(x, weight, attributes, false, true));
  if (oh < 1 || ow < 1)
    throw fail(`the ${weight[2]}x${weight[3]} kernel is larger than ${formatShape(x)} padded by ${padding.join('x')}.`);
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
  summary: 'Two-dimensional cross-correlation with any kernel, stride and zero padding, and an optional bias.',
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
  gradient({ inputs: [g, weight], grads: [u], needs, attributes: { stride, padding } }) {
    return [
      needs[0] ? apply(conv2dOp, [u!, weight], { stride, padding })[0] : undefined,
      needs[1] ? apply(conv2dWeightGradientOp, [u!, g], { stride, padding, shape: weight.shape })[0] : undefined,
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
  gradient({ inputs: [x, g], grads: [u], needs, attributes: { stride, padding } }) {
    return [
      needs[0] ? apply(conv2dInputGradientOp, [g, u!], { stride, padding, shape: x.shape })[0] : undefined,
      needs[1] ? apply(conv2dOp, [x, u!], { stride, padding })[0] : undefined,
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

const samples = (): Sample<Conv2dAttributes>[] => [
  sampleOf([2, 3, 12, 10], [8, 3, 9, 9], [1, 1], [4, 4], true),
  sampleOf([2, 8, 9, 7], [8, 8, 3, 3], [1, 1], [1, 1]),
  sampleOf([1, 9, 9, 7], [3, 9, 9, 9], [1, 1], [4, 4], true),
  sampleOf([2, 6, 9, 11], [10, 6, 3, 3], [2, 2], [1, 1], true),
  sampleOf([1, 1, 1, 1], [1, 1, 3, 3], [1, 1], [1, 1], true),
  sampleOf([1, 4, 10, 9], [6, 4, 3, 5], [2, 1], [1, 2]),
  sampleOf([2, 17, 17, 19], [20, 17, 3, 3], [1, 1], [1, 1], true),
];

function sampleOf(x: Shape, weight: Shape, stride: Pair, padding: Pair, bias = false): Sample<Conv2dAttributes> {
  return {
    inputs: [{ shape: x }, { shape: weight }, ...(bias ? [{ shape: [weight[0]] }] : [])],
    attributes: { stride, padding },
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
  const x = [choose.integer(1, 3), choose.pick([1, 2, 5, 8, 13, 16]), Math.max(side(), r), Math.max(side(), s)];
  return sampleOf(
    x,
    [choose.pick([1, 3, 8, 11, 16, 17]), x[1], r, s],
    [stride, stride],
    padding,
    choose.pick([true, false]),
  );
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

export interface Conv2dOptions {
  /** [rows, columns], or one number for both. Default 1. */
  readonly stride?: number | Pair;
  /** Zeros around the image: [rows, columns], or one number for both. Default 0. */
  readonly padding?: number | Pair;
}

function pair(value: number | Pair): Pair {
  if (typeof value === 'number') return [value, value];
  if (Array.isArray(value) && value.length === 2) return value as unknown as Pair;
  throw new ShapeError('conv2d', `expected stride and padding as one number or two, got ${quoted(value)}.`);
}

/**
 * PyTorch's conv2d: x [N, C, H, W], weight [K, C, R, S], optional bias [K]; result [N, K, OH, OW] with
 * OH = ⌊(H + 2·padding − R) / stride⌋ + 1. Throws ShapeError.
 */
export function conv2d(x: Tensor, weight: Tensor, bias?: Tensor, options: Conv2dOptions = {}): Tensor {
  checkOptions('conv2d', options, ['stride', 'padding']);
  const { stride = 1, padding = 0 } = options;
  return apply(conv2dOp, bias ? [x, weight, bias] : [x, weight], { stride: pair(stride), padding: pair(padding) })[0];
}

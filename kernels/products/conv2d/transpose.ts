/** Transposed convolution: the input gradient of a convolution, as an operation of its own. */
import { apply } from '../../../engine/apply.ts';
import { checkOptions, ShapeError } from '../../../engine/basics/errors.ts';
import { formatShape, type Shape } from '../../../engine/basics/shape.ts';
import { requireFloats } from '../../../engine/require.ts';
import { type Choose, type Sample, specifyFunction } from '../../../engine/specify.ts';
import { type Tensor, tidy } from '../../../engine/tensor.ts';
import { add } from '../../elementwise/arithmetic.ts';
import { reshape } from '../../movement/reshape.ts';
import { type Pair, pairOf } from '../../pairs.ts';
import { type ConvolutionOptions, conv2dInputGradientOp, convolutionGeometry } from './index.ts';
import type { Conv2dProblem } from './problem.ts';
import { conv2dInputGradientReference } from './reference.ts';

/** Options of {@link convTranspose2d}. */
export interface ConvTranspose2dOptions extends ConvolutionOptions {
  /** Rows and columns that are left out at each side of the result: one number, or [rows, columns]. Default 0. */
  readonly padding?: number | Pair;
  /**
   * Rows and columns that are added at the bottom and at the right of the result, less than the stride or the dilation: one
   * number, or [rows, columns]. Default 0.
   */
  readonly outputPadding?: number | Pair;
}

const NAME = 'convTranspose2d';

/** The shape of the result and the attributes of the convolution whose input gradient it is. */
function attributesOf(x: Shape, weight: Shape, options: ConvTranspose2dOptions) {
  const fail = (problem: string) => new ShapeError(NAME, problem);
  const geometry = convolutionGeometry(NAME, options);
  const { stride, dilation = [1, 1], groups = 1 } = geometry;
  const padding = pairOf(NAME, 'padding', options.padding ?? 0, 0);
  const extra = pairOf(NAME, 'outputPadding', options.outputPadding ?? 0, 0);
  if (x.length !== 4) throw fail(`expected x of [N, C, H, W], got ${formatShape(x)}.`);
  if (weight.length !== 4) throw fail(`expected a weight of [C, K / groups, R, S], got ${formatShape(weight)}.`);
  if (x[1] !== weight[0])
    throw fail(`x ${formatShape(x)} has ${x[1]} channels, but the weight ${formatShape(weight)} expects ${weight[0]}.`);
  if (x[1] % groups !== 0)
    throw fail(`expected a multiple of ${groups} channels for ${groups} groups, got ${formatShape(x)}.`);
  if (extra.some((amount, axis) => amount >= Math.max(stride[axis], dilation[axis])))
    throw fail(
      `expected an outputPadding less than stride ${stride.join('x')} or dilation ${dilation.join('x')}, got ${extra.join('x')}.`,
    );
  const along = (axis: 0 | 1) =>
    (x[axis + 2] - 1) * stride[axis] - 2 * padding[axis] + dilation[axis] * (weight[axis + 2] - 1) + extra[axis] + 1;
  const [h, w] = [along(0), along(1)];
  if (h < 1 || w < 1)
    throw fail(`the result of ${formatShape(x)} would be ${h}x${w}: padding is ${padding.join('x')}.`);
  // The convolution leaves out what outputPadding adds.
  const end: Pair = [padding[0] - extra[0], padding[1] - extra[1]];
  return {
    ...geometry,
    padding,
    ...(Math.max(...extra) > 0 && { end }),
    shape: [x[0], weight[1] * groups, h, w],
  };
}

/**
 * PyTorch's conv_transpose2d: x [N, C, H, W], weight [C, K / groups, R, S], optional bias [K]; result [N, K, OH, OW] with
 * OH = (H − 1) · stride − 2 · padding + dilation · (R − 1) + outputPadding + 1. Throws ShapeError.
 */
export function convTranspose2d(
  x: Tensor,
  weight: Tensor,
  bias?: Tensor,
  options: ConvTranspose2dOptions = {},
): Tensor {
  checkOptions(NAME, options, ['stride', 'padding', 'outputPadding', 'dilation', 'groups']);
  requireFloats(NAME, x, weight, ...(bias ? [bias] : []));
  const attributes = attributesOf(x.shape, weight.shape, options);
  const channels = attributes.shape[1];
  if (bias && (bias.shape.length !== 1 || bias.shape[0] !== channels))
    throw new ShapeError(NAME, `expected a bias of [${channels}], got ${formatShape(bias.shape)}.`);
  return tidy(() => {
    const y = apply(conv2dInputGradientOp, [x, weight], attributes)[0];
    return bias ? add(y, reshape(bias, [channels, 1, 1])) : y;
  });
}

type TransposeAttributes = ConvTranspose2dOptions & Readonly<Record<string, unknown>>;

/* @__PURE__ */ specifyFunction<TransposeAttributes>(() => ({
  name: NAME,
  summary: 'Transposed convolution: the input gradient of conv2d, with an optional bias.',
  call: ([x, weight, bias], attributes) => [convTranspose2d(x, weight, bias, attributes)],
  reference([x, weight, bias], shapes, options) {
    const { shape, ...geometry } = attributesOf(shapes[0], shapes[1], options);
    const [n, c, h, w] = shape as [number, number, number, number];
    const [k, , r, s] = shapes[1] as unknown as [number, number, number, number];
    const problem: Conv2dProblem = { n, c, h, w, k, r, s, ...geometry, bias: false, baked: true };
    const y = conv2dInputGradientReference(problem, x, weight);
    return [bias ? y.map((value, i) => value + bias[Math.floor(i / (h * w)) % c]) : y];
  },
  samples: [
    sampleOf([2, 4, 5, 4], [4, 3, 3, 3], { stride: 2, padding: 1, outputPadding: 1 }, true),
    sampleOf([1, 3, 4, 5], [3, 1, 3, 2], { stride: [2, 1], dilation: [1, 2], groups: 3 }, true),
    sampleOf([1, 4, 3, 4], [4, 2, 2, 3], { dilation: [3, 1], outputPadding: [2, 0], padding: [1, 0], groups: 2 }),
  ],
  random: randomSample,
  // A sum over channels and taps, as that of conv2d.
  tolerance: 3e-6,
}));

function sampleOf(x: Shape, weight: Shape, attributes: ConvTranspose2dOptions, bias = false) {
  const { shape } = attributesOf(x, weight, attributes);
  const inputs = [{ shape: x }, { shape: weight }, ...(bias ? [{ shape: [shape[1]] }] : [])];
  return { inputs, attributes: attributes as TransposeAttributes } satisfies Sample<TransposeAttributes>;
}

function randomSample(choose: Choose): Sample<TransposeAttributes> {
  const [c, each, groups] = choose.pick([
    [3, 4, 1],
    [5, 1, 5],
    [4, 3, 2],
  ] as const);
  const [r, s] = choose.pick([
    [3, 3],
    [2, 2],
    [4, 3],
  ] as const);
  const stride = choose.pick([1, 2]);
  const dilation = choose.pick([1, 1, 2]);
  const options = {
    stride,
    dilation,
    groups,
    padding: [choose.integer(0, 1), choose.integer(0, 1)] as const,
    outputPadding: choose.integer(0, Math.max(stride, dilation) - 1),
  };
  const x = [choose.integer(1, 2), c, choose.integer(2, 9), choose.integer(2, 9)];
  return sampleOf(x, [c, each, r, s], options, choose.pick([true, false]));
}

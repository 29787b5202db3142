/** Activation functions. Gradients at kinks are PyTorch's: those of x ≤ 0. */
import { ArgumentError, checkOptions, quoted, ShapeError } from '../../engine/basics/errors.ts';
import { formatShape, sizeOf } from '../../engine/basics/shape.ts';
import type { Attributes } from '../../engine/graph/operation.ts';
import { requireFloats, requireTensors } from '../../engine/require.ts';
import { type FunctionSpecification, specifyFunction } from '../../engine/specify.ts';
import { type Tensor, tidy } from '../../engine/tensor.ts';
import { reshape } from '../movement/reshape.ts';
import { normalDistribution, oddShape } from '../references.ts';
import { add, div, mul, neg, square, sub } from './arithmetic.ts';
import { keepNaN } from './bits.ts';
import { greater, less, minimum } from './comparison.ts';
import { applyOne, defineElementwise, type ElementwiseOperation } from './define-elementwise.ts';
import { fullLike } from './full-like.ts';
import { abs, exp } from './functions.ts';
import { EXPM1, LOG1P, NORMAL_CDF, TANH } from './precise.ts';
import { where } from './selection.ts';
import { specifyElementwise } from './specify-elementwise.ts';

type SlopeAttributes = { readonly slope: number };
type Nothing = Record<never, never>;

/** max(x, slope·x) by selection, which keeps NaN (max would hide it). */
export const leakyReluOp = /* @__PURE__ */ defineElementwise<SlopeAttributes>({
  name: 'leakyRelu',
  arity: 1,
  expression: ([x], { slope }, number) =>
    slope === 0 ? `select(${x}, 0.0, ${x} <= 0.0)` : `select(${x}, ${x} * ${number(slope)}, ${x} <= 0.0)`,
  // Uses the output, which has the input's sign and is kept for the next layer anyway, so the input need not be kept.
  gradient: ({ grad, inputs: [x], output, attributes }) => [
    () => applyOne(leakyReluGradientOp, [grad, attributes.slope < 0 ? x : output], attributes),
  ],
});

/* @__PURE__ */ specifyElementwise(leakyReluOp, () => ({
  summary: 'x where x > 0, else slope · x. ReLU is slope 0.',
  compute: ([x], { slope }) => (x <= 0 ? (slope === 0 ? 0 : Math.fround(slope) * x) : x),
  attributes: [{ slope: 0.2 }, { slope: 0 }],
  samples: [{ inputs: [{ shape: [5], values: [-2, -0, 0, 1e-30, 3] }], attributes: { slope: 0.2 }, kink: 'at 0' }],
}));

export const leakyReluGradientOp: ElementwiseOperation<SlopeAttributes> =
  /* @__PURE__ */ defineElementwise<SlopeAttributes>({
    name: 'leakyReluGradient',
    arity: 2,
    // No product with 0, which would turn infinite gradients into NaN.
    expression: ([g, x], { slope }, number) =>
      slope === 0 ? `select(${g}, 0.0, ${x} <= 0.0)` : `select(${g}, ${g} * ${number(slope)}, ${x} <= 0.0)`,
    gradient: ({ grad, inputs: [, x], attributes }) => [
      () => applyOne(leakyReluGradientOp, [grad, x], attributes),
      () => fullLike(grad, 0),
    ],
  });

/* @__PURE__ */ specifyElementwise(leakyReluGradientOp, () => ({
  summary: 'g where x > 0, else slope · g.',
  compute: ([g, x], { slope }) => (x <= 0 ? (slope === 0 ? 0 : Math.fround(slope) * g) : g),
  attributes: [{ slope: 0.2 }, { slope: 0 }],
}));

/** x where x > 0, else weight·x; the weight is broadcast. */
export const preluOp = /* @__PURE__ */ defineElementwise({
  name: 'preluElementwise',
  arity: 2,
  expression: ([x, w]) => `select(${x}, ${w} * ${x}, ${x} <= 0.0)`,
  gradient: ({ grad, inputs: [x, w] }) => [
    () => applyOne(preluInputGradientOp, [grad, x, w], {}),
    () => applyOne(preluWeightGradientOp, [grad, x], {}),
  ],
});

/* @__PURE__ */ specifyElementwise(preluOp, () => ({
  summary: 'x where x > 0, else w · x, with w broadcast: the kernel of prelu.',
  compute: ([x, w]) => (x <= 0 ? w * x : x),
}));

export const preluInputGradientOp: ElementwiseOperation<Nothing> = /* @__PURE__ */ defineElementwise({
  name: 'preluInputGradient',
  arity: 3,
  expression: ([g, x, w]) => `select(${g}, ${w} * ${g}, ${x} <= 0.0)`,
  gradient: ({ grad, inputs: [g, x, w] }) => [
    () => applyOne(preluInputGradientOp, [grad, x, w], {}),
    () => fullLike(grad, 0),
    () => applyOne(leakyReluGradientOp, [mul(grad, g), neg(x)], { slope: 0 }),
  ],
});

/* @__PURE__ */ specifyElementwise(preluInputGradientOp, () => ({
  summary: 'g where x > 0, else w · g.',
  compute: ([g, x, w]) => (x <= 0 ? w * g : g),
}));

export const preluWeightGradientOp: ElementwiseOperation<Nothing> = /* @__PURE__ */ defineElementwise({
  name: 'preluWeightGradient',
  arity: 2,
  expression: ([g, x]) => `select(0.0, ${x} * ${g}, ${x} <= 0.0)`,
  gradient: ({ grad, inputs: [g, x] }) => [
    () => applyOne(preluWeightGradientOp, [grad, x], {}),
    () => applyOne(leakyReluGradientOp, [mul(grad, g), neg(x)], { slope: 0 }),
  ],
});

/* @__PURE__ */ specifyElementwise(preluWeightGradientOp, () => ({
  summary: 'x · g where x ≤ 0, else 0.',
  compute: ([g, x]) => (x <= 0 ? x * g : 0),
}));

export const tanhOp = /* @__PURE__ */ defineElementwise({
  name: 'tanh',
  arity: 1,
  expensive: true,
  declarations: () => TANH,
  expression: ([x]) => keepNaN(x, `daybreakTanh(${x})`),
  gradient: ({ grad, output }) => [() => mul(grad, neg(sub(square(output), 1)))],
});

/* @__PURE__ */ specifyElementwise(tanhOp, () => ({
  summary: 'Hyperbolic tangent, accurate near 0 on every driver.',
  compute: ([x]) => Math.tanh(x),
  samples: [
    { inputs: [{ shape: [7], values: [-1e-6, 6e-5, 0, 0.6, -0.7, 9, -30] }], attributes: {} },
    { inputs: [{ shape: [64], range: [-1e-4, 1e-4] }], attributes: {} },
  ],
}));

export const sigmoidOp = /* @__PURE__ */ defineElementwise({
  name: 'sigmoid',
  arity: 1,
  expensive: true,
  expression: ([x]) => keepNaN(x, `1.0 / (1.0 + exp(-${x}))`),
  gradient: ({ grad, output }) => [() => mul(grad, mul(output, add(neg(output), 1)))],
});

/* @__PURE__ */ specifyElementwise(sigmoidOp, () => ({
  summary: '1 / (1 + e⁻ˣ).',
  compute: ([x]) => 1 / (1 + Math.exp(-x)),
  samples: [{ inputs: [{ shape: [6], values: [-80, -20, 0, 5, 20, 100] }], attributes: {}, kink: 'flat in float32' }],
}));

export const softplusOp = /* @__PURE__ */ defineElementwise({
  name: 'softplus',
  arity: 1,
  expensive: true,
  declarations: () => LOG1P,
  expression: ([x]) => `select(${x}, 0.0, ${x} < 0.0) + daybreakLog1p(exp(-abs(${x})))`,
  gradient: ({ grad, inputs: [x] }) => [() => mul(grad, sigmoid(x))],
});

/* @__PURE__ */ specifyElementwise(softplusOp, () => ({
  summary: 'log(1 + eˣ), stable at both ends.',
  compute: ([x]) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
  samples: [{ inputs: [{ shape: [6], values: [-80, -20, 0, 5, 20, 100] }], attributes: {}, kink: 'flat in float32' }],
}));

type AlphaAttributes = { readonly alpha: number };

export const eluOp = /* @__PURE__ */ defineElementwise<AlphaAttributes>({
  name: 'elu',
  arity: 1,
  expensive: true,
  declarations: () => EXPM1,
  expression: ([x], { alpha }, number) => `select(${x}, ${number(alpha)} * daybreakExpm1(${x}), ${x} <= 0.0)`,
  gradient: ({ grad, inputs: [x], attributes: { alpha } }) => [
    // NaN is not greater, and stays. The minimum keeps second derivatives of large x from being 0 · ∞.
    () => where(greater(x, 0), grad, mul(mul(grad, alpha), exp(minimum(x, 0)))),
  ],
});

/* @__PURE__ */ specifyElementwise(eluOp, () => ({
  summary: 'x where x > 0, else α · (eˣ − 1).',
  compute: ([x], { alpha }) => (x <= 0 ? Math.fround(alpha) * Math.expm1(x) : x),
  attributes: [{ alpha: 1 }, { alpha: -0.3 }],
  tolerance: 2e-6,
}));

export const hardSigmoidOp = /* @__PURE__ */ defineElementwise({
  name: 'hardSigmoid',
  arity: 1,
  expression: ([x]) => `select(select((${x} + 3.0) / 6.0, 0.0, ${x} <= -3.0), 1.0, ${x} >= 3.0)`,
  gradient: ({ grad, inputs: [x] }) => [() => where(less(abs(x), 3), div(grad, 6), 0)],
});

/* @__PURE__ */ specifyElementwise(hardSigmoidOp, () => ({
  summary: '(x + 3) / 6, clamped to [0, 1]; gradient 0 at the bounds.',
  compute: ([x]) => Math.min(Math.max(x + 3, 0), 6) / 6,
  ranges: [[-5, 5]],
}));

export const normalCdfOp = /* @__PURE__ */ defineElementwise({
  name: 'normalCdf',
  arity: 1,
  expensive: true,
  declarations: () => NORMAL_CDF,
  expression: ([x]) => keepNaN(x, `daybreakNormalCdf(${x})`),
  gradient: ({ grad, inputs: [x] }) => [() => mul(grad, mul(exp(mul(square(x), -0.5)), 1 / Math.sqrt(2 * Math.PI)))],
});

/* @__PURE__ */ specifyElementwise(normalCdfOp, () => ({
  summary: 'The normal distribution’s cumulative function, (1 + erf(x/√2)) / 2.',
  compute: ([x]) => normalDistribution(x),
  ranges: [[-4, 4]],
}));

/** x where x > 0, else slope · x. */
export const leakyRelu = (x: Tensor, slope = 0.01): Tensor => applyOne(leakyReluOp, [x], { slope });
/** max(x, 0). */
export const relu = (x: Tensor): Tensor => applyOne(leakyReluOp, [x], { slope: 0 });
/** Hyperbolic tangent. */
export const tanh = (x: Tensor): Tensor => applyOne(tanhOp, [x], {});
/** 1 / (1 + e⁻ˣ). */
export const sigmoid = (x: Tensor): Tensor => applyOne(sigmoidOp, [x], {});
/** log(1 + eˣ). */
export const softplus = (x: Tensor): Tensor => applyOne(softplusOp, [x], {});
/** x where x > 0, else alpha · (eˣ − 1) (Clevert et al. 2016). */
export const elu = (x: Tensor, alpha = 1): Tensor => applyOne(eluOp, [x], { alpha });
/** (x + 3) / 6, clamped to [0, 1] (PyTorch's `hardsigmoid`). */
export const hardSigmoid = (x: Tensor): Tensor => applyOne(hardSigmoidOp, [x], {});
/** x / (1 + |x|). */
export function softsign(x: Tensor): Tensor {
  requireFloats('softsign', x);
  return tidy(() => div(x, add(abs(x), 1)));
}
/** x · sigmoid(x), also called swish. −∞ gives NaN, as in PyTorch. */
export const silu = (x: Tensor): Tensor => tidy(() => mul(x, sigmoid(x)));

/** Options of {@link gelu}. */
export interface GeluOptions {
  /** `none` (default): x · Φ(x) with the normal distribution's Φ; `tanh`: the approximation by a hyperbolic tangent. */
  readonly approximate?: 'none' | 'tanh';
}

/**
 * x · Φ(x) (Hendrycks and Gimpel 2016), or x · (1 + tanh(√(2/π) · (x + 0.044715 x³))) / 2. Accurate for negative x too, where
 * PyTorch's formula cancels in float32. −∞ gives NaN, as in PyTorch.
 */
export function gelu(x: Tensor, options: GeluOptions = {}): Tensor {
  requireFloats('gelu', x);
  checkOptions('gelu', options, ['approximate']);
  const { approximate = 'none' } = options;
  if (approximate === 'none') return tidy(() => mul(x, applyOne(normalCdfOp, [x], {})));
  if (approximate !== 'tanh')
    throw new ArgumentError('gelu', `expected approximate "none" or "tanh", got ${quoted(approximate)}.`);
  // (1 + tanh u) / 2 = sigmoid(2u)
  const scale = 2 * Math.sqrt(2 / Math.PI);
  return tidy(() => mul(x, sigmoid(mul(x, add(mul(square(x), 0.044715 * scale), scale)))));
}

/** The specification of an activation that is composed of other operations. */
const pointwise = <A extends Attributes>(
  name: string,
  summary: string,
  call: (x: Tensor, attributes: A) => Tensor,
  compute: (x: number, attributes: A) => number,
  attributes: readonly A[],
): FunctionSpecification<A> => ({
  name,
  summary,
  call: ([x], some) => [call(x, some)],
  reference: ([x], _, some) => [x.map(value => compute(value, some))],
  samples: attributes.map(some => ({
    inputs: [{ shape: [7], values: [-6, -3, -0.5, 0, 1e-3, 1, 8] }],
    attributes: some,
  })),
  random: choose => ({ inputs: [{ shape: oddShape(choose), range: [-4, 4] }], attributes: choose.pick(attributes) }),
  tolerance: 2e-6,
});

/* @__PURE__ */ specifyFunction(() =>
  pointwise('softsign', 'x / (1 + |x|).', softsign, x => x / (1 + Math.abs(x)), [{}]),
);

/* @__PURE__ */ specifyFunction(() => pointwise('silu', 'x · sigmoid(x).', silu, x => x / (1 + Math.exp(-x)), [{}]));

/* @__PURE__ */ specifyFunction<Required<GeluOptions>>(() =>
  pointwise<Required<GeluOptions>>(
    'gelu',
    'x · Φ(x), or its approximation by tanh.',
    gelu,
    (x, { approximate }) =>
      approximate === 'none'
        ? x * normalDistribution(x)
        : x / (1 + Math.exp(-2 * Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
    [{ approximate: 'none' }, { approximate: 'tanh' }],
  ),
);

/**
 * Parametric ReLU (He et al. 2015): x where x > 0, else weight · x. x is [N, C, …]; the weight is [C] with one slope per
 * channel, or [1] with one for all. Throws ShapeError for other weights.
 */
export function prelu(x: Tensor, weight: Tensor): Tensor {
  requireTensors('prelu', x, weight);
  const channels = x.shape[1] ?? 1;
  if (weight.size !== 1 && weight.size !== channels)
    throw new ShapeError(
      'prelu',
      `for x ${formatShape(x.shape)}: expected a weight of [${channels}] or [1], got ${formatShape(weight.shape)}.`,
    );
  const shape = x.shape.map((_, axis) => (axis === 1 ? weight.size : 1));
  return tidy(() => applyOne(preluOp, [x, reshape(weight, shape)], {}));
}

/* @__PURE__ */ specifyFunction(() => ({
  name: 'prelu',
  summary: 'Parametric ReLU with one slope per channel, or one for all.',
  call: ([x, weight]) => [prelu(x, weight)],
  reference([x, weight], [shape]) {
    const inner = sizeOf(shape.slice(2));
    return [x.map((value, i) => (value > 0 ? value : value * weight[Math.floor(i / inner) % weight.length]))];
  },
  samples: [
    { inputs: [{ shape: [2, 5, 4, 3] }, { shape: [5] }], attributes: {} },
    { inputs: [{ shape: [1, 1, 1, 1] }, { shape: [1] }], attributes: {} },
    { inputs: [{ shape: [2, 3, 8, 8] }, { shape: [1] }], attributes: {} },
  ],
  random: choose => {
    const channels = choose.pick([1, 3, 8, 13]);
    const shape = [choose.integer(1, 3), channels, choose.pick([1, 5, 11]), choose.pick([1, 7, 12])];
    return { inputs: [{ shape }, { shape: [choose.pick([1, channels])] }], attributes: {} };
  },
}));

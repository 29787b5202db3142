/** Losses: means over all elements unless noted otherwise. */

import { ArgumentError, checkOptions, quoted, ShapeError } from '../../engine/basics/errors.ts';
import { formatShape, type Shape, sameShape } from '../../engine/basics/shape.ts';
import { requireFloats, requireTensors } from '../../engine/require.ts';
import { type FunctionSpecification, specifyFunction } from '../../engine/specify.ts';
import { type Tensor, tidy } from '../../engine/tensor.ts';
import { add, div, mul, neg, square, sub } from '../elementwise/arithmetic.ts';
import { applyOne, defineElementwise } from '../elementwise/define-elementwise.ts';
import { abs, clamp } from '../elementwise/functions.ts';
import { LOG1P } from '../elementwise/precise.ts';
import { specifyElementwise } from '../elementwise/specify-elementwise.ts';
import { slice } from '../movement/slice.ts';
import { sum } from '../reductions/sum.ts';
import { oddShape } from '../references.ts';
import { type LossOptions, reduceNumbers, reduceTerms, reductionIn } from './loss-reduction.ts';

function checkSame(name: string, a: Tensor, b: Tensor): void {
  requireFloats(name, a, b);
  if (!sameShape(a.shape, b.shape))
    throw new ShapeError(name, `expected equal shapes, got ${formatShape(a.shape)} and ${formatShape(b.shape)}.`);
}

/** The loss of two tensors of one shape from its terms. */
function pairwise(
  name: string,
  input: Tensor,
  target: Tensor,
  options: LossOptions,
  terms: () => Tensor,
  more: readonly string[] = [],
): Tensor {
  checkSame(name, input, target);
  const reduction = reductionIn(name, options, more);
  return tidy(() => reduceTerms(terms(), reduction));
}

/** Mean squared error: mean (input − target)². Equation 4 of Ledig et al. for images. */
export const mseLoss = (input: Tensor, target: Tensor, options: LossOptions = {}): Tensor =>
  pairwise('mseLoss', input, target, options, () => square(sub(input, target)));

/** Mean absolute error; gradient 0 where input and target are equal. */
export const l1Loss = (input: Tensor, target: Tensor, options: LossOptions = {}): Tensor =>
  pairwise('l1Loss', input, target, options, () => abs(sub(input, target)));

/** Options of {@link huberLoss}. */
export interface HuberLossOptions extends LossOptions {
  /** The size of a difference from which on the loss is linear; positive, default 1. */
  readonly delta?: number;
}

/** d² / 2 for differences d up to a size of delta, and delta · (|d| − delta / 2) beyond. */
function huberTerms(input: Tensor, target: Tensor, delta: number): Tensor {
  const difference = sub(input, target);
  const limited = clamp(difference, -delta, delta);
  return mul(limited, sub(difference, mul(limited, 0.5)));
}

/** Huber loss (Huber 1964): d² / 2 for differences d up to a size of delta, and delta · (|d| − delta / 2) beyond. */
export function huberLoss(input: Tensor, target: Tensor, options: HuberLossOptions = {}): Tensor {
  const { delta = 1 } = options ?? {};
  if (!(delta > 0)) throw new ArgumentError('huberLoss', `expected a positive delta, got ${quoted(delta)}.`);
  return pairwise('huberLoss', input, target, options, () => huberTerms(input, target, delta), ['delta']);
}

/** Options of {@link smoothL1Loss}. */
export interface SmoothL1LossOptions extends LossOptions {
  /** The size of a difference from which on the loss is linear; at least 0, default 1. */
  readonly beta?: number;
}

/** Huber loss divided by beta: |d| − beta / 2 for large differences d. With beta 0 it is {@link l1Loss}. */
export function smoothL1Loss(input: Tensor, target: Tensor, options: SmoothL1LossOptions = {}): Tensor {
  const { beta = 1 } = options ?? {};
  if (!(beta >= 0)) throw new ArgumentError('smoothL1Loss', `expected beta of at least 0, got ${quoted(beta)}.`);
  const terms = () => (beta === 0 ? abs(sub(input, target)) : div(huberTerms(input, target, beta), beta));
  return pairwise('smoothL1Loss', input, target, options, terms, ['beta']);
}

/** max(x, 0) − x·t + log(1 + e^−|x|), without overflow and without cancellation for labels 0 and 1. */
export const bceOp = /* @__PURE__ */ defineElementwise({
  name: 'bceElementwise',
  arity: 2,
  expensive: true,
  declarations: () => LOG1P,
  expression: ([x, t]) => `(select(${x}, 0.0, ${x} < 0.0) - ${x} * ${t}) + daybreakLog1p(exp(-abs(${x})))`,
  gradient: ({ grad, inputs: [x, t] }) => [
    () => mul(grad, applyOne(bceGradientOp, [x, t], {})),
    () => neg(mul(grad, x)),
  ],
});

/* @__PURE__ */ specifyElementwise(bceOp, () => ({
  summary: 'Binary cross entropy of a logit x and a label t, elementwise: the kernel of bceWithLogits.',
  compute: ([x, t]) => Math.max(x, 0) - x * t + Math.log1p(Math.exp(-Math.abs(x))),
  ranges: [
    [-4, 4],
    [0, 1],
  ],
  samples: [
    {
      inputs: [
        { shape: [6], values: [-100, -100, 100, 100, 20, -20] },
        { shape: [6], values: [0, 1, 0, 1, 1, 0], fixed: true },
      ],
      attributes: {},
      kink: 'flat in float32',
    },
  ],
}));

export const bceGradientOp = /* @__PURE__ */ defineElementwise({
  name: 'bceGradient',
  arity: 2,
  expensive: true,
  declarations: () => `fn daybreakBceGradient(x: f32, t: f32) -> f32 {
  let e = exp(-abs(x));
  let large = 1.0 / (1.0 + e);
  let small = e * large;
  return (1.0 - t) * select(large, small, x < 0.0) - t * select(small, large, x < 0.0);
}`,
  expression: ([x, t]) => `daybreakBceGradient(${x}, ${t})`,
});

/* @__PURE__ */ specifyElementwise(bceGradientOp, () => ({
  summary: 'sigmoid(x) − t, without cancellation for labels 0 and 1.',
  compute: ([x, t]) => 1 / (1 + Math.exp(-x)) - t,
  ranges: [
    [-4, 4],
    [0, 1],
  ],
  tolerance: 2e-6,
}));

/** Mean binary cross entropy of logits and labels in [0, 1]; equation 2 of Ledig et al. Stable for any logit. It has no second derivative. */
export const bceWithLogits = (logits: Tensor, labels: Tensor, options: LossOptions = {}): Tensor =>
  pairwise('bceWithLogits', logits, labels, options, () => applyOne(bceOp, [logits, labels], {}));

/** Options of {@link totalVariation}. */
export interface TotalVariationOptions {
  /** |difference| to this power: 1 (default) or 2. */
  readonly power?: 1 | 2;
  /** `sum` (default), or `mean` over all elements of x. */
  readonly reduction?: 'sum' | 'mean';
}

/** Total variation of [N, C, H, W]: differences of vertical and horizontal neighbours (Rudin et al. 1992, anisotropic). */
export function totalVariation(x: Tensor, options: TotalVariationOptions = {}): Tensor {
  requireTensors('totalVariation', x);
  checkOptions('totalVariation', options, ['power', 'reduction']);
  const { power = 1, reduction = 'sum' } = options;
  if (x.shape.length !== 4 || x.shape[2] < 2 || x.shape[3] < 2)
    throw new ShapeError(
      'totalVariation',
      `expected [N, C, H, W] with H and W of at least 2, got ${formatShape(x.shape)}.`,
    );
  const along = (axis: number) => {
    const from = (first: number) => x.shape.map((_, i) => (i === axis ? first : 0));
    const to = (last: number) => x.shape.map((size, i) => (i === axis ? last : size));
    const size = x.shape[axis];
    const difference = sub(slice(x, from(1), to(size)), slice(x, from(0), to(size - 1)));
    return sum(power === 1 ? abs(difference) : square(difference));
  };
  return tidy(() => {
    const total = add(along(2), along(3));
    return reduction === 'sum' ? total : div(total, x.size);
  });
}

type PairAttributes = Readonly<Record<string, unknown>> & LossOptions;

function pairLoss<A extends PairAttributes>(
  name: string,
  summary: string,
  loss: (a: Tensor, b: Tensor, options: A) => Tensor,
  term: (a: number, b: number, options: A) => number,
  labels = false,
  cases: readonly A[] = [{} as A],
): FunctionSpecification<A> {
  const inputs = (shape: Shape) => [
    { shape, range: [-3, 3] as const },
    { shape, range: labels ? ([0, 1] as const) : ([-2, 2] as const) },
  ];
  return {
    name,
    summary,
    call: ([a, b], options) => [loss(a, b, options)],
    reference: ([a, b], _, options) => [
      reduceNumbers(
        a.map((value, i) => term(value, b[i], options)),
        options.reduction,
      ),
    ],
    samples: [
      { inputs: inputs([2, 5, 4, 3]), attributes: cases[0] },
      { inputs: inputs([1]), attributes: cases[0] },
      { inputs: inputs([3, 3, 71, 67]), attributes: cases[0] },
      ...cases.slice(1).map(attributes => ({ inputs: inputs([5, 7]), attributes })),
    ],
    random: choose => ({ inputs: inputs(oddShape(choose)), attributes: choose.pick(cases) }),
  };
}

/* @__PURE__ */ specifyFunction(() => pairLoss('mseLoss', 'Mean squared error.', mseLoss, (a, b) => (a - b) ** 2));

/* @__PURE__ */ specifyFunction(() => pairLoss('l1Loss', 'Mean absolute error.', l1Loss, (a, b) => Math.abs(a - b)));

/* @__PURE__ */ specifyFunction(() =>
  pairLoss(
    'bceWithLogits',
    'Mean binary cross entropy of logits.',
    bceWithLogits,
    (x, t) => Math.max(x, 0) - x * t + Math.log1p(Math.exp(-Math.abs(x))),
    true,
  ),
);

const huber = (d: number, delta: number): number => (d <= delta ? (d * d) / 2 : delta * (d - delta / 2));

/* @__PURE__ */ specifyFunction(() =>
  pairLoss<PairAttributes & HuberLossOptions>(
    'huberLoss',
    'Squared error for small differences, absolute error for large ones.',
    huberLoss,
    (a, b, { delta = 1 }) => huber(Math.abs(a - b), Math.fround(delta)),
    false,
    [{}, { delta: 0.3, reduction: 'sum' }, { delta: 2, reduction: 'none' }],
  ),
);

/* @__PURE__ */ specifyFunction(() =>
  pairLoss<PairAttributes & SmoothL1LossOptions>(
    'smoothL1Loss',
    'Huber loss divided by its bound beta; absolute error if that is 0.',
    smoothL1Loss,
    (a, b, { beta = 1 }) =>
      beta === 0 ? Math.abs(a - b) : huber(Math.abs(a - b), Math.fround(beta)) / Math.fround(beta),
    false,
    [{}, { beta: 0, reduction: 'sum' }, { beta: 0.3, reduction: 'none' }],
  ),
);

/* @__PURE__ */ specifyFunction<Required<TotalVariationOptions>>(() => ({
  name: 'totalVariation',
  summary: 'Sum of absolute or squared differences of neighbouring pixels.',
  call: ([x], options) => [totalVariation(x, options)],
  reference([x], [shape], { power, reduction }) {
    const [n, c, h, w] = shape as unknown as [number, number, number, number];
    let total = 0;
    for (let plane = 0; plane < n * c; plane++)
      for (let i = 0; i < h; i++)
        for (let j = 0; j < w; j++) {
          const at = (plane * h + i) * w + j;
          if (i + 1 < h) total += Math.abs(x[at + w] - x[at]) ** power;
          if (j + 1 < w) total += Math.abs(x[at + 1] - x[at]) ** power;
        }
    return [Float64Array.of(reduction === 'sum' ? total : total / x.length)];
  },
  samples: [
    { inputs: [{ shape: [2, 3, 6, 5] }], attributes: { power: 1, reduction: 'sum' } },
    { inputs: [{ shape: [2, 3, 6, 5] }], attributes: { power: 2, reduction: 'mean' } },
  ],
  random: choose => ({
    inputs: [{ shape: [choose.integer(1, 2), choose.integer(1, 3), choose.pick([2, 5, 11]), choose.pick([2, 7, 13])] }],
    attributes: { power: choose.pick([1, 2] as const), reduction: choose.pick(['sum', 'mean'] as const) },
  }),
}));

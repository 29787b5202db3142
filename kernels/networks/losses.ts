/** Losses: means over all elements unless noted otherwise. */

import { checkOptions, ShapeError } from '../../engine/basics/errors.ts';
import { formatShape, type Shape, sameShape } from '../../engine/basics/shape.ts';
import { requireTensors } from '../../engine/require.ts';
import { type FunctionSpecification, specifyFunction } from '../../engine/specify.ts';
import { type Tensor, tidy } from '../../engine/tensor.ts';
import { add, div, mul, neg, square, sub } from '../elementwise/arithmetic.ts';
import { applyOne, defineElementwise } from '../elementwise/define-elementwise.ts';
import { abs } from '../elementwise/functions.ts';
import { log1pFunction } from '../elementwise/precise.ts';
import { specifyElementwise } from '../elementwise/specify-elementwise.ts';
import { slice } from '../movement/pad.ts';
import { mean, sum } from '../reductions/sum.ts';
import { oddShape } from '../references.ts';

function checkSame(name: string, a: Tensor, b: Tensor): void {
  requireTensors(name, a, b);
  if (!sameShape(a.shape, b.shape))
    throw new ShapeError(name, `expected equal shapes, got ${formatShape(a.shape)} and ${formatShape(b.shape)}.`);
}

/** Mean squared error: mean (input − target)². Equation 4 of Ledig et al. for images. */
export function mseLoss(input: Tensor, target: Tensor): Tensor {
  checkSame('mseLoss', input, target);
  return tidy(() => mean(square(sub(input, target))));
}

/** Mean absolute error; gradient 0 where input and target are equal. */
export function l1Loss(input: Tensor, target: Tensor): Tensor {
  checkSame('l1Loss', input, target);
  return tidy(() => mean(abs(sub(input, target))));
}

/** max(x, 0) − x·t + log(1 + e^−|x|), without overflow and without cancellation for labels 0 and 1. */
export const bceOp = /* @__PURE__ */ defineElementwise({
  name: 'bceElementwise',
  arity: 2,
  expensive: true,
  declarations: () => log1pFunction,
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

/** Mean binary cross entropy of logits and labels in [0, 1]; equation 2 of Ledig et al. Stable for any logit. */
export function bceWithLogits(logits: Tensor, labels: Tensor): Tensor {
  checkSame('bceWithLogits', logits, labels);
  return tidy(() => mean(applyOne(bceOp, [logits, labels], {})));
}

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

function pairLoss(
  name: string,
  summary: string,
  loss: (a: Tensor, b: Tensor) => Tensor,
  term: (a: number, b: number) => number,
  labels = false,
): FunctionSpecification {
  const inputs = (shape: Shape) => [
    { shape, range: [-3, 3] as const },
    { shape, range: labels ? ([0, 1] as const) : ([-2, 2] as const) },
  ];
  return {
    name,
    summary,
    call: ([a, b]) => [loss(a, b)],
    reference: ([a, b]) => [Float64Array.of(a.reduce((total, value, i) => total + term(value, b[i]), 0) / a.length)],
    samples: [
      { inputs: inputs([2, 5, 4, 3]), attributes: {} },
      { inputs: inputs([1]), attributes: {} },
      { inputs: inputs([3, 3, 71, 67]), attributes: {} },
    ],
    random: choose => ({ inputs: inputs(oddShape(choose)), attributes: {} }),
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

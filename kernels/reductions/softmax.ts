/**
 * Softmax and its relatives: exponentials are of x less its maximum, so none overflows. None of the results depends on that
 * maximum, so no gradient flows through it.
 */
import { noGrad } from '../../engine/apply.ts';
import { normalizeAxes, type Shape, sizeOf } from '../../engine/basics/shape.ts';
import { type Declaration, defineOp } from '../../engine/define.ts';
import type { Problem } from '../../engine/graph/operation.ts';
import { requireTensors } from '../../engine/require.ts';
import { type Specification, specify, specifyFunction } from '../../engine/specify.ts';
import { type Tensor, tidy } from '../../engine/tensor.ts';
import { type AdapterTraits, input, type Lowering, output } from '../../engine/text/kernel.ts';
import { add, mul, neg, sub } from '../elementwise/arithmetic.ts';
import { keepNaN } from '../elementwise/bits.ts';
import { applyOne } from '../elementwise/define-elementwise.ts';
import { exp, log } from '../elementwise/functions.ts';
import { LOG } from '../elementwise/precise.ts';
import { notFinite, where } from '../elementwise/selection.ts';
import { reshape } from '../movement/reshape.ts';
import { groupsOf, reducedShape, reductionOf, reductionSpecification, type SumOptions } from './axes.ts';
import { max } from './extrema.ts';
import { type RowKernel, type RowText, rowKernel } from './rows.ts';
import { sum } from './sum.ts';

/** log Σ eˣ over `axes`. −∞ where all elements are −∞, ∞ where one is. PyTorch's `logsumexp`. */
export function logSumExp(x: Tensor, options: SumOptions = {}): Tensor {
  const { axes, keepDims } = reductionOf('logSumExp', x, options);
  return tidy(() => {
    const kept = { axes, keepDims: true };
    // An infinite maximum would give ∞ − ∞; NaN stays in x.
    const shift = noGrad(() => {
      const largest = max(x, kept);
      return where(notFinite(largest), 0, largest);
    });
    const total = add(log(sum(exp(sub(x, shift)), kept)), shift);
    return reshape(total, reducedShape(x.shape, axes, keepDims));
  });
}

/* @__PURE__ */ specifyFunction(() => ({
  name: 'logSumExp',
  summary: 'log Σ eˣ over axes, without overflow.',
  call: ([x], attributes) => [logSumExp(x, attributes)],
  ...reductionSpecification(logSumExpOf),
  samples: [
    { inputs: [{ shape: [3, 5, 4] }], attributes: { axes: [1], keepDims: true } },
    {
      inputs: [{ shape: [3, 3], values: [1000, 999, 0, -1000, -1000.5, -2000, -88, 88, 3] }],
      attributes: { axes: [1], keepDims: false },
      kink: 'flat in float32',
    },
  ],
  tolerance: 2e-6,
}));

function logSumExpOf(group: readonly number[]): number {
  const largest = Math.max(...group);
  if (Math.abs(largest) === Number.POSITIVE_INFINITY) return largest;
  return largest + Math.log(group.reduce((total, value) => total + Math.exp(value - largest), 0));
}

type AxisAttributes = {
  /** Non-negative. */
  readonly axis: number;
};

/** A kernel for each row along an axis; its inputs have the row's shape, and so has its result. */
const rowwise = (
  { name, reads, declarations = '', body }: Pick<RowKernel, 'name' | 'reads' | 'declarations' | 'body'>,
  { inputs: [{ shape }], attributes: { axis }, baked }: Problem<AxisAttributes>,
  traits: AdapterTraits,
): Lowering => {
  const [length, stride] = [shape[axis], strideOf(shape, axis)];
  const rows = { count: sizeOf(shape) / length, length, stride };
  const kernel = rowKernel({ name, reads, rows, declarations, baked, body }, traits);
  return { steps: [{ kernel, operands: [...reads.map((_, i) => input(i)), output(0)] }], scratch: [] };
};

const expOf = (x: string): string => keepNaN(x, `exp(${x})`);
const sumAlong = (x: Tensor, axis: number): Tensor => sum(x, { axes: [axis], keepDims: true });

/** Subtracts the row's largest element m, then adds the exponentials. */
const SHIFTED_SUM = (row: RowText): string => `${row.largest('m', 'x')}
  ${row.sums({ total: expOf('d') }, { element: 'let d = x[at] - m;' })}`;

export const softmaxOp: Declaration<AxisAttributes> = /* @__PURE__ */ defineOp<AxisAttributes>({
  name: 'softmax',
  infer: ([x]) => [x],
  lower: (problem, traits) =>
    rowwise(
      {
        name: 'softmax',
        reads: ['x'],
        body: row => `${SHIFTED_SUM(row)}
  ${row.each({ element: `let d = x[at] - m; result[at] = ${expOf('d')} / total;` })}`,
      },
      problem,
      traits,
    ),
  gradient: ({ grads: [g], outputs: [y], attributes }) => [applyOne(softmaxGradientOp, [g!, y], attributes)],
});

/* @__PURE__ */ specify(softmaxOp, () => normalized('eˣ / Σ eˣ along an axis.', (x, logSum) => Math.exp(x - logSum)));

/** The gradient of x, given g, the gradient of y = softmax(x): y · (g − Σ g y). */
export const softmaxGradientOp: Declaration<AxisAttributes> = /* @__PURE__ */ defineOp<AxisAttributes>({
  name: 'softmaxGradient',
  infer: ([g]) => [g],
  lower: (problem, traits) =>
    rowwise(
      {
        name: 'softmaxGradient',
        reads: ['g', 'y'],
        body: row => `${row.sums({ total: 'g[at] * y[at]' })}
  ${row.each({ element: 'result[at] = y[at] * (g[at] - total);' })}`,
      },
      problem,
      traits,
    ),
  gradient: ({ grads: [u], inputs: [g, y], needs, attributes }) => [
    needs[0] ? applyOne(softmaxGradientOp, [u!, y], attributes) : undefined,
    needs[1]
      ? sub(mul(u!, sub(g, sumAlong(mul(g, y), attributes.axis))), mul(g, sumAlong(mul(u!, y), attributes.axis)))
      : undefined,
  ],
});

/* @__PURE__ */ specify(softmaxGradientOp, () =>
  gradientSpecification('The gradient of softmax, from that of its result and the result.', (g, y) => {
    const total = g.reduce((sum, value, i) => sum + value * y[i], 0);
    return y.map((value, i) => value * (g[i] - total));
  }),
);

export const logSoftmaxOp: Declaration<AxisAttributes> = /* @__PURE__ */ defineOp<AxisAttributes>({
  name: 'logSoftmax',
  infer: ([x]) => [x],
  lower: (problem, traits) =>
    rowwise(
      {
        name: 'logSoftmax',
        reads: ['x'],
        declarations: LOG.join('\n'),
        body: row => `${SHIFTED_SUM(row)}
  let logTotal = ${keepNaN('total', 'daybreakLog(total)')};
  ${row.each({ element: 'result[at] = (x[at] - m) - logTotal;' })}`,
      },
      problem,
      traits,
    ),
  gradient: ({ grads: [g], inputs: [x], attributes }) => [applyOne(logSoftmaxGradientOp, [g!, x], attributes)],
});

/* @__PURE__ */ specify(logSoftmaxOp, () => normalized('x − log Σ eˣ along an axis.', (x, logSum) => x - logSum));

/**
 * The gradient of x, given g, the gradient of logSoftmax(x): g − softmax(x) · Σ g. The softmax is recomputed from x, because
 * exponentiating the rounded logarithm would lose digits.
 */
export const logSoftmaxGradientOp: Declaration<AxisAttributes> = /* @__PURE__ */ defineOp<AxisAttributes>({
  name: 'logSoftmaxGradient',
  infer: ([g]) => [g],
  lower: (problem, traits) =>
    rowwise(
      {
        name: 'logSoftmaxGradient',
        reads: ['g', 'x'],
        body: row => `${row.largest('m', 'x')}
  ${row.sums({ total: expOf('d'), ofGradient: 'g[at]' }, { element: 'let d = x[at] - m;' })}
  ${row.each({ element: `let d = x[at] - m; result[at] = g[at] - ${expOf('d')} / total * ofGradient;` })}`,
      },
      problem,
      traits,
    ),
  gradient({ grads: [u], inputs: [g, x], needs, attributes }) {
    const p = applyOne(softmaxOp, [x], attributes);
    return [
      needs[0] ? sub(u!, sumAlong(mul(u!, p), attributes.axis)) : undefined,
      needs[1] ? neg(mul(applyOne(softmaxGradientOp, [u!, p], attributes), sumAlong(g, attributes.axis))) : undefined,
    ];
  },
});

/* @__PURE__ */ specify(logSoftmaxGradientOp, () =>
  gradientSpecification('The gradient of logSoftmax, from that of its result and x.', (g, x) => {
    const total = g.reduce((sum, value) => sum + value, 0);
    const logSum = logSumExpOf(x);
    return x.map((value, i) => g[i] - Math.exp(value - logSum) * total);
  }),
);

/** The attributes for an axis, which may be negative. Throws ShapeError if there is no such axis. */
function alongAxis(name: string, x: Tensor, axis: number): AxisAttributes {
  requireTensors(name, x);
  return { axis: normalizeAxes(name, [axis], x.shape.length)[0] };
}

/**
 * eˣ / Σ eˣ along `axis` (negative from the end), which then sums to 1. NaN along the axis if there is NaN or ∞, or if all are
 * −∞, as in PyTorch.
 */
export const softmax = (x: Tensor, axis = -1): Tensor => applyOne(softmaxOp, [x], alongAxis('softmax', x, axis));

/** The logarithm of {@link softmax}, without the rounding of small ones to 0. */
export const logSoftmax = (x: Tensor, axis = -1): Tensor =>
  applyOne(logSoftmaxOp, [x], alongAxis('logSoftmax', x, axis));

/** Each element from x and the logarithm of its row's sum of exponentials. */
function normalized(summary: string, element: (x: number, logSum: number) => number): Specification<AxisAttributes> {
  return {
    summary,
    reference: ([x], [shape], { axis }) => [
      byRow([x], shape, axis, ([row]) => {
        const logSum = logSumExpOf(row);
        return row.map(value => element(value, logSum));
      }),
    ],
    samples: [
      { inputs: [{ shape: [3, 5, 4], range: [-3, 3] }], attributes: { axis: 1 } },
      // A workgroup for each row, whose lanes have unequal shares; then far apart.
      { inputs: [{ shape: [3, 71], range: [-3, 3] }], attributes: { axis: 1 } },
      { inputs: [{ shape: [67, 3], range: [-3, 3] }], attributes: { axis: 0 } },
      {
        inputs: [{ shape: [3, 3], values: [1000, 999, 0, -1000, -1000.5, -1001, -5, 5, 3] }],
        attributes: { axis: 1 },
        kink: 'flat in float32',
      },
    ],
    random(choose) {
      const shape = Array.from({ length: choose.integer(1, 3) }, () => choose.pick([1, 2, 5, 70]));
      return { inputs: [{ shape, range: [-3, 3] }], attributes: { axis: choose.integer(0, shape.length - 1) } };
    },
    tolerance: 2e-6,
  };
}

function gradientSpecification(
  summary: string,
  reference: (g: readonly number[], y: readonly number[]) => number[],
): Specification<AxisAttributes> {
  const sampleOf = (shape: Shape, axis: number) => ({ inputs: [{ shape }, { shape }], attributes: { axis } });
  return {
    summary,
    reference: (inputs, [shape], { axis }) => [byRow(inputs, shape, axis, ([g, y]) => reference(g, y))],
    samples: [sampleOf([3, 5, 4], 1), sampleOf([3, 71], 1), sampleOf([67, 3], 0)],
    random(choose) {
      const shape = Array.from({ length: choose.integer(1, 3) }, () => choose.pick([1, 2, 5, 70]));
      return sampleOf(shape, choose.integer(0, shape.length - 1));
    },
    tolerance: 4e-6,
  };
}

/** Computes a row of the result from the rows of the inputs along an axis. */
function byRow(
  inputs: readonly Float64Array[],
  shape: Shape,
  axis: number,
  compute: (rows: readonly number[][]) => readonly number[],
): Float64Array {
  const groups = inputs.map(x => groupsOf(x, shape, [axis]));
  const rows = groups[0].map((_, i) => compute(groups.map(group => group[i])));
  const [stride, length] = [strideOf(shape, axis), shape[axis]];
  return inputs[0].map((_, i) => {
    const row = Math.floor(i / (stride * length)) * stride + (i % stride);
    return rows[row][Math.floor(i / stride) % length];
  });
}

const strideOf = (shape: Shape, axis: number): number => shape.slice(axis + 1).reduce((a, b) => a * b, 1);

/**
 * Normalization of rows, the core of layer, group and instance norm: one kernel forward, and one for the input's gradient. The
 * variance is computed in two passes, so that a large mean costs no digits.
 */
import { f32, type Shape, sizeOf } from '../../engine/basics/shape.ts';
import { type Declaration, defineOp } from '../../engine/define.ts';
import { type Choose, specify } from '../../engine/specify.ts';
import type { Tensor } from '../../engine/tensor.ts';
import { input, type Operand, output } from '../../engine/text/kernel.ts';
import { add, div, mul, neg, square, sub } from '../elementwise/arithmetic.ts';
import { applyOne } from '../elementwise/define-elementwise.ts';
import { reshape } from '../movement/reshape.ts';
import { type Rows, rowKernel } from '../reductions/rows.ts';
import { broadcastTo, mean, sum } from '../reductions/sum.ts';

type RowNormAttributes = {
  /** Added to the variance. */
  readonly eps: number;
  /** Which optional inputs there are. */
  readonly hasWeight: boolean;
  readonly hasBias: boolean;
};

/** A row is the last two axes. */
const rowsOf = ([n, rows, channels, size]: Shape): Rows => ({
  count: n * rows,
  length: channels * size,
  stride: 1,
  channelSize: size,
});

/** A value for each row, or for each channel, in a shape that broadcasts to x's. */
const perRow = (value: Tensor, [n, rows]: Shape): Tensor => reshape(value, [n, rows, 1, 1]);
const perChannel = (value: Tensor, [, rows, channels]: Shape): Tensor => reshape(value, [1, rows, channels, 1]);

const overRow = { axes: [2, 3], keepDims: true };
/** Sums a gradient of x's shape to one of the weight or bias. */
const overBatch = (gradient: Tensor, [, rows, channels]: Shape): Tensor =>
  reshape(sum(gradient, { axes: [0, 3] }), [rows, channels]);

/** Where a row's channels start in the weight and the bias. */
const FIRST_CHANNEL = 'let first = row % rowsOfImage * channels;';
const channelSizes = ([, rowsOfImage, channels]: Shape) => ({ rowsOfImage, channels });

/**
 * Inputs: x [N, R, K, S], then a weight and a bias, both optional and [R, K]. Outputs: (x − mean) / √(variance + eps) · weight +
 * bias with the biased variance over the last two axes; the means and 1 / √(variance + eps), both [N, R].
 */
export const rowNormOp: Declaration<RowNormAttributes> = /* @__PURE__ */ defineOp<RowNormAttributes>({
  name: 'rowNorm',
  infer: ([x]) => [x, f32(x.shape.slice(0, 2)), f32(x.shape.slice(0, 2))],
  lower({ inputs: [{ shape }], attributes: { eps, hasWeight, hasBias }, baked }, traits) {
    const rows = rowsOf(shape);
    const parameters = [...(hasWeight ? ['weight'] : []), ...(hasBias ? ['bias'] : [])];
    const channel = parameters.map((name, i) => `let p${i} = ${name}[first + k];`).join(' ');
    const value = `(x[at] - m) * r${hasWeight ? ' * p0' : ''}${hasBias ? ` + p${parameters.length - 1}` : ''}`;
    const kernel = rowKernel(
      {
        name: 'rowNorm',
        reads: ['x', ...parameters],
        writes: ['result', 'means', 'inverses'],
        rows,
        sizes: channelSizes(shape),
        baked,
        body: row => `${FIRST_CHANNEL}
  ${row.sums({ total: 'x[at]' })}
  let m = total / ${row.number(rows.length)};
  ${row.sums({ squares: 'd * d' }, { element: 'let d = x[at] - m;' })}
  let r = 1.0 / sqrt(squares / ${row.number(rows.length)} + ${row.number(eps)});
  ${row.each({ channel, element: `result[at] = ${value};` })}
  ${row.once('means[row] = m; inverses[row] = r;')}`,
      },
      traits,
    );
    const operands: Operand[] = [...[0, 1, 2].slice(0, 1 + parameters.length).map(input), ...[0, 1, 2].map(output)];
    return { steps: [{ kernel, operands }], scratch: [] };
  },
  gradient({
    inputs: [x, ...parameters],
    outputs: [, means, inverses],
    grads: [g, gMeans, gInverses],
    needs,
    attributes: { hasWeight },
  }) {
    const { shape } = x;
    const length = shape[2] * shape[3];
    const inverse = perRow(inverses, shape);
    const normalized = () => mul(sub(x, perRow(means, shape)), inverse);
    const ofX = () => {
      const weights = hasWeight ? parameters.slice(0, 1) : [];
      const parts = [
        ...(g ? [applyOne(rowNormGradientOp, [g, x, means, inverses, ...weights], {})] : []),
        ...(gMeans ? [broadcastTo(div(perRow(gMeans, shape), length), shape)] : []),
        ...(gInverses ? [mul(normalized(), mul(mul(perRow(gInverses, shape), square(inverse)), -1 / length))] : []),
      ];
      return parts.reduce((a, b) => add(a, b));
    };
    return [
      needs[0] ? ofX() : undefined,
      ...parameters.map((_, i) => {
        if (!needs[i + 1]) return undefined;
        // The statistics, which second derivatives use alone, do not depend on the parameters.
        if (!g) return null;
        return overBatch(hasWeight && i === 0 ? mul(g, normalized()) : g, shape);
      }),
    ];
  },
});

/**
 * From the gradient g of {@link rowNormOp}'s first output, that of x; inputs: g, x, the other two outputs, and the weight if
 * there is one. With z = (x − mean) · s, s = 1 / √(variance + eps), a = g · weight, and means over a row:
 *
 *     gx = s · (a − mean(a) − z · mean(a · z))
 *
 * Means and s depend on x: its gradient includes theirs, and they have none themselves.
 */
export const rowNormGradientOp: Declaration<Readonly<Record<never, never>>> = /* @__PURE__ */ defineOp({
  name: 'rowNormGradient',
  infer: ([g]) => [g],
  lower({ inputs: [{ shape }, , , , weight], baked }, traits) {
    const rows = rowsOf(shape);
    const reads = ['g', 'x', 'means', 'inverses', ...(weight ? ['weight'] : [])];
    const text = {
      ...(weight && { channel: 'let p = weight[first + k];' }),
      element: `let a = g[at]${weight ? ' * p' : ''}; let z = (x[at] - m) * s;`,
    };
    const kernel = rowKernel(
      {
        name: 'rowNormGradient',
        reads,
        rows,
        sizes: channelSizes(shape),
        baked,
        body: row => `${FIRST_CHANNEL}
  let m = means[row]; let s = inverses[row];
  ${row.sums({ sum: 'a', product: 'a * z' }, text)}
  let ofSum = sum / ${row.number(rows.length)}; let ofProduct = product / ${row.number(rows.length)};
  ${row.each({ ...text, element: `${text.element} result[at] = s * ((a - ofSum) - z * ofProduct);` })}`,
      },
      traits,
    );
    return { steps: [{ kernel, operands: [...reads.map((_, i) => input(i)), output(0)] }], scratch: [] };
  },
  gradient({ inputs: [g, x, means, inverses, weight], outputs: [gx], grads: [u], needs }) {
    const { shape } = x;
    // The transpose, but for the weight.
    const projected = applyOne(rowNormGradientOp, [u!, x, means, inverses], {});
    const factor = weight && perChannel(weight, shape);
    const ofX = () => {
      const s = perRow(inverses, shape);
      const z = mul(sub(x, perRow(means, shape)), s);
      const a = factor ? mul(g, factor) : g;
      const along = (value: Tensor) => mean(value, overRow);
      const [c, d] = [along(mul(a, z)), along(mul(u!, z))];
      // −s · (c · projected + d · gx + s · (mean(u a) − mean(u) mean(a) − c d) · z)
      const spread = sub(sub(along(mul(u!, a)), mul(along(u!), along(a))), mul(c, d));
      return neg(mul(add(add(mul(projected, c), mul(gx, d)), mul(z, mul(spread, s))), s));
    };
    return [
      needs[0] ? (factor ? mul(projected, factor) : projected) : undefined,
      needs[1] ? ofX() : undefined,
      null,
      null,
      needs[4] ? overBatch(mul(g, projected), shape) : undefined,
    ];
  },
});

/**
 * x [N, R, K, S] with mean 0 and variance 1 over the last two axes, then · weight + bias, both [R, K].
 */
export function rowNorm(x: Tensor, weight: Tensor | undefined, bias: Tensor | undefined, eps: number): Tensor {
  const parameters = [...(weight ? [weight] : []), ...(bias ? [bias] : [])];
  const attributes = { eps, hasWeight: weight !== undefined, hasBias: bias !== undefined };
  return applyOne(rowNormOp, [x, ...parameters], attributes);
}

/** Few elements with little variance lose precision in the division. */
const TOLERANCE = 1e-5;
const EPS = 1e-5;

/** Every element's row and channel. */
const placeOf = (i: number, [, rows, channels, size]: Shape) => ({
  row: Math.floor(i / (channels * size)),
  channel: Math.floor(i / size) % (rows * channels),
});

/** The mean of `value` over each row. */
function rowMeans(shape: Shape, value: (i: number) => number): Float64Array {
  const length = shape[2] * shape[3];
  const means = new Float64Array(shape[0] * shape[1]);
  for (let i = 0; i < sizeOf(shape); i++) means[Math.floor(i / length)] += value(i) / length;
  return means;
}

/* @__PURE__ */ specify(rowNormOp, () => ({
  summary:
    'Rows with mean 0 and variance 1, their means and 1 / √(variance + eps): a step of layer, group and instance norm.',
  reference([x, ...parameters], [shape], { eps, hasWeight, hasBias }) {
    const means = rowMeans(shape, i => x[i]);
    const variances = rowMeans(shape, i => (x[i] - means[placeOf(i, shape).row]) ** 2);
    const inverses = variances.map(variance => 1 / Math.sqrt(variance + eps));
    const y = x.map((value, i) => {
      const { row, channel } = placeOf(i, shape);
      const normalized = (value - means[row]) * inverses[row];
      return normalized * (hasWeight ? parameters[0][channel] : 1) + (hasBias ? parameters.at(-1)![channel] : 0);
    });
    return [y, means, inverses];
  },
  samples: [
    sampleOf([2, 3, 2, 5], true, true),
    // A workgroup for each row, whose lanes have unequal shares.
    sampleOf([1, 2, 3, 25], true, true),
    sampleOf([1, 1, 71, 1], false, true),
    sampleOf([3, 1, 7, 1], true, false),
  ],
  random: choose => sampleOf(randomShape(choose), choose.pick([true, false]), choose.pick([true, false])),
  tolerance: TOLERANCE,
}));

/* @__PURE__ */ specify(rowNormGradientOp, () => ({
  summary: 'The gradient of rowNorm with respect to its input.',
  reference([g, x, means, inverses, weight], [shape]) {
    const row = (i: number) => placeOf(i, shape).row;
    const a = g.map((value, i) => value * (weight ? weight[placeOf(i, shape).channel] : 1));
    const z = x.map((value, i) => (value - means[row(i)]) * inverses[row(i)]);
    const [sums, products] = [rowMeans(shape, i => a[i]), rowMeans(shape, i => a[i] * z[i])];
    return [a.map((value, i) => inverses[row(i)] * (value - sums[row(i)] - z[i] * products[row(i)]))];
  },
  samples: [
    gradientSampleOf([2, 3, 2, 5], true),
    gradientSampleOf([1, 2, 3, 25], true),
    gradientSampleOf([2, 1, 9, 1], false),
  ],
  random: choose => gradientSampleOf(randomShape(choose), choose.pick([true, false])),
  tolerance: TOLERANCE,
  gradientTestedBy: { name: 'rowNorm', why: 'The gradient of x includes those of means that depend on x there.' },
}));

const randomShape = (choose: Choose): Shape => [
  choose.integer(1, 2),
  choose.integer(1, 3),
  choose.pick([1, 3, 8]),
  choose.pick([3, 5, 17]),
];

function sampleOf(shape: Shape, hasWeight: boolean, hasBias: boolean) {
  const parameter = { shape: shape.slice(1, 3) };
  return {
    inputs: [{ shape }, ...(hasWeight ? [parameter] : []), ...(hasBias ? [parameter] : [])],
    attributes: { eps: EPS, hasWeight, hasBias },
  };
}

function gradientSampleOf(shape: Shape, hasWeight: boolean) {
  const row = { shape: shape.slice(0, 2) };
  const inverses = { ...row, range: [0.5, 2] as const };
  return {
    inputs: [{ shape }, { shape }, row, inverses, ...(hasWeight ? [{ shape: shape.slice(1, 3) }] : [])],
    attributes: {},
  };
}

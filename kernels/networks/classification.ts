/** Losses of classifiers. Scores are [N, C] or [N, C, …] with one class per column, or [C]. */
import { ArgumentError, quoted, ShapeError } from '../../engine/basics/errors.ts';
import { formatShape, type Shape, sameShape, sizeOf } from '../../engine/basics/shape.ts';
import { requireFloats, requireTensors } from '../../engine/require.ts';
import { type FunctionSpecification, type SampleInput, specifyFunction } from '../../engine/specify.ts';
import { type Tensor, tidy } from '../../engine/tensor.ts';
import { arange } from '../creation/constants.ts';
import { add, div, mul, neg } from '../elementwise/arithmetic.ts';
import { equal, notEqual } from '../elementwise/comparison.ts';
import { where } from '../elementwise/selection.ts';
import { indexNumbers } from '../movement/indices.ts';
import { reshape } from '../movement/reshape.ts';
import { logSoftmax } from '../reductions/softmax.ts';
import { sum } from '../reductions/sum.ts';
import { isIndex } from './embedding.ts';
import { type LossOptions, reduceNumbers, reduceTerms, reductionIn } from './loss-reduction.ts';

/** Options of {@link nllLoss}. */
export interface NllLossOptions extends LossOptions {
  /** Targets with this index count for nothing, not even in the mean; default −100, as in PyTorch. */
  readonly ignoreIndex?: number;
  /** A weight for each class, [C]; default 1. With indices, the mean is weighted: it divides by the sum of the targets' weights. */
  readonly weight?: Tensor;
}

/** Options of {@link crossEntropy}. */
export interface CrossEntropyOptions extends NllLossOptions {
  /** The share of each target, from 0 (default) to 1, that is spread over all classes (Szegedy et al. 2016). */
  readonly labelSmoothing?: number;
}

/** The axis of classes, and the shape without it. */
function classAxis(name: string, { shape }: Tensor): { axis: number; outer: number[] } {
  if (shape.length === 0) throw new ShapeError(name, 'expected scores of [N, C, …] or [C], got [].');
  const axis = Math.min(1, shape.length - 1);
  return { axis, outer: shape.filter((_, i) => i !== axis) };
}

/** The weights of classes, broadcast along the axis of classes; undefined if there are none. */
function classWeights(name: string, { shape }: Tensor, axis: number, weight: Tensor | undefined): Tensor | undefined {
  if (weight === undefined) return undefined;
  requireFloats(name, weight);
  if (weight.shape.length !== 1 || weight.size !== shape[axis])
    throw new ShapeError(
      name,
      `for scores ${formatShape(shape)}: expected weight of [${shape[axis]}], got ${formatShape(weight.shape)}.`,
    );
  return reshape(
    weight,
    shape.map((size, i) => (i === axis ? size : 1)),
  );
}

/** Losses for class indices, from the log-probabilities' and those of targets that are spread over all classes. */
function indexed(
  name: string,
  logs: Tensor,
  target: Tensor,
  { ignoreIndex = -100, labelSmoothing = 0, weight }: CrossEntropyOptions,
  reduction: LossOptions['reduction'],
): Tensor {
  const { axis, outer } = classAxis(name, logs);
  if (!sameShape(target.shape, outer))
    throw new ShapeError(
      name,
      `for scores ${formatShape(logs.shape)}: expected target indices of ${formatShape(outer)}, got ${formatShape(target.shape)}.`,
    );
  const classes = logs.shape[axis];
  const index = indexNumbers(target);
  const all = reshape(
    arange(classes, { device: logs.device }),
    logs.shape.map((size, i) => (i === axis ? size : 1)),
  );
  const isChosen = equal(
    reshape(
      index,
      logs.shape.map((size, i) => (i === axis ? 1 : size)),
    ),
    all,
  );
  const weights = classWeights(name, logs, axis, weight);
  const overClasses = (terms: Tensor) => neg(sum(terms, { axes: [axis] }));
  const weighted = weights ? mul(logs, weights) : logs;
  const chosen = overClasses(where(isChosen, weighted, 0));
  const smoothed =
    labelSmoothing === 0
      ? chosen
      : add(mul(chosen, 1 - labelSmoothing), mul(overClasses(weighted), labelSmoothing / classes));
  const isCounted = notEqual(index, ignoreIndex);
  const isClass = isIndex(index, classes);
  const terms = where(isCounted, where(isClass, smoothed, Number.NaN), 0);
  if (reduction !== 'mean') return reduceTerms(terms, reduction);
  const counts = weights ? mul(sum(where(isChosen, weights, 0), { axes: [axis] }), isCounted) : isCounted;
  return div(sum(terms), sum(counts));
}

/**
 * Negative log-likelihood: −logProbabilities at each target's class. `logProbabilities` is [N, C, …] or [C], `target` [N, …] or []
 * with class indices (i32, u32 or f32). An index that is no class gives NaN. The mean is over targets that are not ignored: NaN if
 * there are none. PyTorch's `nll_loss`.
 */
export function nllLoss(logProbabilities: Tensor, target: Tensor, options: NllLossOptions = {}): Tensor {
  requireTensors('nllLoss', logProbabilities, target);
  const reduction = reductionIn('nllLoss', options, ['ignoreIndex', 'weight']);
  return tidy(() => indexed('nllLoss', logProbabilities, target, options, reduction));
}

/**
 * Cross entropy of logits [N, C, …] or [C] and targets: class indices [N, …] or [] (i32, u32 or f32), or probabilities of the logits'
 * shape. See {@link nllLoss} for indices. PyTorch's `cross_entropy`.
 */
export function crossEntropy(logits: Tensor, target: Tensor, options: CrossEntropyOptions = {}): Tensor {
  requireTensors('crossEntropy', logits, target);
  const reduction = reductionIn('crossEntropy', options, ['ignoreIndex', 'labelSmoothing', 'weight']);
  const { labelSmoothing = 0 } = options;
  if (!(labelSmoothing >= 0 && labelSmoothing <= 1))
    throw new ArgumentError('crossEntropy', `expected labelSmoothing from 0 to 1, got ${quoted(labelSmoothing)}.`);
  const { axis } = classAxis('crossEntropy', logits);
  return tidy(() => {
    const logs = logSoftmax(logits, axis);
    if (!sameShape(target.shape, logits.shape)) return indexed('crossEntropy', logs, target, options, reduction);
    const spread =
      labelSmoothing === 0 ? target : add(mul(target, 1 - labelSmoothing), labelSmoothing / logits.shape[axis]);
    const weights = classWeights('crossEntropy', logits, axis, options.weight);
    const terms = mul(weights ? mul(logs, weights) : logs, spread);
    return reduceTerms(neg(sum(terms, { axes: [axis] })), reduction);
  });
}

type ClassAttributes = {
  readonly reduction: 'mean' | 'sum' | 'none';
  readonly ignoreIndex?: number;
  readonly labelSmoothing?: number;
};

function specification(
  name: string,
  summary: string,
  call: (x: Tensor, target: Tensor, options: ClassAttributes) => Tensor,
  logsOf: (scores: readonly number[]) => number[],
  more: FunctionSpecification<ClassAttributes>['samples'],
): FunctionSpecification<ClassAttributes> {
  const labels = (shape: Shape, values: readonly number[], dtype: 'f32' | 'u32' = 'f32'): SampleInput => ({
    shape,
    values,
    dtype,
    fixed: true,
  });
  return {
    name,
    summary,
    call: ([x, target], options) => [call(x, target, options)],
    reference([x, target], [shape, given], { reduction, ignoreIndex = -100, labelSmoothing = 0 }) {
      const axis = Math.min(1, shape.length - 1);
      const classes = shape[axis];
      const inner = sizeOf(shape.slice(axis + 1));
      const terms: number[] = [];
      let counted = 0;
      for (let i = 0; i < x.length / classes; i++) {
        const at = (c: number) => (Math.floor(i / inner) * classes + c) * inner + (i % inner);
        const logs = logsOf(Array.from({ length: classes }, (_, c) => x[at(c)]));
        const weights = logs.map((_, c) => (given.length === shape.length ? target[at(c)] : Number(target[i] === c)));
        const hasIndex = given.length < shape.length;
        const isCounted = !hasIndex || target[i] !== ignoreIndex;
        const isClass = !hasIndex || weights.includes(1);
        counted += Number(isCounted);
        const term = logs.reduce(
          (sum, log, c) =>
            weights[c] === 0 && labelSmoothing === 0
              ? sum
              : sum - log * (weights[c] * (1 - labelSmoothing) + labelSmoothing / classes),
          0,
        );
        terms.push(isCounted ? (isClass ? term : Number.NaN) : 0);
      }
      return [
        reduction === 'mean' ? reduceNumbers(terms, 'sum').map(v => v / counted) : reduceNumbers(terms, reduction),
      ];
    },
    samples: [
      { inputs: [{ shape: [4, 5], range: [-3, 3] }, labels([4], [0, 4, 2, 2])], attributes: { reduction: 'mean' } },
      {
        inputs: [{ shape: [2, 3, 2], range: [-3, 3] }, labels([2, 2], [0, 1, 2, 1], 'u32')],
        attributes: { reduction: 'sum', ignoreIndex: 1 },
      },
      { inputs: [{ shape: [3], range: [-3, 3] }, labels([], [1])], attributes: { reduction: 'none' } },
      ...more,
    ],
    random(choose) {
      const [n, c] = [choose.integer(1, 4), choose.pick([1, 3, 70])];
      const values = Array.from({ length: n }, () => choose.integer(0, c - 1));
      return {
        inputs: [{ shape: [n, c], range: [-3, 3] }, labels([n], values)],
        attributes: { reduction: choose.pick(['mean', 'sum', 'none'] as const) },
      };
    },
    tolerance: 2e-6,
  };
}

function logSoftmaxOf(scores: readonly number[]): number[] {
  const most = Math.max(...scores);
  const total = Math.log(scores.reduce((sum, value) => sum + Math.exp(value - most), 0));
  return scores.map(value => value - most - total);
}

/* @__PURE__ */ specifyFunction(() =>
  specification('nllLoss', 'Negative log-likelihood of class indices.', nllLoss, scores => [...scores], []),
);

/* @__PURE__ */ specifyFunction(() =>
  specification(
    'crossEntropy',
    'Cross entropy of logits with class indices or probabilities.',
    crossEntropy,
    logSoftmaxOf,
    [
      {
        inputs: [
          { shape: [4, 3], range: [-3, 3] },
          { shape: [4], values: [0, -100, 2, 1], fixed: true },
        ],
        attributes: { reduction: 'mean', labelSmoothing: 0.1 },
      },
      {
        inputs: [
          { shape: [2, 3, 2], range: [-3, 3] },
          { shape: [2, 3, 2], range: [0, 1] },
        ],
        attributes: { reduction: 'mean', labelSmoothing: 0.2 },
      },
    ],
  ),
);

/** What reductions over axes share: their options, shapes and references. */
import { checkOptions } from '../../engine/basics/errors.ts';
import { broadcastStrides, f32, normalizeAxes, type Shape, sizeOf, stridesOf } from '../../engine/basics/shape.ts';
import { type Declaration, defineOp, type GradientContext } from '../../engine/define.ts';
import { requireTensors } from '../../engine/require.ts';
import type { Sample, Specification } from '../../engine/specify.ts';
import type { Tensor } from '../../engine/tensor.ts';
import type { Fold } from '../../engine/text/accumulate.ts';
import { identity } from '../../engine/text/expression.ts';
import { lowerReduction } from '../../engine/text/reduction.ts';

/** Options of reductions. */
export interface SumOptions {
  /** Axes to sum over, or to reduce, negative ones from the end; default all. */
  readonly axes?: readonly number[];
  /** Keep summed axes with size 1. */
  readonly keepDims?: boolean;
}

export type ReductionAttributes = {
  /** Sorted and non-negative. */
  readonly axes: readonly number[];
  readonly keepDims: boolean;
};

/** The shape that is left, with reduced axes of size 1 or without them. */
export const reducedShape = (shape: Shape, axes: readonly number[], keepDims: boolean): number[] =>
  shape.flatMap((size, axis) => (axes.includes(axis) ? (keepDims ? [1] : []) : [size]));

/** The attributes for a caller's options. Throws ArgumentError and ShapeError. */
export function reductionOf(name: string, x: Tensor, options: SumOptions, more: readonly string[] = []) {
  requireTensors(name, x);
  checkOptions(name, options, ['axes', 'keepDims', ...more]);
  const { axes, keepDims = false } = options;
  return { axes: normalizeAxes(name, axes, x.shape.length), keepDims };
}

/** Declares a reduction by a fold other than a sum. */
export const defineReduction = (
  name: string,
  fold: Fold,
  gradient: (context: GradientContext<ReductionAttributes>) => Tensor,
): Declaration<ReductionAttributes> =>
  defineOp<ReductionAttributes>({
    name,
    infer: ([x], { axes, keepDims }) => [f32(reducedShape(x.shape, axes, keepDims))],
    lower: ({ inputs, attributes: { axes }, baked }, traits) =>
      lowerReduction(
        { name, expression: identity, inputs, domain: inputs[0].shape, axes, divisor: 1, fold, baked },
        traits,
      ),
    reduction: { describe: ({ axes }) => ({ axes, divisor: 1, fold }) },
    gradient: context => [gradient(context)],
  });

/** The elements of x that are reduced together, for each result. */
export function groupsOf(x: Float64Array, shape: Shape, axes: readonly number[]): number[][] {
  const kept = reducedShape(shape, axes, true);
  const strides = broadcastStrides(kept, shape);
  const own = stridesOf(shape);
  const groups: number[][] = Array.from({ length: sizeOf(kept) }, () => []);
  x.forEach((value, i) => {
    groups[shape.reduce((at, size, axis) => at + (Math.floor(i / own[axis]) % size) * strides[axis], 0)].push(value);
  });
  return groups;
}

/** What specifications of reductions have in common; `reduce` gives the result of one group. */
export function reductionSpecification<A extends ReductionAttributes>(
  reduce: (group: readonly number[], attributes: A) => number,
  more: readonly Omit<A, keyof ReductionAttributes>[] = [{} as Omit<A, keyof ReductionAttributes>],
): Pick<Specification<A>, 'reference' | 'samples' | 'random'> {
  const sampleOf = (shape: Shape, axes: readonly number[], keepDims: boolean, i: number): Sample<A> => ({
    inputs: [{ shape, range: [-2, 2] }],
    attributes: { axes, keepDims, ...more[i % more.length] } as A,
  });
  return {
    reference: ([x], [shape], attributes) => [
      Float64Array.from(groupsOf(x, shape, attributes.axes), group => reduce(group, attributes)),
    ],
    // One invocation for each result, a workgroup for each, and workgroups that share one.
    samples: [sampleOf([3, 5, 4], [1], true, 0), sampleOf([3, 71], [1], false, 1), sampleOf([9000], [0], false, 0)],
    random(choose) {
      const shape = Array.from({ length: choose.integer(1, 3) }, () => choose.pick([1, 2, 5, 13]));
      const some = shape.map((_, axis) => axis).filter(() => choose.integer(0, 1) === 1);
      const axes = some.length > 0 ? some : [shape.length - 1];
      return sampleOf(shape, axes, choose.pick([true, false]), choose.integer(0, more.length - 1));
    },
  };
}

/** Specifications of elementwise operations, from one function of numbers. */
import { broadcastShapes, broadcastStrides, type Shape } from '../../engine/basics/shape.ts';
import type { Attributes } from '../../engine/graph/operation.ts';
import { type Sample, type Specification, specify } from '../../engine/specify.ts';
import { mapIndices, oddShape } from '../references.ts';
import type { ElementwiseOperation } from './define-elementwise.ts';

export interface ElementwiseSpecification<A extends Attributes>
  extends Pick<Specification<A>, 'summary' | 'tolerance' | 'gradientTestedBy'> {
  /** The result of one element in float64. */
  compute(inputs: readonly number[], attributes: A): number;
  /** The range of each input; default [-2, 2). */
  readonly ranges?: readonly (readonly [number, number])[];
  /** Attributes to test with; default none. */
  readonly attributes?: readonly A[];
  /** Replaces the default samples. */
  readonly samples?: readonly Sample<A>[];
}

/** Specifies an elementwise operation. */
export function specifyElementwise<A extends Attributes>(
  operation: ElementwiseOperation<A>,
  specification: () => ElementwiseSpecification<A>,
): void {
  specify(operation, () => complete(operation, specification()));
}

function complete<A extends Attributes>(
  { name, arity }: ElementwiseOperation<A>,
  { compute, ranges, attributes = [{} as A], samples, ...rest }: ElementwiseSpecification<A>,
): Specification<A> {
  const inputsOf = (shapes: readonly Shape[]) =>
    shapes.map((shape, i) => ({ shape, range: ranges?.[i] ?? [-2, 2] }) as const);
  const usual = (...shapes: Shape[]): Sample<A> => ({ inputs: inputsOf(shapes), attributes: attributes[0] });
  const pairs = [usual([2, 3, 5, 7], [3, 1, 1]), usual([7], [2, 3, 40, 7]), usual([2, 1, 37], [1, 5, 1])];
  return {
    ...rest,
    reference(inputs, shapes, attributes) {
      const output = shapes.reduce((a, b) => broadcastShapes(name, a, b));
      const strides = shapes.map(shape => broadcastStrides(shape, output));
      const element = (at: readonly number[]) =>
        compute(
          at.map((index, i) => inputs[i][index]),
          attributes,
        );
      return [mapIndices(output, strides, element)];
    },
    samples: samples ?? [usual(...Array.from({ length: arity }, () => [1])), ...(arity === 2 ? pairs : [])],
    random(choose) {
      const shape = oddShape(choose);
      const shapes = Array.from({ length: arity }, (_, i) =>
        i === 0 ? shape : shape.map(size => choose.pick([size, size, 1])),
      );
      return { inputs: inputsOf(shapes), attributes: choose.pick(attributes) };
    },
  };
}

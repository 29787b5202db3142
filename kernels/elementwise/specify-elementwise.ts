/** Specifications of elementwise operations, from one function of numbers. */
import { broadcastShapes, broadcastStrides, type Shape } from '../../engine/basics/shape.ts';
import type { Attributes } from '../../engine/graph/operation.ts';
import { type Sample, type Specification, specify } from '../../engine/specify.ts';
import { mapIndices, oddShape } from '../references.ts';
import { type ElementwiseOperation, mix, type NumbersAmong } from './define-elementwise.ts';

export interface ElementwiseSpecification<A extends Attributes>
  extends Pick<Specification<A>, 'summary' | 'tolerance' | 'gradientTestedBy'> {
  /** The result of one element in float64. */
  compute(inputs: readonly number[], attributes: A): number;
  /** The range of each input; default [-2, 2). */
  readonly ranges?: readonly (readonly [number, number])[];
  /** Attributes to test with; default none, and if numbers may be operands, one in each place. */
  readonly attributes?: readonly A[];
  /** Replaces the default samples. */
  readonly samples?: readonly Sample<A>[];
  /** No gradient flows to any input. */
  readonly fixed?: boolean;
  /** Whether broadcasting is tested, which works alike for all; default if there are several inputs. */
  readonly broadcasts?: boolean;
}

/** Specifies an elementwise operation. */
export function specifyElementwise<A extends Attributes>(
  operation: ElementwiseOperation<A>,
  specification: () => ElementwiseSpecification<A>,
): void {
  specify(operation, () => complete(operation, specification()));
}

/** A number in the place of each operand, inside its range. */
const numbersAmong = (operands: readonly string[], ranges: ElementwiseSpecification<Attributes>['ranges']) =>
  operands.map((name, i) => {
    const [low, high] = ranges?.[i] ?? [-2, 2];
    return { [name]: low + 0.7 * (high - low) };
  });

function complete<A extends Attributes>(
  { name, arity, operands }: ElementwiseOperation<A>,
  { compute, ranges, attributes, samples, fixed, broadcasts = arity > 1, ...rest }: ElementwiseSpecification<A>,
): Specification<A> {
  const cases = attributes ?? ([{}, ...numbersAmong(operands ?? [], ranges)] as unknown as readonly A[]);
  /** The inputs' positions among the operands. */
  const positions = (some: A) =>
    Array.from({ length: arity }, (_, i) => i).filter(i => !(operands && operands[i] in some));
  const sampleOf = (some: A, shapeOf: (i: number) => Shape): Sample<A> => ({
    inputs: positions(some).map(i => ({
      shape: shapeOf(i),
      range: ranges?.[i] ?? [-2, 2],
      ...(fixed && { fixed }),
    })),
    attributes: some,
  });
  const [first, ...others] = cases;
  const pairs: readonly (readonly Shape[])[] = [
    [
      [2, 3, 5, 7],
      [3, 1, 1],
    ],
    [[7], [2, 3, 40, 7]],
    [
      [2, 1, 37],
      [1, 5, 1],
    ],
  ];
  const usual = [
    sampleOf(first, () => [1]),
    ...(broadcasts && arity === 2 ? pairs.map(pair => sampleOf(first, i => pair[i])) : []),
    ...(operands ? others.map(some => sampleOf(some, () => [5])) : []),
  ];
  const all = (inputs: readonly number[], some: A): readonly number[] =>
    operands ? mix(operands, inputs, some as unknown as NumbersAmong, Math.fround) : inputs;
  return {
    ...rest,
    reference(inputs, shapes, attributes) {
      const output = shapes.reduce((a, b) => broadcastShapes(name, a, b));
      const strides = shapes.map(shape => broadcastStrides(shape, output));
      const element = (at: readonly number[]) =>
        compute(
          all(
            at.map((index, i) => inputs[i][index]),
            attributes,
          ),
          attributes,
        );
      return [mapIndices(output, strides, element)];
    },
    samples: samples ?? usual,
    random(choose) {
      const shape = oddShape(choose);
      const some = choose.pick(cases);
      return sampleOf(some, i => (i === 0 || !broadcasts ? shape : shape.map(size => choose.pick([size, size, 1]))));
    },
  };
}

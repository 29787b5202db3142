/** What all elementwise operations share: NumPy's broadcasting, kernels made from one expression, gradients summed back. */
import { apply } from '../../engine/apply.ts';
import { broadcastShapes, broadcastStrides, f32, type Shape, sizeOf, stridesOf } from '../../engine/basics/shape.ts';
import { type Choose, type Declaration, defineOp, type Sample } from '../../engine/define.ts';
import type { Attributes, Elementwise } from '../../engine/graph/operation.ts';
import type { Tensor } from '../../engine/tensor.ts';
import { lowerElementwise } from '../../engine/text/elementwise.ts';
import { single } from '../../engine/text/expression.ts';
import { sumTo } from '../reductions/sum.ts';

export interface ElementwiseDeclaration<A extends Attributes> extends Elementwise<A> {
  readonly name: string;
  readonly summary: string;
  /** Number of inputs. */
  readonly arity: number;
  /** The result of one element in float64. */
  compute(inputs: readonly number[], attributes: A): number;
  /** Gradients of the inputs before broadcasting is undone: of the output's shape, or the input's. Null: none flows. */
  gradient?(context: {
    readonly grad: Tensor;
    readonly inputs: readonly Tensor[];
    readonly output: Tensor;
    readonly attributes: A;
  }): readonly ((() => Tensor) | undefined | null)[];
  /** Another output shape than the inputs' broadcast. */
  shape?(inputs: readonly Shape[], attributes: A): Shape;
  readonly attributes?: readonly A[];
  /** Where inputs of tests are drawn from; default [-2, 2). */
  readonly ranges?: readonly (readonly [number, number])[];
  readonly samples?: readonly Sample<A>[];
  readonly tolerance?: number;
}

export function defineElementwise<A extends Attributes>(declaration: ElementwiseDeclaration<A>): Declaration<A> {
  const { name, arity, compute, gradient } = declaration;
  const outputShape = (shapes: readonly Shape[], attributes: A): Shape =>
    declaration.shape?.(shapes, attributes) ?? shapes.reduce((a, b) => broadcastShapes(name, a, b));
  const ranges = declaration.ranges ?? Array.from({ length: arity }, () => [-2, 2] as const);
  const attributes = declaration.attributes ?? [{} as A];
  const inputsOf = (shapes: readonly Shape[]) => shapes.map((shape, i) => ({ shape, range: ranges[i]! }));
  return defineOp<A>({
    name,
    summary: declaration.summary,
    infer: (inputs, attributes) => [
      f32(
        outputShape(
          inputs.map(({ shape }) => shape),
          attributes,
        ),
      ),
    ],
    lower: (problem, traits) =>
      lowerElementwise(
        {
          name,
          expression: single(declaration as unknown as Elementwise<Attributes>, problem.attributes, arity),
          inputs: problem.inputs.map(({ shape }) => shape),
          output: problem.outputs[0]!.shape,
          baked: problem.baked,
        },
        traits,
      ),
    elementwise: declaration,
    reference(inputs, specs, attributes) {
      const shapes = specs.map(({ shape }) => shape);
      const output = outputShape(shapes, attributes);
      const strides = shapes.map(shape => broadcastStrides(shape, output));
      return [
        mapIndices(output, strides, at =>
          compute(
            at.map((index, i) => inputs[i]![index]!),
            attributes,
          ),
        ),
      ];
    },
    ...(gradient && {
      gradient: ({ inputs, outputs, grads, needs, attributes }) =>
        gradient({ grad: grads[0]!, inputs, output: outputs[0]!, attributes }).map((rule, i) =>
          needs[i] && rule ? sumTo(rule(), inputs[i]!.shape) : rule === null ? null : undefined,
        ),
    }),
    samples: declaration.samples ?? [
      { inputs: inputsOf(Array.from({ length: arity }, () => [1])), attributes: attributes[0]! },
      ...(arity === 2
        ? [
            {
              inputs: inputsOf([
                [2, 3, 5, 7],
                [3, 1, 1],
              ]),
              attributes: attributes[0]!,
            },
            { inputs: inputsOf([[7], [2, 3, 40, 7]]), attributes: attributes[0]! },
            {
              inputs: inputsOf([
                [2, 1, 37],
                [1, 5, 1],
              ]),
              attributes: attributes[0]!,
            },
          ]
        : []),
    ],
    random: choose => {
      const shape = oddShape(choose);
      const shapes = Array.from({ length: arity }, (_, i) =>
        i === 0 ? shape : shape.map(size => choose.pick([size, size, 1])),
      );
      return { inputs: inputsOf(shapes), attributes: choose.pick(attributes) };
    },
    ...(declaration.tolerance !== undefined && { tolerance: declaration.tolerance }),
  });
}

/** Shapes that break assumptions: rank 1 to 4, sizes of 1, primes, rows shorter and longer than a workgroup. */
export function oddShape(choose: Choose): number[] {
  const rank = choose.integer(1, 4);
  return Array.from({ length: rank }, (_, axis) =>
    choose.pick(axis === rank - 1 ? [1, 3, 8, 17, 37, 67] : [1, 2, 3, 5]),
  );
}

/** Evaluates `f` at every index of `shape`; it gets each operand's flat index by its strides. */
export function mapIndices(
  shape: Shape,
  strides: readonly (readonly number[])[],
  f: (at: readonly number[]) => number,
): Float64Array {
  const own = stridesOf(shape);
  return Float64Array.from({ length: sizeOf(shape) }, (_, index) =>
    f(
      strides.map(stride => {
        let at = 0;
        for (let axis = 0; axis < shape.length; axis++)
          at += (Math.floor(index / own[axis]!) % shape[axis]!) * stride[axis]!;
        return at;
      }),
    ),
  );
}

/** Applies an operation with one output. */
export const applyOne = <A extends Attributes>(
  operation: Declaration<A>,
  inputs: readonly Tensor[],
  attributes: A,
): Tensor => apply(operation, inputs, attributes)[0]!;

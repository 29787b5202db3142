/** Elementwise operations: NumPy's broadcasting, kernels from one expression, and gradients summed to the input's shape. */
import { apply } from '../../engine/apply.ts';
import { ArgumentError, nameOf } from '../../engine/basics/errors.ts';
import { broadcastShapes, f32 } from '../../engine/basics/shape.ts';
import { type Declaration, defineOp } from '../../engine/define.ts';
import type { Attributes, Elementwise } from '../../engine/graph/operation.ts';
import type { Tensor } from '../../engine/tensor.ts';
import { lowerElementwise } from '../../engine/text/elementwise.ts';
import { single } from '../../engine/text/expression.ts';
import { sumTo } from '../reductions/sum.ts';

export interface ElementwiseDeclaration<A extends Attributes> extends Elementwise<A> {
  readonly name: string;
  /** Number of inputs. */
  readonly arity: number;
  /** Gradients of the inputs before undoing the broadcast, in the output's shape or the input's. Null: none flows. */
  gradient?(context: {
    readonly grad: Tensor;
    readonly inputs: readonly Tensor[];
    readonly output: Tensor;
    readonly attributes: A;
  }): readonly ((() => Tensor) | undefined | null)[];
}

export interface ElementwiseOperation<A extends Attributes> extends Declaration<A> {
  readonly arity: number;
}

export function defineElementwise<A extends Attributes>(
  declaration: ElementwiseDeclaration<A>,
): ElementwiseOperation<A> {
  const { name, arity, gradient } = declaration;
  const operation: ElementwiseOperation<A> = {
    name,
    arity,
    infer(inputs, attributes) {
      for (const [key, value] of Object.entries(attributes))
        if (typeof value !== 'number')
          throw new ArgumentError(name, `expected ${key} to be a number, got ${nameOf(value)}.`);
      return [f32(inputs.map(({ shape }) => shape).reduce((a, b) => broadcastShapes(name, a, b)))];
    },
    lower: (problem, traits) =>
      lowerElementwise(
        {
          name,
          expression: single(declaration as unknown as Elementwise<Attributes>, problem.attributes, arity),
          inputs: problem.inputs.map(({ shape }) => shape),
          output: problem.outputs[0].shape,
          baked: problem.baked,
        },
        traits,
      ),
    elementwise: declaration,
    ...(gradient && {
      gradient: ({ inputs, outputs, grads, needs, attributes }) =>
        gradient({ grad: grads[0]!, inputs, output: outputs[0], attributes }).map((rule, i) =>
          needs[i] && rule ? sumTo(rule(), inputs[i].shape) : rule === null ? null : undefined,
        ),
    }),
  };
  defineOp(operation);
  return operation;
}

/** Applies an operation with one output. */
export const applyOne = <A extends Attributes>(
  operation: Declaration<A>,
  inputs: readonly Tensor[],
  attributes: A,
): Tensor => apply(operation, inputs, attributes)[0];

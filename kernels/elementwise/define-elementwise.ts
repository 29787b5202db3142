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
  /** Names of the inputs, if numbers may take their places: see {@link defineMixed}. */
  readonly operands?: readonly string[];
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
  readonly operands?: readonly string[] | undefined;
}

export function defineElementwise<A extends Attributes>(
  declaration: ElementwiseDeclaration<A>,
): ElementwiseOperation<A> {
  const { name, arity, operands, gradient } = declaration;
  const operation: ElementwiseOperation<A> = {
    name,
    arity,
    operands,
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
          expression: single(
            declaration as unknown as Elementwise<Attributes>,
            problem.attributes,
            problem.inputs.length,
          ),
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

/** A tensor, or a number that is broadcast. */
export type Operand = Tensor | number;

/** The numbers among an operation's operands, by the operands' names. */
export type NumbersAmong = Readonly<Record<string, number>>;

export interface MixedDeclaration extends Omit<ElementwiseDeclaration<NumbersAmong>, 'arity' | 'gradient'> {
  readonly operands: readonly string[];
  /** Like an elementwise operation's; the operands are tensors and numbers. Rules for numbers are not called. */
  gradient(context: {
    readonly grad: Tensor;
    readonly operands: readonly Operand[];
    readonly output: Tensor;
  }): readonly ((() => Tensor) | null)[];
}

export interface MixedOperation extends ElementwiseOperation<NumbersAmong> {
  readonly operands: readonly string[];
}

/** All operands in order, from the tensors (or what stands for them) and the numbers. */
export function mix<T>(
  operands: readonly string[],
  tensors: readonly T[],
  numbers: NumbersAmong,
  made: (number: number) => T,
): T[] {
  let next = 0;
  return operands.map(name => (name in numbers ? made(numbers[name]) : tensors[next++]));
}

/**
 * Declares an elementwise operation any of whose operands may be a number: one expression and one gradient serve them all.
 * Numbers are attributes by the operands' names, so they cost neither memory nor a kernel of their own.
 */
export function defineMixed({ operands, expression, gradient, ...rest }: MixedDeclaration): MixedOperation {
  return defineElementwise<NumbersAmong>({
    ...rest,
    operands,
    arity: operands.length,
    expression: (inputs, numbers, number) => expression(mix(operands, inputs, numbers, number), numbers, number),
    gradient: ({ grad, inputs, output, attributes }) =>
      gradient({ grad, operands: mix<Operand>(operands, inputs, attributes, value => value), output }).filter(
        (_, i) => !(operands[i] in attributes),
      ),
  }) as MixedOperation;
}

/** Applies an operation of {@link defineMixed}. Throws unless one operand is a tensor. */
export function applyMixed(operation: MixedOperation, values: readonly Operand[]): Tensor {
  const numbers: Record<string, number> = {};
  const tensors: Tensor[] = [];
  values.forEach((value, i) => {
    if (typeof value === 'number') numbers[operation.operands[i]] = value;
    else tensors.push(value);
  });
  return applyOne(operation, tensors, numbers);
}

/** Elementwise operations: NumPy's broadcasting, kernels from one expression, and gradients summed to the input's shape. */
import { apply } from '../../engine/apply.ts';
import { ArgumentError, DTypeError, nameOf } from '../../engine/basics/errors.ts';
import { broadcastShapes, type IntegerType, isInteger } from '../../engine/basics/shape.ts';
import { type Declaration, defineOp } from '../../engine/define.ts';
import { integersAmong } from '../../engine/graph/element-types.ts';
import type { Attributes, Elementwise } from '../../engine/graph/operation.ts';
import { Tensor, tidy } from '../../engine/tensor.ts';
import { lowerElementwise } from '../../engine/text/elementwise.ts';
import { single } from '../../engine/text/expression.ts';
import { sumTo } from '../reductions/sum.ts';
import { cast } from './cast.ts';

/** An elementwise operation as one expression, for {@link defineElementwise}. */
export interface ElementwiseDeclaration<A extends Attributes> extends Elementwise<A> {
  /** In messages, profiles and keys of programs; no two operations may share one. */
  readonly name: string;
  /** Number of inputs. */
  readonly arity: number;
  /** Names of the inputs, if numbers may take their places: see {@link defineMixed}. */
  readonly operands?: readonly string[];
  /** The result is a condition: 0 or 1, whatever the operands' type. */
  readonly isCondition?: true;
  /** Operand 0 is a condition: the others' type is that of the result. */
  readonly takesCondition?: true;
  /** Gradients of the inputs before undoing the broadcast, in the output's shape or the input's. Null: none flows. */
  gradient?(context: {
    readonly grad: Tensor;
    readonly inputs: readonly Tensor[];
    readonly output: Tensor;
    readonly attributes: A;
  }): readonly ((() => Tensor) | undefined | null)[];
}

/** A declared elementwise operation. */
export interface ElementwiseOperation<A extends Attributes> extends Declaration<A> {
  /** Number of inputs. */
  readonly arity: number;
  /** Names of the inputs, if numbers may take their places. */
  readonly operands?: readonly string[] | undefined;
  /** Set if operand 0 is a condition. */
  readonly takesCondition?: true | undefined;
}

/** Declares an elementwise operation with broadcasting; call it once, at module scope. Its kernels come from `expression`. */
export function defineElementwise<A extends Attributes>(
  declaration: ElementwiseDeclaration<A>,
): ElementwiseOperation<A> {
  const { name, arity, operands, integers, isCondition, takesCondition, gradient } = declaration;
  const operation: ElementwiseOperation<A> = {
    name,
    arity,
    operands,
    takesCondition,
    ...(integers && { takes: takesCondition ? ['f32', 'any'] : ['any'] }),
    infer(inputs, attributes) {
      for (const [key, value] of Object.entries(attributes))
        if (typeof value !== 'number')
          throw new ArgumentError(name, `expected ${key} to be a number, got ${nameOf(value)}.`);
      const shape = inputs.map(each => each.shape).reduce((a, b) => broadcastShapes(name, a, b));
      return [{ shape, dtype: isCondition ? 'bool' : (integersAmong(inputs) ?? 'f32') }];
    },
    lower: (problem, traits) =>
      lowerElementwise(
        {
          name,
          expression: single(
            declaration as unknown as Elementwise<Attributes>,
            problem.attributes,
            problem.inputs.length,
            integersAmong(problem.inputs),
          ),
          inputs: problem.inputs,
          output: problem.outputs[0],
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
export function defineMixed({ operands, expression, integers, gradient, ...rest }: MixedDeclaration): MixedOperation {
  return defineElementwise<NumbersAmong>({
    ...rest,
    operands,
    arity: operands.length,
    expression: (inputs, numbers, number) => expression(mix(operands, inputs, numbers, number), numbers, number),
    ...(integers && {
      integers: (inputs, numbers, number, type) =>
        integers(mix(operands, inputs, numbers, number), numbers, number, type),
    }),
    gradient: ({ grad, inputs, output, attributes }) =>
      gradient({ grad, operands: mix<Operand>(operands, inputs, attributes, value => value), output }).filter(
        (_, i) => !(operands[i] in attributes),
      ),
  }) as MixedOperation;
}

const RANGES = { i32: [-(2 ** 31), 2 ** 31 - 1], u32: [0, 2 ** 32 - 1] } as const;

/**
 * The type in which operands meet, as in PyTorch: f32 if one of them is, or is a number that is not whole. Throws DTypeError for
 * i32 beside u32, and ArgumentError for a number that the integers cannot hold.
 */
function commonType(name: string, tensors: readonly Tensor[], numbers: readonly number[]): 'f32' | IntegerType {
  let common: IntegerType | undefined;
  if (tensors.some(({ dtype }) => dtype === 'f32')) return 'f32';
  for (const { dtype } of tensors) {
    if (!isInteger(dtype)) continue;
    if (common && common !== dtype)
      throw new DTypeError(name, 'expected tensors of one type of whole numbers, got i32 and u32: use cast().');
    common = dtype;
  }
  if (!common || numbers.some(value => !Number.isInteger(value))) return 'f32';
  const [low, high] = RANGES[common];
  const outside = numbers.find(value => value < low || value > high);
  if (outside !== undefined)
    throw new ArgumentError(name, `expected a number in the range of ${common}, got ${outside}.`);
  return common;
}

/**
 * Applies an operation of {@link defineMixed}. Operands of different types are cast to their common one. Throws unless one
 * operand is a tensor.
 */
export function applyMixed(operation: MixedOperation, values: readonly Operand[]): Tensor {
  const { name, operands, takes, takesCondition } = operation;
  const numbers: Record<string, number> = {};
  const tensors: Tensor[] = [];
  values.forEach((value, i) => {
    if (typeof value === 'number') numbers[operands[i]] = value;
    else tensors.push(value);
  });
  if (!tensors.some(one => one instanceof Tensor && isInteger(one.dtype))) return applyOne(operation, tensors, numbers);
  return tidy(() => {
    const own = takesCondition ? tensors.slice(1) : tensors;
    const type = takes ? commonType(name, own, Object.values(numbers)) : 'f32';
    const same = tensors.map((one, i) => (takesCondition && i === 0 ? asCondition(one) : cast(one, type)));
    return applyOne(operation, same, numbers);
  });
}

/** A condition that arithmetic can use: whole numbers are compared with 0. */
const asCondition = (x: Tensor): Tensor => (isInteger(x.dtype) ? cast(x, 'bool') : x);

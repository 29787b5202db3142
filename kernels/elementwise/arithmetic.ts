/** Arithmetic with broadcasting, and with numbers. */

import type { Tensor } from '../../engine/tensor.ts';
import { literal } from '../../engine/text/expression.ts';
import { applyOne, defineElementwise } from './define-elementwise.ts';

export const addOp = defineElementwise({
  name: 'add',
  summary: 'a + b.',
  arity: 2,
  compute: ([a, b]) => a! + b!,
  expression: ([a, b]) => `${a} + ${b}`,
  gradient: ({ grad }) => [() => grad, () => grad],
});

export const subOp = defineElementwise({
  name: 'sub',
  summary: 'a − b.',
  arity: 2,
  compute: ([a, b]) => a! - b!,
  expression: ([a, b]) => `${a} - ${b}`,
  gradient: ({ grad }) => [() => grad, () => neg(grad)],
});

export const mulOp = defineElementwise({
  name: 'mul',
  summary: 'a · b.',
  arity: 2,
  compute: ([a, b]) => a! * b!,
  expression: ([a, b]) => `${a} * ${b}`,
  gradient: ({ grad, inputs: [a, b] }) => [() => mul(grad, b!), () => mul(grad, a!)],
});

export const divOp = defineElementwise({
  name: 'div',
  summary: 'a / b.',
  arity: 2,
  compute: ([a, b]) => a! / b!,
  ranges: [
    [-2, 2],
    [0.5, 2],
  ],
  expression: ([a, b]) => `${a} / ${b}`,
  gradient: ({ grad, inputs: [, b], output }) => [() => div(grad, b!), () => neg(div(mul(grad, output), b!))],
});

export const negOp = defineElementwise({
  name: 'neg',
  summary: '−x.',
  arity: 1,
  compute: ([x]) => -x!,
  expression: ([x]) => `-${x}`,
  gradient: ({ grad }) => [() => neg(grad)],
});

export const squareOp = defineElementwise({
  name: 'square',
  summary: 'x².',
  arity: 1,
  compute: ([x]) => x! * x!,
  expression: ([x]) => `${x} * ${x}`,
  gradient: ({ grad, inputs: [x] }) => [() => mulScalar(mul(grad, x!), 2)],
});

type ScalarAttributes = { readonly value: number };

export const addScalarOp = defineElementwise<ScalarAttributes>({
  name: 'addScalar',
  summary: 'x + a number.',
  arity: 1,
  attributes: [{ value: 1 }, { value: -0.3 }],
  compute: ([x], { value }) => x! + Math.fround(value),
  expression: ([x], { value }) => `${x} + ${literal(value)}`,
  gradient: ({ grad }) => [() => grad],
});

export const mulScalarOp = defineElementwise<ScalarAttributes>({
  name: 'mulScalar',
  summary: 'x · a number.',
  arity: 1,
  attributes: [{ value: 2 }, { value: -0.3 }],
  compute: ([x], { value }) => x! * Math.fround(value),
  expression: ([x], { value }) => `${x} * ${literal(value)}`,
  gradient: ({ grad, attributes: { value } }) => [() => mulScalar(grad, value)],
});

/** A tensor, or a number that stands for a tensor full of it. */
export type Operand = Tensor | number;

const addScalar = (x: Tensor, value: number): Tensor => applyOne(addScalarOp, [x], { value });
const mulScalar = (x: Tensor, value: number): Tensor => applyOne(mulScalarOp, [x], { value });

/** a + b, elementwise with broadcasting. */
export function add(a: Tensor, b: Operand): Tensor {
  return typeof b === 'number' ? addScalar(a, b) : applyOne(addOp, [a, b], {});
}

/** a − b, elementwise with broadcasting. */
export function sub(a: Tensor, b: Operand): Tensor {
  return typeof b === 'number' ? addScalar(a, -b) : applyOne(subOp, [a, b], {});
}

/** a · b, elementwise with broadcasting. */
export function mul(a: Tensor, b: Operand): Tensor {
  return typeof b === 'number' ? mulScalar(a, b) : applyOne(mulOp, [a, b], {});
}

/** a / b, elementwise with broadcasting. */
export function div(a: Tensor, b: Operand): Tensor {
  return typeof b === 'number' ? mulScalar(a, 1 / b) : applyOne(divOp, [a, b], {});
}

/** −x. */
export const neg = (x: Tensor): Tensor => applyOne(negOp, [x], {});

/** x². */
export const square = (x: Tensor): Tensor => applyOne(squareOp, [x], {});

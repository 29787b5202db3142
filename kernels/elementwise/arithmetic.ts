/** Arithmetic with broadcasting, and with numbers. */

import type { Tensor } from '../../engine/tensor.ts';
import { applyOne, defineElementwise } from './define-elementwise.ts';
import { specifyElementwise } from './specify-elementwise.ts';

export const addOp = /* @__PURE__ */ defineElementwise({
  name: 'add',
  arity: 2,
  expression: ([a, b]) => `${a} + ${b}`,
  gradient: ({ grad }) => [() => grad, () => grad],
});

/* @__PURE__ */ specifyElementwise(addOp, () => ({
  summary: 'a + b.',
  compute: ([a, b]) => a + b,
}));

export const subOp = /* @__PURE__ */ defineElementwise({
  name: 'sub',
  arity: 2,
  expression: ([a, b]) => `${a} - ${b}`,
  gradient: ({ grad }) => [() => grad, () => neg(grad)],
});

/* @__PURE__ */ specifyElementwise(subOp, () => ({
  summary: 'a − b.',
  compute: ([a, b]) => a - b,
}));

export const mulOp = /* @__PURE__ */ defineElementwise({
  name: 'mul',
  arity: 2,
  expression: ([a, b]) => `${a} * ${b}`,
  gradient: ({ grad, inputs: [a, b] }) => [() => mul(grad, b), () => mul(grad, a)],
});

/* @__PURE__ */ specifyElementwise(mulOp, () => ({
  summary: 'a · b.',
  compute: ([a, b]) => a * b,
}));

export const divOp = /* @__PURE__ */ defineElementwise({
  name: 'div',
  arity: 2,
  expression: ([a, b]) => `${a} / ${b}`,
  gradient: ({ grad, inputs: [, b], output }) => [() => div(grad, b), () => neg(div(mul(grad, output), b))],
});

/* @__PURE__ */ specifyElementwise(divOp, () => ({
  summary: 'a / b.',
  compute: ([a, b]) => a / b,
  ranges: [
    [-2, 2],
    [0.5, 2],
  ],
}));

export const negOp = /* @__PURE__ */ defineElementwise({
  name: 'neg',
  arity: 1,
  expression: ([x]) => `-${x}`,
  gradient: ({ grad }) => [() => neg(grad)],
});

/* @__PURE__ */ specifyElementwise(negOp, () => ({
  summary: '−x.',
  compute: ([x]) => -x,
}));

export const squareOp = /* @__PURE__ */ defineElementwise({
  name: 'square',
  arity: 1,
  expression: ([x]) => `${x} * ${x}`,
  gradient: ({ grad, inputs: [x] }) => [() => mulScalar(mul(grad, x), 2)],
});

/* @__PURE__ */ specifyElementwise(squareOp, () => ({
  summary: 'x².',
  compute: ([x]) => x * x,
}));

type ScalarAttributes = { readonly value: number };

export const addScalarOp = /* @__PURE__ */ defineElementwise<ScalarAttributes>({
  name: 'addScalar',
  arity: 1,
  expression: ([x], { value }, number) => `${x} + ${number(value)}`,
  gradient: ({ grad }) => [() => grad],
});

/* @__PURE__ */ specifyElementwise(addScalarOp, () => ({
  summary: 'x + a number.',
  compute: ([x], { value }) => x + Math.fround(value),
  attributes: [{ value: 1 }, { value: -0.3 }],
}));

export const mulScalarOp = /* @__PURE__ */ defineElementwise<ScalarAttributes>({
  name: 'mulScalar',
  arity: 1,
  expression: ([x], { value }, number) => `${x} * ${number(value)}`,
  gradient: ({ grad, attributes: { value } }) => [() => mulScalar(grad, value)],
});

/* @__PURE__ */ specifyElementwise(mulScalarOp, () => ({
  summary: 'x · a number.',
  compute: ([x], { value }) => x * Math.fround(value),
  attributes: [{ value: 2 }, { value: -0.3 }],
}));

export const divScalarOp = /* @__PURE__ */ defineElementwise<ScalarAttributes>({
  name: 'divScalar',
  arity: 1,
  expression([x], { value }, number) {
    const divisor = Math.fround(value);
    // Drivers may reject a division by a constant 0; this gives the same result.
    return divisor === 0 ? `${x} * ${number(1 / divisor)}` : `${x} / ${number(divisor)}`;
  },
  gradient: ({ grad, attributes: { value } }) => [() => divScalar(grad, value)],
});

/* @__PURE__ */ specifyElementwise(divScalarOp, () => ({
  summary: 'x / a number.',
  compute: ([x], { value }) => x / Math.fround(value),
  attributes: [{ value: 3 }, { value: -0.3 }],
}));

/** A tensor, or a number that is broadcast. */
export type Operand = Tensor | number;

const addScalar = (x: Tensor, value: number): Tensor => applyOne(addScalarOp, [x], { value });
const mulScalar = (x: Tensor, value: number): Tensor => applyOne(mulScalarOp, [x], { value });
const divScalar = (x: Tensor, value: number): Tensor => applyOne(divScalarOp, [x], { value });

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
  return typeof b === 'number' ? divScalar(a, b) : applyOne(divOp, [a, b], {});
}

/** −x. */
export const neg = (x: Tensor): Tensor => applyOne(negOp, [x], {});

/** x². */
export const square = (x: Tensor): Tensor => applyOne(squareOp, [x], {});

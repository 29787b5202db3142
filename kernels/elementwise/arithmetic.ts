/** Arithmetic with broadcasting, and with numbers. */

import { ArgumentError, checkOptions, quoted } from '../../engine/basics/errors.ts';
import type { Tensor } from '../../engine/tensor.ts';
import {
  applyMixed,
  applyOne,
  defineElementwise,
  defineMixed,
  type MixedOperation,
  type Operand,
} from './define-elementwise.ts';
import { specifyElementwise } from './specify-elementwise.ts';

export type { Operand };

export const addOp: MixedOperation = /* @__PURE__ */ defineMixed({
  name: 'add',
  operands: ['a', 'b'],
  expression: ([a, b]) => `${a} + ${b}`,
  integers: ([a, b]) => `${a} + ${b}`,
  gradient: ({ grad }) => [() => grad, () => grad],
});

/* @__PURE__ */ specifyElementwise(addOp, () => ({
  summary: 'a + b.',
  compute: ([a, b]) => a + b,
}));

export const subOp: MixedOperation = /* @__PURE__ */ defineMixed({
  name: 'sub',
  operands: ['a', 'b'],
  expression: ([a, b]) => `${a} - ${b}`,
  integers: ([a, b]) => `${a} - ${b}`,
  gradient: ({ grad }) => [() => grad, () => neg(grad)],
});

/* @__PURE__ */ specifyElementwise(subOp, () => ({
  summary: 'a − b.',
  compute: ([a, b]) => a - b,
}));

export const mulOp: MixedOperation = /* @__PURE__ */ defineMixed({
  name: 'mul',
  operands: ['a', 'b'],
  expression: ([a, b]) => `${a} * ${b}`,
  integers: ([a, b]) => `${a} * ${b}`,
  gradient: ({ grad, operands: [a, b] }) => [() => mul(grad, b), () => mul(grad, a)],
});

/* @__PURE__ */ specifyElementwise(mulOp, () => ({
  summary: 'a · b.',
  compute: ([a, b]) => a * b,
}));

export const divOp: MixedOperation = /* @__PURE__ */ defineMixed({
  name: 'div',
  operands: ['a', 'b'],
  expression([a, b], { b: divisor = 1 }, number) {
    // Drivers may reject a division by a constant 0; this gives the same result.
    return Math.fround(divisor) === 0 ? `${a} * ${number(1 / divisor)}` : `${a} / ${b}`;
  },
  gradient: ({ grad, operands: [, b], output }) => [() => div(grad, b), () => neg(div(mul(grad, output), b))],
});

/* @__PURE__ */ specifyElementwise(divOp, () => ({
  summary: 'a / b.',
  compute: ([a, b]) => a / b,
  ranges: [
    [-2, 2],
    [0.5, 2],
  ],
}));

/** WGSL of a quotient of whole numbers, 0 where the divisor is. */
const quotient = (b: string, zero: string, divided: (b: string) => string): string =>
  `select(${divided(`select(${b}, ${zero} + 1, ${b} == ${zero})`)}, ${zero}, ${b} == ${zero})`;

export const truncDivOp: MixedOperation = /* @__PURE__ */ defineMixed({
  name: 'truncDiv',
  operands: ['a', 'b'],
  expression: ([a, b]) => `trunc(${a} / ${b})`,
  integers: ([a, b], _, number) => quotient(b, number(0), b => `${a} / ${b}`),
  gradient: () => [null, null],
});

/* @__PURE__ */ specifyElementwise(truncDivOp, () => ({
  summary: 'a / b, rounded towards zero.',
  compute: ([a, b]) => Math.trunc(Math.fround(a / b)),
  ranges: [
    [-9, 9],
    [0.5, 2],
  ],
  fixed: true,
}));

export const floorDivOp: MixedOperation = /* @__PURE__ */ defineMixed({
  name: 'floorDiv',
  operands: ['a', 'b'],
  expression: ([a, b]) => `floor(${a} / ${b})`,
  integers: ([a, b], _, number, type) =>
    quotient(b, number(0), b =>
      type === 'u32' ? `${a} / ${b}` : `${a} / ${b} - select(0, 1, ${a} % ${b} != 0 && (${a} < 0) != (${b} < 0))`,
    ),
  gradient: () => [null, null],
});

/* @__PURE__ */ specifyElementwise(floorDivOp, () => ({
  summary: 'a / b, rounded down.',
  compute: ([a, b]) => Math.floor(Math.fround(a / b)),
  ranges: [
    [-9, 9],
    [0.5, 2],
  ],
  fixed: true,
}));

export const negOp = /* @__PURE__ */ defineElementwise({
  name: 'neg',
  arity: 1,
  expression: ([x]) => `-${x}`,
  integers: ([x], _, number) => `${number(0)} - ${x}`,
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
  integers: ([x]) => `${x} * ${x}`,
  gradient: ({ grad, inputs: [x] }) => [() => mul(mul(grad, x), 2)],
});

/* @__PURE__ */ specifyElementwise(squareOp, () => ({
  summary: 'x².',
  compute: ([x]) => x * x,
}));

/** a + b, elementwise with broadcasting; one of them may be a number. Whole numbers wrap around at their type's bounds. */
export const add = (a: Operand, b: Operand): Tensor => applyMixed(addOp, [a, b]);
/** a − b, elementwise with broadcasting; one of them may be a number. */
export const sub = (a: Operand, b: Operand): Tensor => applyMixed(subOp, [a, b]);
/** a · b, elementwise with broadcasting; one of them may be a number. */
export const mul = (a: Operand, b: Operand): Tensor => applyMixed(mulOp, [a, b]);

/** Options of {@link div}. */
export interface DivOptions {
  /** `none` (default); `floor`: rounded down; `trunc`: rounded towards zero. No gradient flows through a rounded quotient. */
  readonly rounding?: 'none' | 'floor' | 'trunc';
}

/**
 * a / b, elementwise with broadcasting; one of them may be a number. The quotient of whole numbers is an f32, unless it is rounded:
 * then it has their type, and is 0 where the divisor is. PyTorch's `div` with its `rounding_mode`.
 */
export function div(a: Operand, b: Operand, options?: DivOptions): Tensor {
  if (options === undefined) return applyMixed(divOp, [a, b]);
  checkOptions('div', options, ['rounding']);
  const { rounding = 'none' } = options;
  if (rounding !== 'none' && rounding !== 'floor' && rounding !== 'trunc')
    throw new ArgumentError('div', `expected rounding "none", "floor" or "trunc", got ${quoted(rounding)}.`);
  return applyMixed(rounding === 'none' ? divOp : rounding === 'floor' ? floorDivOp : truncDivOp, [a, b]);
}

/** −x. */
export const neg = (x: Tensor): Tensor => applyOne(negOp, [x], {});

/** x². */
export const square = (x: Tensor): Tensor => applyOne(squareOp, [x], {});

/**
 * Comparisons and logic, and the larger or smaller of two. Conditions are 1 where they hold, else 0. Numbers may take the place
 * of tensors.
 */
import type { Tensor } from '../../engine/tensor.ts';
import { mul } from './arithmetic.ts';
import { isNaNText, isNonzeroText } from './bits.ts';
import { applyMixed, defineMixed, type MixedOperation, type NumbersAmong, type Operand } from './define-elementwise.ts';
import { where } from './selection.ts';
import { type ElementwiseSpecification, specifyElementwise } from './specify-elementwise.ts';

/** A condition is constant almost everywhere: no gradient flows through it, as through PyTorch's booleans. */
function defineCondition(
  name: string,
  operands: readonly string[],
  test: (...operands: string[]) => string,
  ofIntegers: (...operands: string[]) => string = test,
): MixedOperation {
  return defineMixed({
    name,
    operands,
    expression: inputs => `select(0.0, 1.0, ${test(...inputs)})`,
    integers: inputs => `select(0.0, 1.0, ${ofIntegers(...inputs)})`,
    isCondition: true,
    gradient: () => operands.map(() => null),
  });
}

const BOTH = ['a', 'b'];

// Negations of comparisons with NaN, which are false, are written as such: drivers may take a ≠ b for a < b or a > b.
export const equalOp = /* @__PURE__ */ defineCondition('equal', BOTH, (a, b) => `${a} == ${b}`);
export const notEqualOp = /* @__PURE__ */ defineCondition('notEqual', BOTH, (a, b) => `!(${a} == ${b})`);
export const lessOp = /* @__PURE__ */ defineCondition('less', BOTH, (a, b) => `${a} < ${b}`);
export const lessEqualOp = /* @__PURE__ */ defineCondition('lessEqual', BOTH, (a, b) => `${a} <= ${b}`);
export const greaterOp = /* @__PURE__ */ defineCondition('greater', BOTH, (a, b) => `${a} > ${b}`);
export const greaterEqualOp = /* @__PURE__ */ defineCondition('greaterEqual', BOTH, (a, b) => `${a} >= ${b}`);
export const logicalAndOp = /* @__PURE__ */ defineCondition(
  'logicalAnd',
  BOTH,
  (a, b) => `${isNonzeroText(a)} && ${isNonzeroText(b)}`,
  (a, b) => `${a} != 0 && ${b} != 0`,
);
export const logicalOrOp = /* @__PURE__ */ defineCondition(
  'logicalOr',
  BOTH,
  (a, b) => `${isNonzeroText(a)} || ${isNonzeroText(b)}`,
  (a, b) => `${a} != 0 || ${b} != 0`,
);
export const logicalNotOp = /* @__PURE__ */ defineCondition(
  'logicalNot',
  ['x'],
  x => `!(${isNonzeroText(x)})`,
  x => `${x} == 0`,
);

const TIES = [
  [0, -0, 1, 2, 2, Number.NaN, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
  [-0, 1, 0, 2, 3, Number.NaN, 1, Number.POSITIVE_INFINITY, 1],
] as const;

function conditionOf(
  summary: string,
  holds: (a: number, b: number) => boolean,
  operands = BOTH,
): ElementwiseSpecification<NumbersAmong> {
  const values = (i: number) => ({ shape: [TIES[i].length], values: TIES[i], fixed: true });
  return {
    summary: `1 where ${summary}, else 0; no gradient flows.`,
    compute: ([a, b]) => Number(holds(a, b)),
    samples: [
      { inputs: operands.map((_, i) => values(i)), attributes: {} },
      ...(operands === BOTH ? ['a', 'b'].map((name, i) => ({ inputs: [values(i)], attributes: { [name]: 1 } })) : []),
    ],
    attributes: operands === BOTH ? [{}, { a: 0.5 }, { b: 0.5 }] : [{}],
    fixed: true,
    broadcasts: false,
  };
}

/* @__PURE__ */ specifyElementwise(equalOp, () => conditionOf('a = b', (a, b) => a === b));
/* @__PURE__ */ specifyElementwise(notEqualOp, () => conditionOf('a ≠ b', (a, b) => a !== b));
/* @__PURE__ */ specifyElementwise(lessOp, () => conditionOf('a < b', (a, b) => a < b));
/* @__PURE__ */ specifyElementwise(lessEqualOp, () => conditionOf('a ≤ b', (a, b) => a <= b));
/* @__PURE__ */ specifyElementwise(greaterOp, () => conditionOf('a > b', (a, b) => a > b));
/* @__PURE__ */ specifyElementwise(greaterEqualOp, () => conditionOf('a ≥ b', (a, b) => a >= b));
/* @__PURE__ */ specifyElementwise(logicalAndOp, () =>
  conditionOf('a and b are nonzero', (a, b) => a !== 0 && b !== 0),
);
/* @__PURE__ */ specifyElementwise(logicalOrOp, () => conditionOf('a or b is nonzero', (a, b) => a !== 0 || b !== 0));
/* @__PURE__ */ specifyElementwise(logicalNotOp, () => conditionOf('x is 0', x => x === 0, ['x']));

/** 1 where a = b, else 0; NaN equals nothing. PyTorch's `eq` (its `equal` compares whole tensors). */
export const equal = (a: Operand, b: Operand): Tensor => applyMixed(equalOp, [a, b]);
/** 1 where a ≠ b, else 0; NaN differs from everything. PyTorch's `ne`. */
export const notEqual = (a: Operand, b: Operand): Tensor => applyMixed(notEqualOp, [a, b]);
/** 1 where a < b, else 0. PyTorch's `lt`. */
export const less = (a: Operand, b: Operand): Tensor => applyMixed(lessOp, [a, b]);
/** 1 where a ≤ b, else 0. PyTorch's `le`. */
export const lessEqual = (a: Operand, b: Operand): Tensor => applyMixed(lessEqualOp, [a, b]);
/** 1 where a > b, else 0. PyTorch's `gt`. */
export const greater = (a: Operand, b: Operand): Tensor => applyMixed(greaterOp, [a, b]);
/** 1 where a ≥ b, else 0. PyTorch's `ge`. */
export const greaterEqual = (a: Operand, b: Operand): Tensor => applyMixed(greaterEqualOp, [a, b]);
/** 1 where a and b are nonzero (NaN is), else 0. PyTorch's `logical_and`. */
export const logicalAnd = (a: Operand, b: Operand): Tensor => applyMixed(logicalAndOp, [a, b]);
/** 1 where a or b is nonzero (NaN is), else 0. PyTorch's `logical_or`. */
export const logicalOr = (a: Operand, b: Operand): Tensor => applyMixed(logicalOrOp, [a, b]);
/** 1 where x is 0, else 0. PyTorch's `logical_not`. */
export const logicalNot = (x: Tensor): Tensor => applyMixed(logicalNotOp, [x]);

/** `grad` for an operand that wins, half of it in a tie, none where it `loses`. NaN lets it pass to both, as in PyTorch. */
const share = (grad: Tensor, tie: Tensor, loses: Tensor): Tensor => where(tie, mul(grad, 0.5), where(loses, 0, grad));

export const maximumOp: MixedOperation = /* @__PURE__ */ defineMixed({
  name: 'maximum',
  operands: BOTH,
  // A comparison with NaN is false, which selects b if b is NaN.
  expression: ([a, b]) => `select(${b}, ${a}, ${a} > ${b} || ${isNaNText(a)})`,
  integers: ([a, b]) => `max(${a}, ${b})`,
  gradient: ({ grad, operands: [a, b] }) => [
    () => share(grad, equal(a, b), less(a, b)),
    () => share(grad, equal(a, b), greater(a, b)),
  ],
});

/* @__PURE__ */ specifyElementwise(maximumOp, () => ({
  summary: 'The larger of a and b, NaN if one is; in a tie both get half of the gradient.',
  compute: ([a, b]) => Math.max(a, b),
  broadcasts: false,
}));

export const minimumOp: MixedOperation = /* @__PURE__ */ defineMixed({
  name: 'minimum',
  operands: BOTH,
  expression: ([a, b]) => `select(${b}, ${a}, ${a} < ${b} || ${isNaNText(a)})`,
  integers: ([a, b]) => `min(${a}, ${b})`,
  gradient: ({ grad, operands: [a, b] }) => [
    () => share(grad, equal(a, b), greater(a, b)),
    () => share(grad, equal(a, b), less(a, b)),
  ],
});

/* @__PURE__ */ specifyElementwise(minimumOp, () => ({
  summary: 'The smaller of a and b, NaN if one is; in a tie both get half of the gradient.',
  compute: ([a, b]) => Math.min(a, b),
  broadcasts: false,
}));

/** The larger of a and b, NaN if one is, with broadcasting; in a tie both get half of the gradient. PyTorch's `maximum`. */
export const maximum = (a: Operand, b: Operand): Tensor => applyMixed(maximumOp, [a, b]);
/** The smaller of a and b, NaN if one is, with broadcasting; in a tie both get half of the gradient. PyTorch's `minimum`. */
export const minimum = (a: Operand, b: Operand): Tensor => applyMixed(minimumOp, [a, b]);

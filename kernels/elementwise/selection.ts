/** Selecting between tensors, and detecting infinity and NaN. */
import type { Tensor } from '../../engine/tensor.ts';
import { isNonzeroText } from './bits.ts';
import {
  applyMixed,
  applyOne,
  defineElementwise,
  defineMixed,
  type MixedOperation,
  type Operand,
} from './define-elementwise.ts';
import { fullLike } from './full-like.ts';
import { specifyElementwise } from './specify-elementwise.ts';

export const whereOp: MixedOperation = /* @__PURE__ */ defineMixed({
  name: 'where',
  operands: ['condition', 'a', 'b'],
  // By bits: a comparison with NaN is false, and NaN is not 0.
  expression: ([c, a, b]) => `select(${b}, ${a}, ${isNonzeroText(c)})`,
  integers: ([c, a, b]) => `select(${b}, ${a}, ${isNonzeroText(c)})`,
  takesCondition: true,
  gradient({ grad, operands: [c] }) {
    const condition = c as Tensor;
    return [() => fullLike(grad, 0), () => where(condition, grad, 0), () => where(condition, 0, grad)];
  },
});

/* @__PURE__ */ specifyElementwise(whereOp, () => ({
  summary: 'a where the condition is nonzero, else b.',
  compute: ([c, a, b]) => (c !== 0 ? a : b),
  attributes: [{}, { a: -0.5 }, { b: 0.7 }],
  samples: [
    {
      inputs: [{ shape: [4], values: [0, 1, -1, 0], fixed: true }, { shape: [4] }, { shape: [4] }],
      attributes: {},
    },
    { inputs: [{ shape: [3], values: [0, 1, Number.NaN], fixed: true }, { shape: [3] }], attributes: { a: 2 } },
  ],
}));

/** By bits: drivers fold `x != x` to false even for NaN. */
export const notFiniteOp = /* @__PURE__ */ defineElementwise({
  name: 'notFinite',
  arity: 1,
  isCondition: true,
  expression: ([x]) => `select(0.0, 1.0, (bitcast<u32>(${x}) & 0x7f800000u) == 0x7f800000u)`,
});

/* @__PURE__ */ specifyElementwise(notFiniteOp, () => ({
  summary: '1 where x is infinite or NaN, else 0.',
  compute: ([x]) => (Number.isFinite(x) ? 0 : 1),
  samples: [
    {
      inputs: [{ shape: [5], values: [0, -1e38, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY] }],
      attributes: {},
    },
  ],
}));

/**
 * a where `condition` is nonzero (NaN is), else b; with broadcasting. a or b may be a number. PyTorch's `where`; comparisons give
 * conditions.
 */
export const where = (condition: Tensor, a: Operand, b: Operand): Tensor => applyMixed(whereOp, [condition, a, b]);

/** 1 where x is infinite or NaN, else 0. */
export const notFinite = (x: Tensor): Tensor => applyOne(notFiniteOp, [x], {});

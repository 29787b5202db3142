/** Selecting between tensors, and detecting infinity and NaN. */
import type { Tensor } from '../../engine/tensor.ts';
import { applyOne, defineElementwise } from './define-elementwise.ts';
import { fullLike } from './full-like.ts';
import { specifyElementwise } from './specify-elementwise.ts';

export const whereOp = /* @__PURE__ */ defineElementwise({
  name: 'where',
  arity: 3,
  // By bits: a comparison with NaN is false, and NaN is not 0.
  expression: ([c, a, b]) => `select(${b}, ${a}, (bitcast<u32>(${c}) & 0x7fffffffu) != 0u)`,
  gradient: ({ grad, inputs: [c] }) => {
    const zero = () => fullLike(grad, 0);
    return [zero, () => where(c, grad, zero()), () => where(c, zero(), grad)];
  },
});

/* @__PURE__ */ specifyElementwise(whereOp, () => ({
  summary: 'a where the condition is nonzero, else b.',
  compute: ([c, a, b]) => (c !== 0 ? a : b),
  samples: [
    {
      inputs: [{ shape: [4], values: [0, 1, -1, 0], fixed: true }, { shape: [4] }, { shape: [4] }],
      attributes: {},
    },
  ],
}));

/** By bits: drivers fold `x != x` to false even for NaN. */
export const notFiniteOp = /* @__PURE__ */ defineElementwise({
  name: 'notFinite',
  arity: 1,
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

/** a where `condition` is nonzero, else b; with broadcasting. */
export const where = (condition: Tensor, a: Tensor, b: Tensor): Tensor => applyOne(whereOp, [condition, a, b], {});

/** 1 where x is infinite or NaN, else 0. */
export const notFinite = (x: Tensor): Tensor => applyOne(notFiniteOp, [x], {});

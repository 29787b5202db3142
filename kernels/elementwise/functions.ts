/** Elementary functions. Subgradients at kinks are PyTorch's. */
import type { Tensor } from '../../engine/tensor.ts';
import { errorFunction } from '../references.ts';
import { add, div, mul, neg, square } from './arithmetic.ts';
import { keepNaN } from './bits.ts';
import { applyOne, defineElementwise, type ElementwiseOperation } from './define-elementwise.ts';
import { fullLike } from './full-like.ts';
import { ERF, EXPM1, LOG, LOG1P, SINE } from './precise.ts';
import { specifyElementwise } from './specify-elementwise.ts';

export const expOp = /* @__PURE__ */ defineElementwise({
  name: 'exp',
  arity: 1,
  expensive: true,
  expression: ([x]) => keepNaN(x, `exp(${x})`),
  gradient: ({ grad, output }) => [() => mul(grad, output)],
});

/* @__PURE__ */ specifyElementwise(expOp, () => ({
  summary: 'eˣ.',
  compute: ([x]) => Math.exp(x),
  // WGSL allows exp an error of 3 + 2·|x| ulp.
  tolerance: 2e-6,
}));

export const logOp = /* @__PURE__ */ defineElementwise({
  name: 'log',
  arity: 1,
  expensive: true,
  declarations: () => LOG,
  expression: ([x]) => keepNaN(x, `daybreakLog(${x})`),
  gradient: ({ grad, inputs: [x] }) => [() => div(grad, x)],
});

/* @__PURE__ */ specifyElementwise(logOp, () => ({
  summary: 'Natural logarithm, accurate near 1 on every driver.',
  compute: ([x]) => Math.log(x),
  ranges: [[0.2, 3]],
}));

export const log1pOp = /* @__PURE__ */ defineElementwise({
  name: 'log1p',
  arity: 1,
  expensive: true,
  declarations: () => LOG1P,
  expression: ([x]) => keepNaN(x, `daybreakLog1p(${x})`),
  gradient: ({ grad, inputs: [x] }) => [() => div(grad, add(x, 1))],
});

/* @__PURE__ */ specifyElementwise(log1pOp, () => ({
  summary: 'log(1 + x), accurate near 0.',
  compute: ([x]) => Math.log1p(x),
  ranges: [[-0.7, 3]],
}));

export const sqrtOp = /* @__PURE__ */ defineElementwise({
  name: 'sqrt',
  arity: 1,
  expression: ([x]) => `sqrt(${x})`,
  gradient: ({ grad, output }) => [() => div(mul(grad, 0.5), output)],
});

/* @__PURE__ */ specifyElementwise(sqrtOp, () => ({
  summary: 'Square root.',
  compute: ([x]) => Math.sqrt(x),
  ranges: [[0.1, 4]],
}));

export const signOp = /* @__PURE__ */ defineElementwise({
  name: 'sign',
  arity: 1,
  expression: ([x]) => keepNaN(x, `sign(${x})`),
  integers: ([x], _, __, type) => (type === 'i32' ? `sign(${x})` : `min(${x}, 1u)`),
  gradient: ({ grad }) => [() => fullLike(grad, 0)],
});

/* @__PURE__ */ specifyElementwise(signOp, () => ({
  summary: '−1, 0 or 1; its gradient is 0.',
  compute: ([x]) => Math.sign(x),
}));

export const absOp = /* @__PURE__ */ defineElementwise({
  name: 'abs',
  arity: 1,
  expression: ([x]) => `abs(${x})`,
  integers: ([x]) => `abs(${x})`,
  gradient: ({ grad, inputs: [x] }) => [() => mul(grad, sign(x))],
});

/* @__PURE__ */ specifyElementwise(absOp, () => ({
  summary: '|x|; gradient 0 at 0.',
  compute: ([x]) => Math.abs(x),
}));

type ClampAttributes = { readonly min: number; readonly max: number };

/** If a bound is NaN, the result is NaN, as in PyTorch. */
const hasNaN = (...bounds: number[]): boolean => bounds.some(Number.isNaN);

export const clampOp = /* @__PURE__ */ defineElementwise<ClampAttributes>({
  name: 'clamp',
  arity: 1,
  // Not WGSL's clamp, which may turn NaN into a bound and does not define the result for min > max.
  expression([x], { min, max }, number) {
    if (hasNaN(min, max)) return number(Number.NaN);
    const [low, high] = [number(min), number(max)];
    const raised = `select(${x}, ${low}, ${x} < ${low})`;
    return `select(${raised}, ${high}, ${raised} > ${high})`;
  },
  gradient: ({ grad, inputs: [x], attributes }) => [() => applyOne(clampGradientOp, [grad, x], attributes)],
});

/* @__PURE__ */ specifyElementwise(clampOp, () => ({
  summary: 'x clamped to [min, max]; the gradient passes at the bounds.',
  compute: ([x], { min, max }) => Math.min(Math.max(x, Math.fround(min)), Math.fround(max)),
  attributes: [
    { min: -0.5, max: 0.7 },
    { min: 0, max: 1 },
    { min: -0.1, max: Number.POSITIVE_INFINITY },
    { min: 0.5, max: -0.5 },
  ],
}));

export const clampGradientOp: ElementwiseOperation<ClampAttributes> =
  /* @__PURE__ */ defineElementwise<ClampAttributes>({
    name: 'clampGradient',
    arity: 2,
    expression: ([g, x], { min, max }, number) =>
      hasNaN(min, max) ? '0.0' : `select(0.0, ${g}, ${x} >= ${number(min)} && ${x} <= ${number(max)})`,
    gradient: ({ grad, inputs: [, x], attributes }) => [
      () => applyOne(clampGradientOp, [grad, x], attributes),
      () => fullLike(grad, 0),
    ],
  });

/* @__PURE__ */ specifyElementwise(clampGradientOp, () => ({
  summary: 'g where x is in [min, max], else 0.',
  compute: ([g, x], { min, max }) => (x >= Math.fround(min) && x <= Math.fround(max) ? g : 0),
  attributes: [{ min: -0.5, max: 0.7 }],
}));

export const expm1Op = /* @__PURE__ */ defineElementwise({
  name: 'expm1',
  arity: 1,
  expensive: true,
  declarations: () => EXPM1,
  expression: ([x]) => keepNaN(x, `daybreakExpm1(${x})`),
  gradient: ({ grad, inputs: [x] }) => [() => mul(grad, exp(x))],
});

/* @__PURE__ */ specifyElementwise(expm1Op, () => ({
  summary: 'eˣ − 1, accurate near 0.',
  compute: ([x]) => Math.expm1(x),
  samples: [{ inputs: [{ shape: [6], values: [-1e-6, 6e-5, 0, 0.34, -0.35, -30] }], attributes: {} }],
  tolerance: 2e-6,
}));

/** Declares a function that is constant almost everywhere; its gradient is 0, as in PyTorch. */
const defineSteps = (name: string): ElementwiseOperation<Record<never, never>> =>
  defineElementwise({
    name,
    arity: 1,
    expression: ([x]) => keepNaN(x, `${name}(${x})`),
    gradient: ({ grad }) => [() => fullLike(grad, 0)],
  });

const STEPS = [-1.5, -0.5, 0.5, 1.5, 2.5, -0.3, 8388609, -1e10, -0];
const stepsOf = (summary: string, compute: (x: number) => number) => ({
  summary: `${summary}; its gradient is 0.`,
  compute: ([x]: readonly number[]) => compute(x),
  samples: [{ inputs: [{ shape: [STEPS.length], values: STEPS }], attributes: {}, kink: 'at steps' }],
});

export const floorOp = /* @__PURE__ */ defineSteps('floor');
export const ceilOp = /* @__PURE__ */ defineSteps('ceil');
export const roundOp = /* @__PURE__ */ defineSteps('round');

/* @__PURE__ */ specifyElementwise(floorOp, () => stepsOf('The largest integer of at most x', Math.floor));
/* @__PURE__ */ specifyElementwise(ceilOp, () => stepsOf('The smallest integer of at least x', Math.ceil));
/* @__PURE__ */ specifyElementwise(roundOp, () =>
  stepsOf('The nearest integer, an even one in a tie', x =>
    x - Math.floor(x) === 0.5 ? 2 * Math.round(x / 2) : Math.round(x),
  ),
);

/** The sine `turn` quadrants ahead. */
const defineSine = (
  name: string,
  turn: number,
  slope: (x: Tensor) => Tensor,
): ElementwiseOperation<Record<never, never>> =>
  defineElementwise({
    name,
    arity: 1,
    expensive: true,
    declarations: () => SINE,
    expression: ([x]) => `daybreakSine(${x}, ${turn}u)`,
    gradient: ({ grad, inputs: [x] }) => [() => mul(grad, slope(x))],
  });

// Beside multiples of π/4 and π, and at the end of the range.
const ANGLES = [0, 0.785, -0.786, Math.fround(Math.PI), -1.57, 6.2831855, 1e4, -31415.926, 1.6e7, 1e22, -3.4e38];
const sineOf = (summary: string, compute: (x: number) => number) => ({
  summary: `${summary} of x in radians, accurate for every finite x.`,
  compute: ([x]: readonly number[]) => compute(x),
  ranges: [[-30, 30]] as const,
  samples: [
    { inputs: [{ shape: [ANGLES.length], values: ANGLES }], attributes: {}, kink: 'x ± 1e-7 is x for large x' },
  ],
});

export const sinOp = /* @__PURE__ */ defineSine('sin', 0, x => cos(x));
export const cosOp = /* @__PURE__ */ defineSine('cos', 1, x => neg(sin(x)));

/* @__PURE__ */ specifyElementwise(sinOp, () => sineOf('Sine', Math.sin));
/* @__PURE__ */ specifyElementwise(cosOp, () => sineOf('Cosine', Math.cos));

export const erfOp = /* @__PURE__ */ defineElementwise({
  name: 'erf',
  arity: 1,
  expensive: true,
  declarations: () => ERF,
  expression: ([x]) => keepNaN(x, `daybreakErf(${x})`),
  gradient: ({ grad, inputs: [x] }) => [() => mul(grad, mul(exp(neg(square(x))), 2 / Math.sqrt(Math.PI)))],
});

/* @__PURE__ */ specifyElementwise(erfOp, () => ({
  summary: 'The error function.',
  compute: ([x]) => errorFunction(x),
  samples: [{ inputs: [{ shape: [6], values: [-1e-6, 0.999, -1.001, 0, 3.5, -12] }], attributes: {} }],
}));

/** eˣ. */
export const exp = (x: Tensor): Tensor => applyOne(expOp, [x], {});
/** Natural logarithm. */
export const log = (x: Tensor): Tensor => applyOne(logOp, [x], {});
/** log(1 + x), accurate for small x. */
export const log1p = (x: Tensor): Tensor => applyOne(log1pOp, [x], {});
/** eˣ − 1, accurate for small x. */
export const expm1 = (x: Tensor): Tensor => applyOne(expm1Op, [x], {});
/** Square root; its gradient at 0 is infinite. */
export const sqrt = (x: Tensor): Tensor => applyOne(sqrtOp, [x], {});
/** −1, 0 or 1. */
export const sign = (x: Tensor): Tensor => applyOne(signOp, [x], {});
/** |x|. */
export const abs = (x: Tensor): Tensor => applyOne(absOp, [x], {});
/**
 * x clamped to [min, max]; an infinite bound is none. If min > max, all is max; if a bound is NaN, all is NaN. The gradient
 * passes at the bounds.
 */
export const clamp = (x: Tensor, min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY): Tensor =>
  applyOne(clampOp, [x], { min, max });
/** The largest integer of at most x; gradient 0. */
export const floor = (x: Tensor): Tensor => applyOne(floorOp, [x], {});
/** The smallest integer of at least x; gradient 0. */
export const ceil = (x: Tensor): Tensor => applyOne(ceilOp, [x], {});
/** The nearest integer, an even one in a tie; gradient 0. */
export const round = (x: Tensor): Tensor => applyOne(roundOp, [x], {});
/** Sine of x in radians. Accurate for every finite x; NaN for an infinite one. */
export const sin = (x: Tensor): Tensor => applyOne(sinOp, [x], {});
/** Cosine of x in radians. Accurate for every finite x; NaN for an infinite one. */
export const cos = (x: Tensor): Tensor => applyOne(cosOp, [x], {});
/** The error function 2/√π · ∫₀ˣ e^−t² dt, to 3e-7 of its value. */
export const erf = (x: Tensor): Tensor => applyOne(erfOp, [x], {});

/** Elementary functions. Subgradients at kinks are PyTorch's. */
import type { Tensor } from '../../engine/tensor.ts';
import type { NumberText } from '../../engine/text/expression.ts';
import { add, div, mul } from './arithmetic.ts';
import { applyOne, defineElementwise, type ElementwiseOperation } from './define-elementwise.ts';
import { fullLike } from './full-like.ts';
import { keepNaN, LOG, log1pFunction } from './precise.ts';
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
  declarations: () => log1pFunction,
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

type PowAttributes = { readonly exponent: number };

/** NaN, computed from the bits of x, so that the driver cannot fold it. */
const quietNaN = (x: string): string => `bitcast<f32>(bitcast<u32>(${x}) | 0x7fc00000u)`;

/** WGSL's pow needs a positive base; small integer exponents become products. */
function power(x: string, exponent: number, number: NumberText): string {
  if (exponent === 0) return '1.0';
  if (exponent === 0.5) return `sqrt(${x})`;
  if (exponent < 0) return `1.0 / (${power(x, -exponent, number)})`;
  if (Number.isInteger(exponent) && exponent <= 8) return Array.from({ length: exponent }, () => x).join(' * ');
  const [infinity, size] = [Number.POSITIVE_INFINITY, `abs(${x})`];
  // 1 to any power is 1, even NaN.
  if (Number.isNaN(exponent)) return `select(${quietNaN(x)}, 1.0, ${x} == 1.0)`;
  if (exponent === infinity)
    return keepNaN(x, `select(select(0.0, ${number(infinity)}, ${size} > 1.0), 1.0, ${size} == 1.0)`);
  if (!Number.isInteger(exponent))
    return keepNaN(x, `select(pow(${x}, ${number(exponent)}), ${quietNaN(x)}, ${x} < 0.0)`);
  const product = `pow(${size}, ${number(exponent)})`;
  return exponent % 2 === 0 ? product : `sign(${x}) * ${product}`;
}

export const powOp = /* @__PURE__ */ defineElementwise<PowAttributes>({
  name: 'pow',
  arity: 1,
  expensive: true,
  expression: ([x], { exponent }, number) => power(x, Math.fround(exponent), number),
  gradient: ({ grad, inputs: [x], attributes: { exponent } }) => [
    () => (exponent === 0 ? fullLike(grad, 0) : mul(mul(grad, pow(x, exponent - 1)), exponent)),
  ],
});

/* @__PURE__ */ specifyElementwise(powOp, () => ({
  summary: 'x to a fixed power; NaN for negative x if the exponent is not an integer.',
  compute: ([x], { exponent }) => x ** exponent,
  ranges: [[0.3, 2]],
  attributes: [
    { exponent: 2 },
    { exponent: 3 },
    { exponent: 0.5 },
    { exponent: -1 },
    { exponent: 2.5 },
    { exponent: 0 },
  ],
  // pow is exp2(y · log2 x) on most drivers: errors of 13 ulp were seen.
  tolerance: 3e-6,
}));

/** eˣ. */
export const exp = (x: Tensor): Tensor => applyOne(expOp, [x], {});
/** Natural logarithm. */
export const log = (x: Tensor): Tensor => applyOne(logOp, [x], {});
/** log(1 + x), accurate for small x. */
export const log1p = (x: Tensor): Tensor => applyOne(log1pOp, [x], {});
/** Square root; its gradient at 0 is infinite. */
export const sqrt = (x: Tensor): Tensor => applyOne(sqrtOp, [x], {});
/** −1, 0 or 1. */
export const sign = (x: Tensor): Tensor => applyOne(signOp, [x], {});
/** |x|. */
export const abs = (x: Tensor): Tensor => applyOne(absOp, [x], {});
/** x clamped to [min, max]. */
export const clamp = (x: Tensor, min: number, max: number): Tensor => applyOne(clampOp, [x], { min, max });
/** x to the power of a number. */
export const pow = (x: Tensor, exponent: number): Tensor => applyOne(powOp, [x], { exponent });

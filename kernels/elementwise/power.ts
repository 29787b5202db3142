/** Powers with a fixed exponent, and with a tensor as exponent. */
import type { Tensor } from '../../engine/tensor.ts';
import type { NumberText } from '../../engine/text/expression.ts';
import { mul, sub } from './arithmetic.ts';
import { keepNaN, quietNaN } from './bits.ts';
import { equal, greaterEqual, logicalAnd } from './comparison.ts';
import {
  applyMixed,
  applyOne,
  defineElementwise,
  defineMixed,
  type MixedOperation,
  type Operand,
} from './define-elementwise.ts';
import { fullLike } from './full-like.ts';
import { log } from './functions.ts';
import { POW } from './precise.ts';
import { where } from './selection.ts';
import { specifyElementwise } from './specify-elementwise.ts';

type PowAttributes = { readonly exponent: number };

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

export const powerOp: MixedOperation = /* @__PURE__ */ defineMixed({
  name: 'power',
  operands: ['base', 'exponent'],
  expensive: true,
  declarations: () => POW,
  expression: ([x, y]) => `daybreakPow(${x}, ${y})`,
  gradient: ({ grad, operands: [x, y], output }) => [
    () => where(equal(y, 0), 0, mul(grad, mul(pow(x, sub(y, 1)), y))),
    () => {
      const slope = mul(mul(grad, output), typeof x === 'number' ? Math.log(x) : log(x));
      // 0 to a growing power stays 0: without it, the product would be NaN.
      if (typeof x === 'number') return x === 0 ? where(greaterEqual(y, 0), 0, slope) : slope;
      return where(logicalAnd(equal(x, 0), greaterEqual(y, 0)), 0, slope);
    },
  ],
});

/* @__PURE__ */ specifyElementwise(powerOp, () => ({
  summary: 'A tensor or a number to the power of a tensor, as C defines it: the kernel of pow.',
  compute: ([x, y]) => (x === 1 || y === 0 || (x === -1 && Math.abs(y) === Number.POSITIVE_INFINITY) ? 1 : x ** y),
  ranges: [
    [0.3, 2],
    [-2, 2],
  ],
  attributes: [{}, { base: 1.5 }],
  broadcasts: false,
  // The exponent of e is rounded once more than the driver's exp rounds it.
  tolerance: 2e-6,
}));

/**
 * base raised to exponent, with broadcasting; one of them may be a number. Negative numbers to a power that is no integer are
 * NaN; anything to the power of 0, and 1 to any power, is 1, even for NaN. The relative error is about 1e-6 where the result is
 * between e⁻⁸ and e⁸, and 1e-5 at the ends of the range. Integer exponents up to 8 given as numbers are products.
 */
export const pow = (base: Operand, exponent: Operand): Tensor =>
  typeof base !== 'number' && typeof exponent === 'number'
    ? applyOne(powOp, [base], { exponent })
    : applyMixed(powerOp, [base, exponent]);

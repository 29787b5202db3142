/** Conversions between element types. */
import { apply } from '../../engine/apply.ts';
import { ArgumentError, nameOf } from '../../engine/basics/errors.ts';
import { type DType, isInteger } from '../../engine/basics/shape.ts';
import { type Declaration, defineOp } from '../../engine/define.ts';
import { integersAmong } from '../../engine/graph/element-types.ts';
import { viewOf } from '../../engine/graph/memory-operations.ts';
import type { Elementwise } from '../../engine/graph/operation.ts';
import { requireTensors } from '../../engine/require.ts';
import { specify } from '../../engine/specify.ts';
import type { Tensor } from '../../engine/tensor.ts';
import { lowerElementwise } from '../../engine/text/elementwise.ts';
import { single } from '../../engine/text/expression.ts';
import { isNaNText, isNonzeroText } from './bits.ts';

type CastAttributes = { readonly to: DType };

/** Towards zero, to the nearest bound outside of the range, and 0 for NaN. The bounds are the last floats inside. */
const truncated = (x: string, type: 'i32' | 'u32'): string => {
  const [low, high, least, most] =
    type === 'i32'
      ? ['-2147483648.0', '2147483520.0', 'i32(-2147483648)', '2147483647i']
      : ['0.0', '4294967040.0', '0u', '4294967295u'];
  const inside = `select(select(${type}(clamp(${x}, ${low}, ${high})), ${most}, ${x} > ${high}), ${least}, ${x} < ${low})`;
  return `select(${inside}, ${type}(0), ${isNaNText(x)})`;
};

const castElementwise: Elementwise<CastAttributes> = {
  expression: ([x], { to }) =>
    to === 'bool' ? `select(0.0, 1.0, ${isNonzeroText(x)})` : to === 'f32' ? x : truncated(x, to),
  integers: ([x], { to }) => (to === 'bool' ? `select(0.0, 1.0, ${x} != 0)` : `f32(${x})`),
};

export const castOp: Declaration<CastAttributes> = /* @__PURE__ */ defineOp<CastAttributes>({
  name: 'cast',
  takes: ['any'],
  infer: ([{ shape }], { to }) => [{ shape, dtype: to }],
  lower: ({ inputs, outputs, attributes, baked }, traits) =>
    lowerElementwise(
      {
        name: 'cast',
        expression: single(castElementwise as never, attributes, 1, integersAmong(inputs)),
        inputs,
        output: outputs[0],
        baked,
      },
      traits,
    ),
  elementwise: castElementwise,
  // Whole numbers and conditions are constant almost everywhere.
  gradient: () => [null],
});

const bounded = (low: number, high: number) => (x: number) =>
  Number.isNaN(x) ? 0 : Math.min(Math.max(Math.trunc(x), low), high);

const REFERENCES = {
  i32: bounded(-(2 ** 31), 2 ** 31 - 1),
  u32: bounded(0, 2 ** 32 - 1),
  bool: (x: number) => Number(x !== 0),
  f32: (x: number) => x,
} as const;

/* @__PURE__ */ specify(castOp, () => ({
  summary: 'Another element type: towards zero and to the nearest bound; NaN is 0.',
  reference: ([x], _, { to }) => [x.map(REFERENCES[to])],
  samples: [
    ...(['i32', 'u32', 'bool'] as const).map(to => ({
      inputs: [
        {
          shape: [12],
          values: [
            0,
            -0,
            1.9,
            -1.9,
            3e9,
            -3e9,
            5e9,
            2147483520,
            Number.NaN,
            Number.POSITIVE_INFINITY,
            Number.NEGATIVE_INFINITY,
            1e-45,
          ],
          fixed: true,
        },
      ],
      attributes: { to },
    })),
    ...(['f32', 'bool'] as const).map(to => ({
      inputs: [{ shape: [5], dtype: 'i32' as const, values: [0, -1, 7, -(2 ** 31), 2 ** 31 - 1] }],
      attributes: { to },
    })),
    ...(['f32', 'bool'] as const).map(to => ({
      inputs: [{ shape: [4], dtype: 'u32' as const, values: [0, 7, 2 ** 31, 2 ** 32 - 1] }],
      attributes: { to },
    })),
  ],
  random: choose => ({
    inputs: [{ shape: [choose.integer(1, 99)], range: [-9, 9], fixed: true }],
    attributes: { to: choose.pick(['i32', 'bool'] as const) },
  }),
}));

/** No kernel runs. */
const SAME_BITS = {
  f32: /* @__PURE__ */ viewOf('bitsAsF32', 'f32'),
  i32: /* @__PURE__ */ viewOf('bitsAsI32', 'i32'),
  u32: /* @__PURE__ */ viewOf('bitsAsU32', 'u32'),
} as const;

const TYPES: readonly string[] = ['f32', 'i32', 'u32', 'bool'] satisfies readonly DType[];

/**
 * x as another element type. f32 to i32 or u32 rounds towards zero, and to the nearest bound beyond the range; NaN becomes 0.
 * Whole numbers become f32 rounded to the nearest, from 2²⁴ on. i32 and u32 exchange their bits. To bool: 0 where x is 0, else 1
 * (for NaN too). No gradient flows, except from f32 to itself. Throws ArgumentError for an unknown type. PyTorch's `x.to(dtype)`.
 */
export function cast(x: Tensor, dtype: DType): Tensor {
  requireTensors('cast', x);
  if (!TYPES.includes(dtype))
    throw new ArgumentError(
      'cast',
      `expected a type of ${TYPES.join(', ')}, got ${typeof dtype === 'string' ? dtype : nameOf(dtype)}.`,
    );
  if (x.dtype === dtype) return x.alias();
  const keepsBits = x.dtype === 'bool' ? dtype === 'f32' : isInteger(x.dtype) && isInteger(dtype);
  if (keepsBits && dtype !== 'bool') return apply(SAME_BITS[dtype], [x], {})[0];
  return apply(castOp, [x], { to: dtype })[0];
}

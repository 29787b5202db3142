/** Tensors of indices: i32, u32, or whole numbers in f32. What is no index becomes one that is outside of every axis. */
import { apply } from '../../engine/apply.ts';
import { isInteger, sizeOf, type TensorSpec, u32 } from '../../engine/basics/shape.ts';
import { type Declaration, defineOp } from '../../engine/define.ts';
import { specify } from '../../engine/specify.ts';
import type { Tensor } from '../../engine/tensor.ts';
import { assembleElements } from '../../engine/text/assemble.ts';
import { type AdapterTraits, input, type Lowering, output } from '../../engine/text/kernel.ts';
import { Numbers } from '../../engine/text/numbers.ts';
import { isNaNText } from '../elementwise/bits.ts';
import { cast } from '../elementwise/cast.ts';

/** A kernel that converts each element. */
function lowerConversion(
  name: string,
  { shape }: TensorSpec,
  types: readonly [string, string],
  expression: string,
  baked: boolean,
  traits: AdapterTraits,
): Lowering {
  const kernel = assembleElements(
    {
      name,
      reads: [`x: array<${types[0]}>`],
      writes: [`result: array<${types[1]}>`],
      numbers: new Numbers(baked, { n: sizeOf(shape) }),
      elements: sizeOf(shape),
      count: 'n',
      body: `let value = x[index]; result[index] = ${expression};`,
    },
    traits,
  );
  return { steps: [{ kernel, operands: [input(0), output(0)] }], scratch: [] };
}

/** The largest word, which is outside of every axis. */
const OUTSIDE = 2 ** 32 - 1;

/** Whole numbers as words; the largest word for all others. */
export const wordsOfNumbersOp: Declaration<Record<never, never>> = /* @__PURE__ */ defineOp({
  name: 'wordsOfNumbers',
  infer: ([{ shape }]) => [u32(shape)],
  lower({ inputs, baked }, traits) {
    // 4294967040 is the largest float32 below 2³². NaN by its bits: drivers may assume that there is none.
    const word = 'u32(clamp(value, 0.0, 4294967040.0))';
    const isWhole = `value >= 0.0 && value <= 4294967040.0 && floor(value) == value && !(${isNaNText('value')})`;
    const expression = `select(${OUTSIDE}u, ${word}, ${isWhole})`;
    return lowerConversion('wordsOfNumbers', inputs[0], ['f32', 'u32'], expression, baked, traits);
  },
});

/* @__PURE__ */ specify(wordsOfNumbersOp, () => ({
  summary: 'Whole numbers as u32, the largest for what is none: how numbers become indices.',
  reference: ([x]) => [x.map(value => (Number.isInteger(value) && value >= 0 && value < 2 ** 32 ? value : OUTSIDE))],
  samples: [
    {
      inputs: [
        {
          shape: [9],
          values: [0, -0, 3, 2 ** 24, 2 ** 31, 0.5, -1, Number.NaN, Number.POSITIVE_INFINITY],
          fixed: true,
        },
      ],
      attributes: {},
    },
  ],
  random: choose => ({
    inputs: [{ shape: [9], values: Array.from({ length: 9 }, () => choose.integer(-2, 99) / choose.pick([1, 1, 2])) }],
    attributes: {},
  }),
}));

/** Indices as words; negative ones are outside of every axis. */
export const indexWords = (index: Tensor): Tensor =>
  index.dtype === 'u32'
    ? index.alias()
    : index.dtype === 'i32'
      ? cast(index, 'u32')
      : apply(wordsOfNumbersOp, [index], {})[0];

/** Indices as numbers. */
export const indexNumbers = (index: Tensor): Tensor => (isInteger(index.dtype) ? cast(index, 'f32') : index.alias());

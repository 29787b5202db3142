/**
 * Memory operations that the graph itself needs: assigning to a variable, reading a range of a variable, and
 * concatenating variables. No gradient flows through them.
 */
import { type DType, formatShape, type Shape, sizeOf, type TensorSpec } from '../basics/shape.ts';
import { assembleElements } from '../text/assemble.ts';
import { input, output } from '../text/kernel.ts';
import { Numbers } from '../text/numbers.ts';
import type { Operation } from './operation.ts';
import { ROW } from './value.ts';

/** Element offsets of tensors of these shapes when concatenated: each starts where WebGPU can bind it. */
export function packLayout(shapes: readonly Shape[]): { readonly offsets: readonly number[]; readonly total: number } {
  let total = 0;
  const offsets = shapes.map(shape => {
    const offset = total;
    total += Math.ceil(sizeOf(shape) / ROW) * ROW;
    return offset;
  });
  return { offsets, total };
}

/** An operation whose output is input 0, or its bits as another type: no kernel runs. Further inputs are there for its gradient. */
export const viewOf = (name: string, dtype?: DType): Operation<Readonly<Record<never, never>>> => ({
  name,
  takes: ['any'],
  infer: ([x]) => [dtype ? { ...x, dtype } : x],
  view: { offset: () => 0 },
  lower: () => ({ steps: [], scratch: [] }),
});

/** The value of a variable after an assignment. */
export const assignOp = /* @__PURE__ */ viewOf('assign');

type RangeAttributes = { readonly offset: number; readonly shape: Shape };

/** The elements of a tensor from `offset` (a multiple of {@link ROW}) on, with another shape: no kernel runs. */
export const rangeOp: Operation<RangeAttributes> = {
  name: 'range',
  takes: ['any'],
  infer([x], { offset, shape }): TensorSpec[] {
    if (offset % ROW !== 0 || offset + sizeOf(shape) > sizeOf(x.shape))
      throw new RangeError(`range: ${formatShape(shape)} at ${offset} is outside of ${formatShape(x.shape)}.`);
    return [{ shape, dtype: x.dtype }];
  },
  view: { offset: ({ offset }) => offset },
  lower: () => ({ steps: [], scratch: [] }),
};

/** Concatenates tensors with the layout of {@link packLayout}; gaps are zeros. */
export const sideBySideOp: Operation<Readonly<Record<never, never>>> = {
  name: 'sideBySide',
  takes: ['any'],
  infer: inputs => [{ shape: [packLayout(inputs.map(({ shape }) => shape)).total], dtype: inputs[0].dtype }],
  lower({ inputs }, traits) {
    const { offsets } = packLayout(inputs.map(({ shape }) => shape));
    // Copies bits, whatever the element type.
    const steps = inputs.map(({ shape }, i) => {
      const numbers = new Numbers(false, { n: sizeOf(shape), offset: offsets[i] });
      const kernel = assembleElements(
        {
          name: 'sideBySide',
          reads: ['x: array<u32>'],
          writes: ['result: array<u32>'],
          numbers,
          elements: sizeOf(shape),
          count: 'n',
          body: 'result[offset + index] = x[index];',
        },
        traits,
      );
      return { kernel, operands: [input(i), output(0)] };
    });
    return { steps, scratch: [] };
  },
  packOffsets: (_, inputs) => packLayout(inputs.map(({ shape }) => shape)).offsets,
};

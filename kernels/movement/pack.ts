/** Many tensors in one buffer, so that one dispatch can update them all. */
import { apply } from '../../engine/apply.ts';
import { DaybreakError } from '../../engine/basics/errors.ts';
import { f32, type Shape, sizeOf } from '../../engine/basics/shape.ts';
import { type Declaration, defineOp } from '../../engine/define.ts';
import { BINDING_ALIGNMENT } from '../../engine/device/memory.ts';
import { specify } from '../../engine/specify.ts';
import type { Tensor } from '../../engine/tensor.ts';
import { assembleElements } from '../../engine/text/assemble.ts';
import { input, output } from '../../engine/text/kernel.ts';
import { Numbers } from '../../engine/text/numbers.ts';

const ALIGNMENT = BINDING_ALIGNMENT / 4;

/** Where tensors of these shapes lie in a packed buffer, in elements: each from a place that WebGPU can bind. */
export function packLayout(shapes: readonly Shape[]): { readonly offsets: readonly number[]; readonly total: number } {
  let total = 0;
  const offsets = shapes.map(shape => {
    const offset = total;
    total += Math.ceil(sizeOf(shape) / ALIGNMENT) * ALIGNMENT;
    return offset;
  });
  return { offsets, total };
}

/** Copies that the planner leaves out where a tensor's producer can write into its place directly; gaps stay zero. */
export const packOp: Declaration<Record<never, never>> = /* @__PURE__ */ defineOp<Record<never, never>>({
  name: 'pack',
  infer: inputs => [f32([packLayout(inputs.map(({ shape }) => shape)).total])],
  lower({ inputs }, traits) {
    const { offsets } = packLayout(inputs.map(({ shape }) => shape));
    const steps = inputs.map(({ shape }, i) => {
      const numbers = new Numbers(false, { n: sizeOf(shape), offset: offsets[i] });
      const body = 'result[offset + index] = x[index];';
      const kernel = assembleElements(
        { name: 'pack', reads: ['x'], numbers, elements: sizeOf(shape), count: 'n', body },
        traits,
      );
      return { kernel, operands: [input(i), output(0)] };
    });
    return { steps, scratch: [] };
  },
  packOffsets: (_, inputs) => packLayout(inputs.map(({ shape }) => shape)).offsets,
});

/* @__PURE__ */ specify(packOp, () => ({
  summary: 'Tensors side by side in one buffer, with gaps of zeros.',
  reference(inputs, shapes) {
    const { offsets, total } = packLayout(shapes);
    const y = new Float64Array(total);
    inputs.forEach((x, i) => {
      y.set(x, offsets[i]);
    });
    return [y];
  },
  samples: [{ inputs: [{ shape: [3] }, { shape: [65] }, { shape: [2, 2] }], attributes: {} }],
  random: choose => ({
    inputs: Array.from({ length: choose.integer(1, 5) }, () => ({
      shape: [choose.pick([1, 7, 64, 100]), choose.integer(1, 3)],
    })),
    attributes: {},
  }),
}));

/** All tensors in one of rank 1, laid out as {@link packLayout} says. */
export const pack = (tensors: readonly Tensor[]): Tensor => apply(packOp, tensors, {})[0];

type PartAttributes = { readonly offset: number; readonly shape: Shape };

export const partOp: Declaration<PartAttributes> = /* @__PURE__ */ defineOp<PartAttributes>({
  name: 'part',
  view: { offset: ({ offset }) => offset },
  infer([x], { offset, shape }) {
    if (offset % ALIGNMENT !== 0 || offset + sizeOf(shape) > sizeOf(x.shape))
      throw new DaybreakError(
        `part: offset ${offset} and shape [${shape.join(', ')}] do not lie in a buffer of ${sizeOf(x.shape)}.`,
      );
    return [f32(shape)];
  },
  lower: () => ({ steps: [], scratch: [] }),
});

/* @__PURE__ */ specify(partOp, () => ({
  summary: 'One tensor of a packed buffer, without a copy.',
  reference: ([x], _, { offset, shape }) => [x.slice(offset, offset + sizeOf(shape))],
  samples: [{ inputs: [{ shape: [200] }], attributes: { offset: 64, shape: [3, 5] } }],
  random: choose => ({
    inputs: [{ shape: [300] }],
    attributes: { offset: 64 * choose.integer(0, 3), shape: [choose.integer(1, 20), 5] },
  }),
}));

/** The tensor of `shape` from element `offset` of a packed buffer. */
export const part = (x: Tensor, offset: number, shape: Shape): Tensor => apply(partOp, [x], { offset, shape })[0];

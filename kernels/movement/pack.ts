/** Packs tensors into one buffer, so that one dispatch can update them all. */
import { apply } from '../../engine/apply.ts';
import { type Shape, sizeOf } from '../../engine/basics/shape.ts';
import { type Declaration, defineOp } from '../../engine/define.ts';
import { packLayout, rangeOp, sideBySideOp } from '../../engine/graph/memory-operations.ts';
import { specify } from '../../engine/specify.ts';
import type { Tensor } from '../../engine/tensor.ts';
import { words } from '../references.ts';

/** Copies, which the planner omits where a tensor's producer can write to the packed buffer directly; gaps stay zero. */
export const packOp: Declaration<Record<never, never>> = /* @__PURE__ */ defineOp({ ...sideBySideOp, name: 'pack' });

/* @__PURE__ */ specify(packOp, () => ({
  summary: 'Packs tensors into one buffer, with zeros in the gaps.',
  reference(inputs, shapes) {
    const { offsets, total } = packLayout(shapes);
    const y = new Float64Array(total);
    inputs.forEach((x, i) => {
      y.set(x, offsets[i]);
    });
    return [y];
  },
  samples: [
    { inputs: [{ shape: [3] }, { shape: [65] }, { shape: [2, 2] }], attributes: {} },
    { inputs: [words([3]), words([70])], attributes: {} },
  ],
  random: choose => ({
    inputs: Array.from({ length: choose.integer(1, 5) }, () => ({
      shape: [choose.pick([1, 7, 64, 100]), choose.integer(1, 3)],
    })),
    attributes: {},
  }),
}));

/** Packs all tensors into one of rank 1, with the layout of {@link packLayout}. */
export const pack = (tensors: readonly Tensor[]): Tensor => apply(packOp, tensors, {})[0];

type PartAttributes = { readonly offset: number; readonly shape: Shape };

export const partOp: Declaration<PartAttributes> = /* @__PURE__ */ defineOp<PartAttributes>({
  ...rangeOp,
  name: 'part',
});

/* @__PURE__ */ specify(partOp, () => ({
  summary: 'One tensor of a packed buffer, without a copy.',
  reference: ([x], _, { offset, shape }) => [x.slice(offset, offset + sizeOf(shape))],
  samples: [
    { inputs: [{ shape: [200] }], attributes: { offset: 64, shape: [3, 5] } },
    { inputs: [words([200])], attributes: { offset: 128, shape: [7] } },
  ],
  random: choose => ({
    inputs: [{ shape: [300] }],
    attributes: { offset: 64 * choose.integer(0, 3), shape: [choose.integer(1, 20), 5] },
  }),
}));

/** The tensor of `shape` at element `offset` of a packed buffer. */
export const part = (x: Tensor, offset: number, shape: Shape): Tensor => apply(partOp, [x], { offset, shape })[0];

/** Batches of crops from pictures that rest on the GPU as bytes. */
import { apply } from '../engine/apply.ts';
import { type Declaration, defineOp } from '../engine/define.ts';
import { grid, input, type Operand, output, type Step } from '../engine/kernel.ts';
import { f32 } from '../engine/shape.ts';
import type { Tensor } from '../engine/tensor.ts';

/** Words of a crop's plan: chunk, HR offset, HR width, LR offset, LR width (offsets in bytes), x, y (LR pixels), orientation. */
export const CROP_WORDS = 8;

export type CropAttributes = {
  readonly batch: number;
  /** Side of an LR crop; HR crops are four times that. */
  readonly side: number;
};

/** One side of the pair. Orientation: bit 0 mirrors columns, bit 1 rows, bit 2 exchanges rows and columns. */
function gather(chunk: number, pictures: number, side: number, batch: number, high: boolean, target: Operand): Step {
  const scale = high ? 4 : 1;
  const size = side * scale;
  const count = batch * 3 * size * size;
  const wgsl = `@group(0) @binding(0) var<storage, read> bytes: array<u32>;
@group(0) @binding(1) var<storage, read> plan: array<u32>;
@group(0) @binding(2) var<storage, read_write> result: array<f32>;
@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) id: vec3u, @builtin(num_workgroups) num: vec3u, @builtin(local_invocation_index) lane: u32) {
  for (var k = 0u; k < 16u; k++) {
    let index = ((id.y * num.x + id.x) * 16u + k) * 64u + lane;
    if (index >= ${count}u) { return; }
    let crop = index / ${3 * size * size}u * ${CROP_WORDS}u;
    if (plan[crop] != ${chunk}u) { continue; }
    let channel = index / ${size * size}u % 3u;
    var row = index / ${size}u % ${size}u;
    var column = index % ${size}u;
    let orientation = plan[crop + 7u];
    if ((orientation & 4u) != 0u) { let kept = row; row = column; column = kept; }
    if ((orientation & 2u) != 0u) { row = ${size - 1}u - row; }
    if ((orientation & 1u) != 0u) { column = ${size - 1}u - column; }
    let y = plan[crop + 6u] * ${scale}u + row;
    let x = plan[crop + 5u] * ${scale}u + column;
    let at = plan[crop + ${high ? 1 : 3}u] + (y * plan[crop + ${high ? 2 : 4}u] + x) * 3u + channel;
    let byte = f32((bytes[at / 4u] >> (at % 4u * 8u)) & 255u);
    result[index] = ${high ? 'byte / 127.5 - 1.0' : 'byte / 255.0'};
  }
}`;
  const kernel = {
    name: `crops ${high ? 'HR' : 'LR'}`,
    wgsl,
    bindings: ['read' as const, 'read' as const, 'write' as const],
    workgroups: grid(Math.ceil(count / 1024)),
  };
  return { kernel, operands: [input(chunk), input(pictures), target] };
}

/** Inputs: chunks of bytes (u32 words), then the plan [batch, 8] (u32). Outputs: LR in [0, 1], HR in [-1, 1]. */
export const cropsOp: Declaration<CropAttributes> = defineOp<CropAttributes>({
  name: 'crops',
  summary: 'LR and HR crops of pictures kept as bytes, as floats, mirrored and turned as planned.',
  infer: (_, { batch, side }) => [f32([batch, 3, side, side]), f32([batch, 3, 4 * side, 4 * side])],
  lower({ inputs, attributes: { batch, side } }) {
    const chunks = inputs.length - 1;
    const steps = Array.from({ length: chunks }, (_, chunk) => [
      gather(chunk, chunks, side, batch, false, output(0)),
      gather(chunk, chunks, side, batch, true, output(1)),
    ]).flat();
    return { steps, scratch: [] };
  },
  reference() {
    throw new Error('crops reads bytes: its test stands in test/train/crops.test.ts.');
  },
  samples: [],
  random: () => {
    throw new Error('crops reads bytes: its test stands in test/train/crops.test.ts.');
  },
});

/** LR [batch, 3, side, side] in [0, 1] and HR [batch, 3, 4·side, 4·side] in [-1, 1]. */
export function crops(chunks: readonly Tensor[], plan: Tensor, attributes: CropAttributes): { lr: Tensor; hr: Tensor } {
  const [lr, hr] = apply(cropsOp, [...chunks, plan], attributes);
  return { lr: lr!, hr: hr! };
}

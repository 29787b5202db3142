/** Batches of crops from pictures that rest on the GPU as bytes. */
import { apply } from '../../engine/apply.ts';
import { f32 } from '../../engine/basics/shape.ts';
import { type Declaration, defineOp } from '../../engine/define.ts';
import type { Tensor } from '../../engine/tensor.ts';
import { assembleElements } from '../../engine/text/assemble.ts';
import { type AdapterTraits, input, type Operand, output, type Step } from '../../engine/text/kernel.ts';
import { Numbers } from '../../engine/text/numbers.ts';

/** Words of a crop's plan: chunk, HR offset, HR width, LR offset, LR width (offsets in bytes), x, y (LR pixels), orientation. */
export const CROP_WORDS = 8;

export type CropAttributes = {
  readonly batch: number;
  /** Side of an LR crop; HR crops are four times that. */
  readonly side: number;
};

/** One side of the pair. Orientation: bit 0 mirrors columns, bit 1 rows, bit 2 exchanges rows and columns. */
function gather(
  chunk: number,
  plan: number,
  side: number,
  batch: number,
  high: boolean,
  target: Operand,
  traits: AdapterTraits,
): Step {
  const scale = high ? 4 : 1;
  const size = side * scale;
  const elements = batch * 3 * size * size;
  const body = `let element = u32(index);
    let crop = element / ${3 * size * size}u * ${CROP_WORDS}u;
    if (plan[crop] != ${chunk}u) { continue; }
    let channel = element / ${size * size}u % 3u;
    var row = element / ${size}u % ${size}u;
    var column = element % ${size}u;
    let orientation = plan[crop + 7u];
    if ((orientation & 4u) != 0u) { let kept = row; row = column; column = kept; }
    if ((orientation & 2u) != 0u) { row = ${size - 1}u - row; }
    if ((orientation & 1u) != 0u) { column = ${size - 1}u - column; }
    let y = plan[crop + 6u] * ${scale}u + row;
    let x = plan[crop + 5u] * ${scale}u + column;
    let at = plan[crop + ${high ? 1 : 3}u] + (y * plan[crop + ${high ? 2 : 4}u] + x) * 3u + channel;
    let byte = f32((bytes[at / 4u] >> (at % 4u * 8u)) & 255u);
    result[index] = ${high ? 'byte / 127.5 - 1.0' : 'byte / 255.0'};`;
  const kernel = assembleElements(
    {
      name: `crops ${high ? 'HR' : 'LR'}`,
      reads: ['bytes: array<u32>', 'plan: array<u32>'],
      numbers: new Numbers(true, {}),
      elements,
      count: String(elements),
      body,
    },
    traits,
  );
  return { kernel, operands: [input(chunk), input(plan), target] };
}

/** Inputs: chunks of bytes (u32 words), then the plan [batch, 8] (u32). Outputs: LR in [0, 1], HR in [-1, 1]. */
export const cropsOp: Declaration<CropAttributes> = defineOp<CropAttributes>({
  name: 'crops',
  summary: 'LR and HR crops of pictures kept as bytes, as floats, mirrored and turned as planned.',
  infer: (_, { batch, side }) => [f32([batch, 3, side, side]), f32([batch, 3, 4 * side, 4 * side])],
  lower({ inputs, attributes: { batch, side } }, traits) {
    const chunks = inputs.length - 1;
    const steps = Array.from({ length: chunks }, (_, chunk) => [
      gather(chunk, chunks, side, batch, false, output(0), traits),
      gather(chunk, chunks, side, batch, true, output(1), traits),
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

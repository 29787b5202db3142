/** Gathers batches of crops from pictures that are stored on the GPU as bytes. */
import { apply } from '../../engine/apply.ts';
import { f32 } from '../../engine/basics/shape.ts';
import { type Declaration, defineOp } from '../../engine/define.ts';
import { type Sample, specify } from '../../engine/specify.ts';
import type { Tensor } from '../../engine/tensor.ts';
import { assembleElements } from '../../engine/text/assemble.ts';
import { type AdapterTraits, input, type Operand, output, type Step } from '../../engine/text/kernel.ts';
import { Numbers } from '../../engine/text/numbers.ts';

/** Words per crop: chunk, HR offset, HR width, LR offset, LR width (offsets in bytes), x, y (LR pixels), orientation. */
export const CROP_WORDS = 8;

export type CropAttributes = {
  readonly batch: number;
  /** Width and height of an LR crop; HR crops are four times as large. */
  readonly side: number;
};

/** Gathers LR or HR crops. Orientation: bit 0 mirrors columns, bit 1 rows, bit 2 swaps rows and columns. */
function gather(
  chunk: number,
  plan: number,
  { side, batch }: CropAttributes,
  high: boolean,
  target: Operand,
  baked: boolean,
  traits: AdapterTraits,
): Step {
  const size = side * (high ? 4 : 1);
  const elements = batch * 3 * size * size;
  const body = `let size = u32(side);
    let element = u32(index);
    let crop = element / (3u * size * size) * ${CROP_WORDS}u;
    if (plan[crop] != u32(chunk)) { continue; }
    let channel = element / (size * size) % 3u;
    var row = element / size % size;
    var column = element % size;
    let orientation = plan[crop + 7u];
    if ((orientation & 4u) != 0u) { let kept = row; row = column; column = kept; }
    if ((orientation & 2u) != 0u) { row = size - 1u - row; }
    if ((orientation & 1u) != 0u) { column = size - 1u - column; }
    let y = plan[crop + 6u] * ${high ? 4 : 1}u + row;
    let x = plan[crop + 5u] * ${high ? 4 : 1}u + column;
    let at = plan[crop + ${high ? 1 : 3}u] + (y * plan[crop + ${high ? 2 : 4}u] + x) * 3u + channel;
    let byte = f32((bytes[at / 4u] >> (at % 4u * 8u)) & 255u);
    result[index] = ${high ? 'byte / 127.5 - 1.0' : 'byte / 255.0'};`;
  const kernel = assembleElements(
    {
      name: `crops ${high ? 'HR' : 'LR'}`,
      reads: ['bytes: array<u32>', 'plan: array<u32>'],
      numbers: new Numbers(baked, { n: elements, side: size, chunk }),
      elements,
      count: 'n',
      body,
    },
    traits,
  );
  return { kernel, operands: [input(chunk), input(plan), target] };
}

/** Inputs: chunks of bytes (u32 words), then the plan [batch, 8] (u32). Outputs: LR in [0, 1], HR in [-1, 1]. */
export const cropsOp: Declaration<CropAttributes> = /* @__PURE__ */ defineOp<CropAttributes>({
  name: 'crops',
  takes: ['u32'],
  infer: (_, { batch, side }) => [f32([batch, 3, side, side]), f32([batch, 3, 4 * side, 4 * side])],
  lower({ inputs, attributes, baked }, traits) {
    const chunks = inputs.length - 1;
    const steps = Array.from({ length: chunks }, (_, chunk) => [
      gather(chunk, chunks, attributes, false, output(0), baked, traits),
      gather(chunk, chunks, attributes, true, output(1), baked, traits),
    ]).flat();
    return { steps, scratch: [] };
  },
});

/* @__PURE__ */ specify(cropsOp, () => ({
  summary: 'LR and HR crops of pictures stored as bytes, as floats, mirrored and rotated as planned.',
  reference(inputs, _, { batch, side }) {
    const plan = inputs.at(-1)!;
    const cropsOf = (scale: 1 | 4) =>
      Array.from({ length: batch }, (_, crop) => {
        const [chunk, hrOffset, hrWidth, lrOffset, lrWidth, x, y, orientation] = plan.subarray(crop * CROP_WORDS);
        const [offset, width] = scale === 4 ? [hrOffset, hrWidth] : [lrOffset, lrWidth];
        const square = cut(inputs[chunk], offset, width, [x * scale, y * scale, side * scale], orientation);
        return [0, 1, 2].flatMap(channel => square.flat().map(pixel => pixel[channel]));
      }).flat();
    return [Float64Array.from(cropsOf(1), byte => byte / 255), Float64Array.from(cropsOf(4), byte => byte / 127.5 - 1)];
  },
  samples: [
    // Every orientation, at the corners of two pictures in two buffers.
    sampleOf(
      2,
      [
        [5, 3],
        [2, 4],
      ],
      Array.from({ length: 8 }, (_, orientation) => {
        const picture = orientation % 2;
        const [right, down] = [orientation & 2, orientation & 4];
        return { picture, x: right && picture === 0 ? 3 : 0, y: down ? 1 + picture : 0, orientation };
      }),
    ),
    sampleOf(1, [[1, 1]], [{ picture: 0, x: 0, y: 0, orientation: 0 }]),
  ],
  random(choose) {
    const side = choose.integer(1, 3);
    const sizes = Array.from({ length: choose.integer(1, 3) }, () => [
      side + choose.integer(0, 4),
      side + choose.integer(0, 4),
    ]);
    const crops = Array.from({ length: choose.integer(1, 4) }, () => {
      const picture = choose.integer(0, sizes.length - 1);
      const [width, height] = sizes[picture];
      const [x, y] = [choose.integer(0, width - side), choose.integer(0, height - side)];
      return { picture, x, y, orientation: choose.integer(0, 7) };
    });
    return sampleOf(side, sizes, crops);
  },
}));

/** The pixels of a square of a picture in `words`, by rows. Mirrors first, then swaps rows and columns. */
function cut(
  words: Float64Array,
  offset: number,
  width: number,
  [x, y, side]: readonly number[],
  orientation: number,
): number[][][] {
  const byteAt = (at: number) => Math.floor(words[Math.floor(at / 4)] / 256 ** (at % 4)) % 256;
  const numbers = Array.from({ length: side }, (_, i) => i);
  const rows = numbers.map(row =>
    numbers.map(column => [0, 1, 2].map(channel => byteAt(offset + ((y + row) * width + x + column) * 3 + channel))),
  );
  const columnsMirrored = orientation & 1 ? rows.map(row => row.toReversed()) : rows;
  const mirrored = orientation & 2 ? columnsMirrored.toReversed() : columnsMirrored;
  return orientation & 4 ? numbers.map(column => mirrored.map(row => row[column])) : mirrored;
}

/** Crops of pictures with these LR sizes and random bytes. Each picture has its own buffer, HR before LR. */
function sampleOf(
  side: number,
  sizes: readonly (readonly number[])[],
  crops: readonly { picture: number; x: number; y: number; orientation: number }[],
): Sample<CropAttributes> {
  /** Bytes before the first picture. */
  const hrOffset = 3;
  const lrOffset = (picture: number) => hrOffset + 48 * sizes[picture][0] * sizes[picture][1];
  const chunks = sizes.map(([width, height], picture) => ({
    shape: [Math.ceil((lrOffset(picture) + 3 * width * height) / 4)],
    dtype: 'u32' as const,
    range: [0, 2 ** 32] as const,
  }));
  const words = crops.flatMap(({ picture, x, y, orientation }) => {
    const [width] = sizes[picture];
    return [picture, hrOffset, 4 * width, lrOffset(picture), width, x, y, orientation];
  });
  const plan = { shape: [crops.length, CROP_WORDS], dtype: 'u32' as const, values: words };
  return { inputs: [...chunks, plan], attributes: { batch: crops.length, side } };
}

/** LR [batch, 3, side, side] in [0, 1] and HR [batch, 3, 4·side, 4·side] in [-1, 1]. */
export function crops(chunks: readonly Tensor[], plan: Tensor, attributes: CropAttributes): { lr: Tensor; hr: Tensor } {
  const [lr, hr] = apply(cropsOp, [...chunks, plan], attributes);
  return { lr: lr, hr: hr };
}

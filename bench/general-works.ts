/** Work of `bench kernels` that SRGAN has none of: what other networks are made of, at the size of a middle layer. */
import type { Shape } from '../engine/basics/shape.ts';
import { sizeOf } from '../engine/basics/shape.ts';
import type { Tensor } from '../engine/tensor.ts';
import * as ops from '../kernels/index.ts';
import { gradientsGiven } from './given-gradient.ts';
import { BYTES_GROUP, type KernelWork } from './kernel-works.ts';

/** Heading in the tables. */
export const GENERAL_GROUP = 'Other networks';

const CHANNELS = 64;
const GROUPS = 8;

interface Layer {
  readonly work: string;
  readonly inputs: readonly Shape[];
  readonly output: Shape;
  /** Multiply-adds for an element of the result; absent if memory is the limit. */
  readonly terms?: number;
  readonly forward: (...inputs: Tensor[]) => Tensor;
}

/** For batches of `batch` images, whose layers have crop / 4 pixels on each side. */
export function generalWorks(batch: number, crop: number): KernelWork[] {
  const side = crop / 4;
  const image = [batch, CHANNELS, side, side];
  const rows = [batch * side, side, CHANNELS];
  const layers: Layer[] = [
    {
      work: `depthwise conv 3x3 on ${image.join('x')}`,
      inputs: [image, [CHANNELS, 1, 3, 3]],
      output: image,
      forward: (x, k) => ops.conv2d(x, k, undefined, { padding: 1, groups: CHANNELS }),
    },
    {
      work: `conv 3x3 dilated by 2 ${CHANNELS}>${CHANNELS} on ${image.join('x')}`,
      inputs: [image, [CHANNELS, CHANNELS, 3, 3]],
      output: image,
      terms: 9 * CHANNELS,
      forward: (x, k) => ops.conv2d(x, k, undefined, { padding: 2, dilation: 2 }),
    },
    {
      work: `conv 3x3 in ${GROUPS} groups ${CHANNELS}>${CHANNELS} on ${image.join('x')}`,
      inputs: [image, [CHANNELS, CHANNELS / GROUPS, 3, 3]],
      output: image,
      terms: (9 * CHANNELS) / GROUPS,
      forward: (x, k) => ops.conv2d(x, k, undefined, { padding: 1, groups: GROUPS }),
    },
    {
      work: `transposed conv 4x4 s2 ${CHANNELS}>${CHANNELS} on ${image.join('x')}`,
      inputs: [image, [CHANNELS, CHANNELS, 4, 4]],
      output: [batch, CHANNELS, 2 * side, 2 * side],
      // Each element of the result reads a quarter of the kernel.
      terms: 4 * CHANNELS,
      forward: (x, k) => ops.convTranspose2d(x, k, undefined, { stride: 2, padding: 1 }),
    },
    {
      work: `batched product of ${rows.join('x')} and its transpose`,
      inputs: [rows, [batch * side, CHANNELS, side]],
      output: [batch * side, side, side],
      terms: CHANNELS,
      forward: (a, b) => ops.matmul(a, b),
    },
    {
      work: `softmax of ${rows.join('x')}`,
      inputs: [rows],
      output: rows,
      forward: x => ops.softmax(x),
    },
    {
      work: `layer norm of ${rows.join('x')}`,
      inputs: [rows, [CHANNELS], [CHANNELS]],
      output: rows,
      forward: (x, weight, bias) => ops.layerNorm(x, [CHANNELS], { weight, bias }),
    },
    {
      work: `group norm (8 groups) of ${image.join('x')}`,
      inputs: [image, [CHANNELS], [CHANNELS]],
      output: image,
      forward: (x, weight, bias) => ops.groupNorm(x, 8, { weight, bias }),
    },
  ];
  return layers.flatMap(passesOf);
}

function passesOf({ work, inputs, output, terms, forward }: Layer): KernelWork[] {
  const group = terms === undefined ? BYTES_GROUP : GENERAL_GROUP;
  const flops = terms === undefined ? undefined : 2 * terms * sizeOf(output);
  // Each gradient takes as many multiply-adds as the result.
  const timesOf = (passes: number) => (flops === undefined ? {} : { flops: passes * flops });
  return [
    { group, work, pass: 'forward', inputs, body: (...given) => [forward(...given)], ...timesOf(1) },
    {
      group,
      work,
      pass: 'forward+grads',
      inputs: [...inputs, output],
      body: (...given) => {
        const [upstream, ...own] = [given.at(-1)!, ...given.slice(0, -1)];
        const y = forward(...own);
        return [y, ...gradientsGiven(y, upstream, own)];
      },
      ...timesOf(1 + inputs.length),
    },
  ];
}

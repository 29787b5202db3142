/** ONNX's convolutions, pools and resizing by Daybreak's. */

import type { Tensor } from '../../index.ts';
import * as ops from '../../index.ts';
import { type Inputs, type Operator, refuse } from './inputs.ts';

/** Padding of convolutions and pools as [[top, bottom], [left, right]]. */
export function windowOf(inputs: Inputs, kernel: readonly number[], size: readonly number[]) {
  const rank = kernel.length;
  if (rank > 2) refuse('three spatial dimensions');
  const stride = inputs.ints('strides') ?? kernel.map(() => 1);
  const dilation = inputs.ints('dilations') ?? kernel.map(() => 1);
  const auto = inputs.text('auto_pad', 'NOTSET');
  const pads = inputs.ints('pads') ?? kernel.flatMap(() => [0, 0]);
  const padding = kernel.map((k, i): [number, number] => {
    if (auto === 'NOTSET') return [pads[i], pads[rank + i]];
    if (auto === 'VALID') return [0, 0];
    const total = Math.max(0, (Math.ceil(size[i] / stride[i]) - 1) * stride[i] + (k - 1) * dilation[i] + 1 - size[i]);
    const less = Math.floor(total / 2);
    return auto === 'SAME_UPPER' ? [less, total - less] : [total - less, less];
  });
  const two = <T>(values: readonly T[], one: T): [T, T] => (rank === 1 ? [one, values[0]] : [values[0], values[1]]);
  return {
    rank,
    stride: two(stride, 1),
    dilation: two(dilation, 1),
    padding: two<[number, number]>(padding, [0, 0]),
    kernel: two(kernel, 1),
  };
}
/** [N, C, W] as [N, C, 1, W]. */
export const planar = (x: Tensor, rank: number): Tensor => (rank === 1 ? ops.unsqueeze(x, 2) : x);
export const linear = (y: Tensor, rank: number): Tensor => (rank === 1 ? ops.squeeze(y, [2]) : y);

export function conv(inputs: Inputs): Tensor {
  const kernel = inputs.ints('kernel_shape') ?? inputs.shape(1).slice(2);
  const w = windowOf(inputs, kernel, inputs.shape().slice(2));
  const y = ops.conv2d(planar(inputs.at(0), w.rank), planar(inputs.at(1), w.rank), inputs.maybe(2), {
    stride: w.stride,
    padding: w.padding,
    dilation: w.dilation,
    groups: inputs.int('group', 1),
  });
  return linear(y, w.rank);
}

export function convTranspose(inputs: Inputs): Tensor {
  const kernel = inputs.ints('kernel_shape') ?? inputs.shape(1).slice(2);
  if (kernel.length !== 2 && kernel.length !== 1) refuse('three spatial dimensions');
  const rank = kernel.length;
  const fill = (name: string, value: number) => inputs.ints(name) ?? kernel.map(() => value);
  const [stride, dilation, extra] = [fill('strides', 1), fill('dilations', 1), fill('output_padding', 0)];
  const pads = inputs.ints('pads') ?? [...kernel, ...kernel].map(() => 0);
  const full = kernel.map((k, i) => (inputs.shape()[2 + i] - 1) * stride[i] + (k - 1) * dilation[i] + 1 + extra[i]);
  const auto = inputs.text('auto_pad', 'NOTSET');
  const wanted =
    inputs.ints('output_shape')?.slice(-rank) ??
    (auto.startsWith('SAME') ? kernel.map((_, i) => inputs.shape()[2 + i] * stride[i]) : undefined);
  const [before, after] = [pads.slice(0, rank), pads.slice(rank)];
  if (wanted)
    wanted.forEach((size, i) => {
      const total = full[i] - size;
      const less = Math.floor(total / 2);
      [before[i], after[i]] = auto === 'SAME_UPPER' ? [less, total - less] : [total - less, less];
    });
  const two = (values: readonly number[], one: number): [number, number] =>
    rank === 1 ? [one, values[0]] : [values[0], values[1]];
  const y = ops.convTranspose2d(planar(inputs.at(0), rank), planar(inputs.at(1), rank), inputs.maybe(2), {
    stride: two(stride, 1),
    dilation: two(dilation, 1),
    outputPadding: two(
      kernel.map((_, i) => (extra[i] < Math.max(stride[i], dilation[i]) ? extra[i] : refuse('output_padding'))),
      0,
    ),
    groups: inputs.int('group', 1),
  });
  // The padding of a transposed convolution crops.
  const [top, bottom, left, right] =
    rank === 1 ? [0, 0, before[0], after[0]] : [before[0], after[0], before[1], after[1]];
  const [n, c, h, v] = y.shape;
  if (before.some(p => p < 0) || after.some(p => p < 0)) {
    const grow = [
      [0, 0],
      [0, 0],
      [Math.max(0, -top), Math.max(0, -bottom)],
      [Math.max(0, -left), Math.max(0, -right)],
    ] as const;
    if (inputs.has(2)) refuse('growing a biased result');
    return linear(ops.pad(y, grow), rank);
  }
  return linear(ops.slice(y, [0, 0, top, left], [n, c, h - bottom, v - right]), rank);
}

export const pool =
  (kind: 'max' | 'avg'): Operator =>
  inputs => {
    if (inputs.outputs > 1) refuse('indices');
    if (inputs.int('storage_order', 0)) refuse('column-major order');
    const kernel = inputs.ints('kernel_shape')!;
    const w = windowOf(inputs, kernel, inputs.shape().slice(2));
    const ceilMode = inputs.int('ceil_mode', 0) === 1;
    const x = planar(inputs.at(0), w.rank);
    const options = { stride: w.stride, dilation: w.dilation, ceilMode };
    const even = w.padding.every(([a, b]) => a === b);
    const small = w.padding.every(([a], i) => 2 * a <= w.kernel[i]);
    if (kind === 'max') {
      if (even && small)
        return linear(ops.maxPool2d(x, w.kernel, { ...options, padding: [w.padding[0][0], w.padding[1][0]] }), w.rank);
      const padded = ops.pad(x, [[0, 0], [0, 0], ...w.padding], { value: Number.NEGATIVE_INFINITY });
      return linear(ops.maxPool2d(padded, w.kernel, options), w.rank);
    }
    if (w.dilation.some(d => d !== 1)) refuse('dilation of an average');
    const count = inputs.int('count_include_pad', 0) === 1;
    if (even && small)
      return linear(
        ops.avgPool2d(x, w.kernel, {
          stride: w.stride,
          ceilMode,
          padding: [w.padding[0][0], w.padding[1][0]],
          countIncludePad: count,
        }),
        w.rank,
      );
    const window = { stride: w.stride, ceilMode };
    const grown = (of: Tensor) => ops.avgPool2d(ops.pad(of, [[0, 0], [0, 0], ...w.padding]), w.kernel, window);
    if (count) return linear(grown(x), w.rank);
    return linear(ops.div(grown(x), grown(ops.ones(x.shape))), w.rank);
  };

export function resize(inputs: Inputs): Tensor {
  inputs.only(
    'mode',
    'coordinate_transformation_mode',
    'cubic_coeff_a',
    'nearest_mode',
    'axes',
    'keep_aspect_ratio_policy',
    'antialias',
    'exclude_outside',
    'extrapolation_value',
  );
  if (inputs.int('antialias', 0)) refuse('antialias');
  if (inputs.int('exclude_outside', 0)) refuse('exclude_outside');
  const mode = inputs.text('mode', 'nearest');
  const at = inputs.text('coordinate_transformation_mode', 'half_pixel');
  const shape = inputs.shape();
  const axes = (inputs.ints('axes') ?? shape.map((_, i) => i)).map(axis => (axis < 0 ? axis + shape.length : axis));
  const sizes = inputs.numbers(3);
  const scales = inputs.numbers(2);
  if (inputs.attributes.keep_aspect_ratio_policy && inputs.text('keep_aspect_ratio_policy', '') !== 'stretch')
    refuse('aspect ratio');
  const factor = shape.map((size, i) => {
    const j = axes.indexOf(i);
    return j < 0 ? 1 : sizes?.length ? sizes[j] / size : scales![j];
  });
  if (shape.length !== 4 || factor[0] !== 1 || factor[1] !== 1) refuse('axes of Resize');
  const target = shape.map((size, i) => Math.floor(size * factor[i] + 1e-9));
  const size: [number, number] = sizes?.length ? [target[2], target[3]] : [target[2], target[3]];
  const exact = target.every((t, i) => Math.abs(t - shape[i] * factor[i]) < 1e-6);
  const x = inputs.at(0);
  if (mode === 'nearest') {
    const rule = inputs.text('nearest_mode', 'round_prefer_floor');
    if (at === 'asymmetric' && rule === 'floor' && exact) return ops.interpolate(x, { size, mode: 'nearest' });
    // Repetition by a whole factor is the same for every rule.
    if (factor.every(Number.isInteger) && at === 'half_pixel' && /^round/.test(rule))
      return ops.interpolate(x, { size, mode: 'nearest' });
    return refuse(`nearest by ${rule}, ${at}`);
  }
  if (!exact) refuse('sizes that are not whole');
  if (mode === 'cubic' && inputs.int('cubic_coeff_a', -0.75) !== -0.75) refuse('another cubic');
  const kind = mode === 'cubic' ? 'bicubic' : 'bilinear';
  if (at === 'half_pixel' || (at === 'pytorch_half_pixel' && size.every(s => s > 1)))
    return ops.interpolate(x, { size, mode: kind });
  if (at === 'align_corners') return ops.interpolate(x, { size, mode: kind, alignCorners: true });
  return refuse(at);
}

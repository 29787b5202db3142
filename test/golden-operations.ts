/** How each operation of the golden files is called here: inputs by name, and the attributes of the case. */
import { sizeOf } from '../engine/shape.ts';
import type { Tensor } from '../engine/tensor.ts';
import * as op from '../kernels/index.ts';

export type Inputs = Readonly<Record<string, Tensor>>;
export type GoldenOperation = (inputs: Inputs, attrs: Readonly<Record<string, unknown>>) => Tensor;

interface Conv {
  readonly stride: readonly [number, number];
  readonly padding: readonly [number, number];
}
interface Axes {
  readonly axes: readonly number[] | null;
  readonly keepDims: boolean;
}
interface Pad {
  readonly padding: readonly (readonly [number, number])[];
  readonly mode: 'constant' | 'reflect';
  readonly value?: number;
}

const reduction =
  (of: typeof op.sum): GoldenOperation =>
  ({ x }, attrs) => {
    const { axes, keepDims } = attrs as unknown as Axes;
    return of(x, { keepDims, ...(axes && { axes }) });
  };
const unary =
  (of: (x: Tensor) => Tensor): GoldenOperation =>
  ({ x }) =>
    of(x);
const binary =
  (of: (a: Tensor, b: Tensor) => Tensor): GoldenOperation =>
  ({ a, b }) =>
    of(a, b);

export const GOLDEN_OPERATIONS: Readonly<Record<string, GoldenOperation>> = {
  add: binary(op.add),
  sub: binary(op.sub),
  mul: binary(op.mul),
  div: binary(op.div),
  matmul: binary(op.matmul),
  exp: unary(op.exp),
  log: unary(op.log),
  sqrt: unary(op.sqrt),
  abs: unary(op.abs),
  neg: unary(op.neg),
  square: unary(op.square),
  relu: unary(op.relu),
  tanh: unary(op.tanh),
  sigmoid: unary(op.sigmoid),
  softplus: unary(op.softplus),
  globalAvgPool2d: unary(op.globalAvgPool2d),
  sum: reduction(op.sum),
  mean: reduction(op.mean),
  conv2d: ({ x, weight, bias }, attrs) => op.conv2d(x, weight, bias, attrs as unknown as Conv),
  linear: ({ input, weight, bias }) => op.linear(input, weight, bias),
  prelu: ({ input, weight }) => op.prelu(input, weight),
  leakyRelu: ({ x }, { slope }) => op.leakyRelu(x, slope as number),
  clamp: ({ x }, { min, max }) => op.clamp(x, min as number, max as number),
  pow: ({ x }, { exponent }) => op.pow(x, exponent as number),
  pixelShuffle: ({ x }, { factor }) => op.pixelShuffle(x, factor as number),
  pixelUnshuffle: ({ x }, { factor }) => op.pixelUnshuffle(x, factor as number),
  maxPool2d: ({ x }, { kernel, stride }) => op.maxPool2d(x, kernel as number, stride as number),
  avgPool2d: ({ x }, { kernel, stride }) => op.avgPool2d(x, kernel as number, stride as number),
  mseLoss: ({ input, target }) => op.mseLoss(input, target),
  l1Loss: ({ input, target }) => op.l1Loss(input, target),
  bceWithLogits: ({ input, target }) => op.bceWithLogits(input, target),
  totalVariation: ({ x }, attrs) => op.totalVariation(x, attrs as op.TotalVariationOptions),
  reshape: ({ x }, { shape }) => op.reshape(x, shape as number[]),
  permute: ({ x }, { axes }) => op.permute(x, axes as number[]),
  transpose: ({ x }, { axes }) => op.transpose(x, ...(axes as [number, number])),
  concat: ({ a, b }, { axis }) => op.concat([a, b], axis as number),
  slice: ({ x }, { start, end }) => op.slice(x, start as number[], end as number[]),
  pad: ({ x }, attrs) => {
    const { padding, mode, value } = attrs as unknown as Pad;
    return op.pad(x, padding, { mode, ...(value !== undefined && { value }) });
  },
  batchNorm: ({ x, weight, bias, running_mean, running_var }, { training, eps }) =>
    training
      ? op.batchNormTraining(x, weight, bias, eps as number).output
      : op.batchNorm(x, weight, bias, running_mean, running_var, eps as number),
};

/** What running statistics become after a training step, PyTorch's way: momentum of the new, the variance unbiased. */
export const GOLDEN_EXTRAS: Readonly<
  Record<string, (inputs: Inputs, attrs: Readonly<Record<string, unknown>>) => Readonly<Record<string, Tensor>>>
> = {
  batchNorm: ({ x, weight, bias, running_mean, running_var }, { momentum, eps }) => {
    const { mean, variance } = op.batchNormTraining(x, weight, bias, eps as number);
    const count = sizeOf(x.shape) / weight.size;
    const track = (running: Tensor, batch: Tensor, factor: number) =>
      op.add(op.mul(running, 1 - (momentum as number)), op.mul(batch, (momentum as number) * factor));
    return {
      running_mean: track(running_mean, mean, 1),
      running_var: track(running_var, variance, count / (count - 1)),
    };
  },
};

/** The work of `bench kernels`: every pass of every layer, as a function to compile and its input shapes. */
import { apply } from '../engine/apply.ts';
import { type Shape, sizeOf } from '../engine/basics/shape.ts';
import { type Tensor, tensor } from '../engine/tensor.ts';
import type { Variable } from '../engine/variable.ts';
import { leakyReluGradientOp } from '../kernels/elementwise/activations.ts';
import * as ops from '../kernels/index.ts';
import { conv2dInputGradientOp, conv2dWeightGradientOp } from '../kernels/products/conv2d/index.ts';
import { adam } from '../nn/optim/adam-update.ts';
import { type Layer, layersOf } from './architectures.ts';
import { gradientsGiven } from './given-gradient.ts';
import type { Pass } from './rows.ts';

export interface KernelWork {
  /** Heading in the tables: the network, or {@link BYTES_GROUP}. */
  readonly group: string;
  readonly work: string;
  readonly pass: Pass;
  readonly inputs: readonly Shape[];
  /** Shapes of variables that the work updates in place; passed to the body after the inputs. */
  readonly updates?: readonly Shape[];
  readonly body: (...tensors: Tensor[]) => Tensor[];
  /** Operations of convolutions and products, 2 per multiply-add; absent if memory is the limit. */
  readonly flops?: number;
}

export const BYTES_GROUP = 'Operations that move bytes';

/** All work for batches of `batch` crops of `crop` pixels; `parameters`: the number of parameters that Adam updates. */
export function kernelWorks(batch: number, crop: number, parameters: number): KernelWork[] {
  const layers = layersOf(batch, crop);
  const products = layers.flatMap(layer => {
    if (layer.kind === 'conv') return convWorks(layer);
    return layer.kind === 'dense' ? denseWorks(layer) : [];
  });
  return [...products, ...largest(layers).flatMap(otherWorks), adamWork(parameters)];
}

type Conv = Extract<Layer, { kind: 'conv' }>;
type Dense = Extract<Layer, { kind: 'dense' }>;
type Other = Exclude<Layer, Conv | Dense>;

const times = (shape: Shape): string => shape.join('x');

function convWorks({ network, input, channels, kernel, stride, bias }: Conv): KernelWork[] {
  const [n, c, h, w] = input as [number, number, number, number];
  const weight = [channels, c, kernel, kernel];
  const output = [n, channels, Math.ceil(h / stride), Math.ceil(w / stride)];
  const attributes = { stride: [stride, stride], padding: [kernel >> 1, kernel >> 1] } as const;
  const common = {
    group: network,
    work: `conv ${kernel}x${kernel}${stride > 1 ? ` s${stride}` : ''} ${c}>${channels} on ${times(input)}`,
    flops: 2 * sizeOf(output) * c * kernel ** 2,
  };
  return [
    {
      ...common,
      pass: 'forward',
      inputs: bias ? [input, weight, [channels]] : [input, weight],
      body: (x, k, b) => [ops.conv2d(x, k, b, attributes)],
    },
    {
      ...common,
      pass: 'input-grad',
      inputs: [output, weight],
      body: (gy, k) => apply(conv2dInputGradientOp, [gy, k], { ...attributes, shape: input }),
    },
    {
      ...common,
      pass: 'weight-grad',
      inputs: [input, output],
      body: (x, gy) => apply(conv2dWeightGradientOp, [x, gy], { ...attributes, shape: weight }),
    },
  ];
}

function denseWorks({ network, input, units }: Dense): KernelWork[] {
  const [n, size] = input as [number, number];
  const [weight, output] = [
    [units, size],
    [n, units],
  ];
  const common = { group: network, work: `dense ${size}>${units} on ${times(input)}`, flops: 2 * n * size * units };
  return [
    {
      ...common,
      pass: 'forward',
      inputs: [input, weight, [units]],
      body: (x, k, b) => [ops.linear(x, k, b)],
    },
    {
      ...common,
      pass: 'input-grad',
      inputs: [input, weight, output],
      body: (x, k, gy) => gradientsGiven(ops.linear(x, k), gy, [x]),
    },
    {
      ...common,
      pass: 'weight-grad',
      inputs: [input, weight, output],
      body: (x, k, gy) => gradientsGiven(ops.linear(x, k), gy, [k]),
    },
  ];
}

/** The largest layer of each kind in each network, which takes the most time. */
function largest(layers: readonly Layer[]): Other[] {
  const found = new Map<string, Other>();
  for (const layer of layers) {
    if (layer.kind === 'conv' || layer.kind === 'dense') continue;
    const key = `${layer.network} ${layer.kind}`;
    const known = found.get(key);
    if (!known || sizeOf(layer.input) > sizeOf(known.input)) found.set(key, layer);
  }
  return [...found.values()];
}

type Passes = Partial<Record<Pass, readonly [inputs: readonly Shape[], body: KernelWork['body']]>>;

const OTHERS: Partial<Record<Other['kind'], { readonly name: string; readonly passes: (x: Shape) => Passes }>> = {
  bn: {
    name: 'batch norm (training)',
    passes: x => {
      const c = [x[1]];
      const normalize = (x: Tensor, weight: Tensor, bias: Tensor) => ops.batchNormTraining(x, weight, bias);
      return {
        forward: [
          [x, c, c],
          (x, weight, bias) => {
            const { output, mean, variance } = normalize(x, weight, bias);
            return [output, mean, variance];
          },
        ],
        'forward+grads': [
          [x, c, c, x],
          (x, weight, bias, gy) => {
            const { output } = normalize(x, weight, bias);
            return [output, ...gradientsGiven(output, gy, [x, weight, bias])];
          },
        ],
      };
    },
  },
  prelu: {
    name: 'PReLU',
    passes: x => ({
      forward: [[x, [x[1]]], (x, slope) => [ops.prelu(x, slope)]],
      'forward+grads': [
        [x, [x[1]], x],
        (x, slope, gy) => {
          const y = ops.prelu(x, slope);
          return [y, ...gradientsGiven(y, gy, [x, slope])];
        },
      ],
    }),
  },
  lrelu: {
    name: 'leaky ReLU',
    passes: x => ({
      forward: [[x], x => [ops.leakyRelu(x, 0.2)]],
      'input-grad': [[x, x], (gy, x) => apply(leakyReluGradientOp, [gy, x], { slope: 0.2 })],
    }),
  },
  shuffle: {
    name: 'pixel shuffle x2',
    passes: ([n, c, h, w]) => ({
      forward: [[[n, c, h, w]], x => [ops.pixelShuffle(x, 2)]],
      'input-grad': [[[n, c / 4, 2 * h, 2 * w]], gy => [ops.pixelUnshuffle(gy, 2)]],
    }),
  },
  bce: {
    name: 'sigmoid BCE',
    passes: x => ({
      forward: [[x, x], (x, labels) => [ops.bceWithLogits(x, labels)]],
      'forward+grads': [
        [x, x],
        (x, labels) => {
          const loss = ops.bceWithLogits(x, labels);
          return [loss, ...ops.grad(loss, [x])];
        },
      ],
    }),
  },
};

function otherWorks({ kind, network, input }: Other): KernelWork[] {
  const other = OTHERS[kind];
  if (!other) return [];
  const passes = Object.entries(other.passes(input)) as [Pass, NonNullable<Passes[Pass]>][];
  return passes.map(([pass, [inputs, body]]) => ({
    group: BYTES_GROUP,
    work: `${other.name} on ${times(input)} (${network})`,
    pass,
    inputs,
    body,
  }));
}

function adamWork(parameters: number): KernelWork {
  const shape = [parameters];
  return {
    group: BYTES_GROUP,
    work: `Adam of ${parameters} parameters (SRResNet)`,
    pass: 'step',
    inputs: [shape],
    updates: [shape, shape, shape],
    body(gradient, ...variables) {
      const [p, m, v] = variables as [Variable, Variable, Variable];
      const [steps, rate, skip] = [tensor([10]), tensor([1e-4]), tensor([0])];
      const options = { beta1: 0.9, beta2: 0.999, eps: 1e-8 };
      const { parameters, first, second } = adam([p, m, v, gradient, steps, rate, skip], options);
      p.assign(parameters);
      m.assign(first);
      v.assign(second);
      return [];
    },
  };
}

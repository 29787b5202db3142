/** Which of our functions each operation of the golden values means. */
import type { Tensor } from '../engine/tensor.ts';
import * as ops from '../kernels/index.ts';

/** A case of `ops.safetensors`, as its metadata describe it. */
export interface GoldenCase {
  readonly name: string;
  readonly op: string;
  readonly attrs: Readonly<Record<string, unknown>>;
  readonly inputs: readonly string[];
  readonly grads: readonly string[];
}

/** A case's attributes. Each must be read: one that we do not know would change what is asked for. */
export class GoldenAttributes {
  readonly #values: Readonly<Record<string, unknown>>;
  readonly #unread: Set<string>;

  constructor(values: Readonly<Record<string, unknown>>) {
    this.#values = values;
    this.#unread = new Set(Object.keys(values));
  }

  /** The value of an attribute, which must be there. */
  get<T>(name: string): T {
    if (!(name in this.#values)) throw new Error(`The golden case lacks the attribute ${name}.`);
    this.#unread.delete(name);
    return this.#values[name] as T;
  }

  /** The value of an attribute, or another where it is missing. */
  or<T>(name: string, otherwise: T): T {
    return name in this.#values ? this.get<T>(name) : otherwise;
  }

  get unread(): string[] {
    return [...this.#unread];
  }
}

type Inputs = Readonly<Record<string, Tensor>>;
type Call = (inputs: Inputs, attributes: GoldenAttributes) => Tensor;

const pointwise =
  (f: (x: Tensor) => Tensor): Call =>
  ({ x }) =>
    f(x);
const binary =
  (f: (a: Tensor, b: Tensor) => Tensor): Call =>
  ({ a, b }) =>
    f(a, b);
const loss =
  (f: (input: Tensor, target: Tensor, options: never) => Tensor, names: readonly string[] = []): Call =>
  ({ x, input = x, target, weight }, attributes) =>
    f(input, target, { ...optional(attributes, names), ...(weight && { weight }) } as never);
/** The attributes of these names that the case has, as options. */
const optional = (attributes: GoldenAttributes, names: readonly string[]): Record<string, unknown> =>
  Object.fromEntries(
    names.map(name => [name, attributes.or(name, undefined)]).filter(([, value]) => value !== undefined),
  );
const withNumber =
  (f: (number: number, x: Tensor) => Tensor): Call =>
  ({ x }, attributes) =>
    f(attributes.get('number'), x);
/** A bound as text, since JSON has no infinities. */
const boundOf = (text: string | undefined): number | undefined =>
  text === undefined ? undefined : Number(text.replace('inf', 'Infinity'));
const reduced =
  (f: (x: Tensor, options: ops.VarianceOptions) => Tensor): Call =>
  ({ x }, attributes) => {
    const axes = attributes.get<readonly number[] | null>('axes');
    const more = optional(attributes, ['correction']);
    return f(x, { ...(axes && { axes }), keepDims: attributes.get('keepDims'), ...more });
  };
const convolution =
  (
    f: (x: Tensor, weight: Tensor, bias: Tensor | undefined, options: never) => Tensor,
    names: readonly string[],
  ): Call =>
  ({ x, weight, bias }, attributes) =>
    f(x, weight, bias, optional(attributes, ['stride', 'padding', 'dilation', 'groups', ...names]) as never);
const pooling =
  (f: (x: Tensor, kernel: never, options: never) => Tensor, names: readonly string[]): Call =>
  ({ x }, attributes) =>
    f(
      x,
      attributes.get<unknown>('kernel') as never,
      optional(attributes, ['stride', 'padding', 'ceilMode', ...names]) as never,
    );

/** Operations that are functions of tensors. Batch norm and Adam have state: the test drives our layer and optimizer. */
const functions: Readonly<Record<string, Call>> = {
  conv2d: convolution(ops.conv2d, []),
  conv1d: convolution(ops.conv1d, []),
  convTranspose2d: convolution(ops.convTranspose2d, ['outputPadding']),
  matmul: binary(ops.matmul),
  linear: ({ input, weight, bias }) => ops.linear(input, weight, bias),
  prelu: ({ input, weight }) => ops.prelu(input, weight),
  leakyRelu: ({ x }, attributes) => ops.leakyRelu(x, attributes.get('slope')),
  relu: pointwise(ops.relu),
  tanh: pointwise(ops.tanh),
  sigmoid: pointwise(ops.sigmoid),
  softplus: pointwise(ops.softplus),
  exp: pointwise(ops.exp),
  log: pointwise(ops.log),
  log1p: pointwise(ops.log1p),
  sqrt: pointwise(ops.sqrt),
  abs: pointwise(ops.abs),
  sign: pointwise(ops.sign),
  neg: pointwise(ops.neg),
  square: pointwise(ops.square),
  clamp: ({ x }, attributes) => ops.clamp(x, attributes.get('min'), attributes.get('max')),
  pow: ({ x }, attributes) => ops.pow(x, attributes.get('exponent')),
  add: binary(ops.add),
  sub: binary(ops.sub),
  mul: binary(ops.mul),
  div: binary(ops.div),
  pixelShuffle: ({ x }, attributes) => ops.pixelShuffle(x, attributes.get('factor')),
  pixelUnshuffle: ({ x }, attributes) => ops.pixelUnshuffle(x, attributes.get('factor')),
  maxPool2d: pooling(ops.maxPool2d, ['dilation']),
  avgPool2d: pooling(ops.avgPool2d, ['countIncludePad']),
  maxPool1d: pooling(ops.maxPool1d, ['dilation']),
  avgPool1d: pooling(ops.avgPool1d, ['countIncludePad']),
  adaptiveMaxPool2d: ({ x }, attributes) => ops.adaptiveMaxPool2d(x, attributes.get('size')),
  adaptiveAvgPool2d: ({ x }, attributes) => ops.adaptiveAvgPool2d(x, attributes.get('size')),
  interpolate: ({ x }, attributes) =>
    ops.interpolate(x, optional(attributes, ['size', 'scaleFactor', 'mode', 'alignCorners'])),
  globalAvgPool2d: pointwise(ops.globalAvgPool2d),
  mseLoss: loss(ops.mseLoss),
  l1Loss: loss(ops.l1Loss),
  bceWithLogits: loss(ops.bceWithLogits),
  totalVariation: ({ x }, attributes) =>
    ops.totalVariation(x, { power: attributes.get('power'), reduction: attributes.get('reduction') }),
  sum: reduced(ops.sum),
  mean: reduced(ops.mean),
  reshape: ({ x }, attributes) => ops.reshape(x, attributes.get('shape')),
  permute: ({ x }, attributes) => ops.permute(x, attributes.get('axes')),
  transpose: ({ x }, attributes) => ops.transpose(x, ...attributes.get<[number, number]>('axes')),
  concat: (inputs, attributes) => ops.concat(Object.values(inputs), attributes.get('axis')),
  slice: ({ x }, attributes) =>
    ops.slice(x, attributes.get('start'), attributes.get('end'), attributes.or('step', undefined)),
  stack: (inputs, attributes) => ops.stack(Object.values(inputs), attributes.get('axis')),
  split: ({ x }, attributes) =>
    ops.split(x, attributes.get('sizes'), attributes.get('axis'))[attributes.get<number>('part')],
  chunk: ({ x }, attributes) =>
    ops.chunk(x, attributes.get('count'), attributes.get('axis'))[attributes.get<number>('part')],
  squeeze: ({ x }, attributes) => ops.squeeze(x, attributes.or('axes', undefined)),
  unsqueeze: ({ x }, attributes) => ops.unsqueeze(x, attributes.get('axis')),
  flatten: ({ x }, attributes) => ops.flatten(x, attributes.get('first'), attributes.get('last')),
  flip: ({ x }, attributes) => ops.flip(x, attributes.get('axes')),
  gather: ({ x, index }, attributes) => ops.gather(x, attributes.get('axis'), index),
  scatterAdd: ({ x, index, source }, attributes) => ops.scatterAdd(x, attributes.get('axis'), index, source),
  indexSelect: ({ x, index }, attributes) => ops.indexSelect(x, attributes.get('axis'), index),
  cumsum: ({ x }, attributes) => ops.cumsum(x, attributes.get('axis')),
  oneHot: ({ index }, attributes) => ops.oneHot(index, attributes.get('classes')),
  embedding: ({ weight, index }) => ops.embedding(weight, index),
  einsum: (inputs, attributes) => ops.einsum(attributes.get('equation'), ...Object.values(inputs)),
  floor: pointwise(ops.floor),
  ceil: pointwise(ops.ceil),
  round: pointwise(ops.round),
  sin: pointwise(ops.sin),
  cos: pointwise(ops.cos),
  erf: pointwise(ops.erf),
  expm1: pointwise(ops.expm1),
  silu: pointwise(ops.silu),
  hardSigmoid: pointwise(ops.hardSigmoid),
  softsign: pointwise(ops.softsign),
  gelu: ({ x }, attributes) => ops.gelu(x, { approximate: attributes.get('approximate') }),
  elu: ({ x }, attributes) => ops.elu(x, attributes.get('alpha')),
  clampBounds: ({ x }, attributes) =>
    ops.clamp(x, boundOf(attributes.or('min', undefined)), boundOf(attributes.or('max', undefined))),
  maximum: binary(ops.maximum),
  minimum: binary(ops.minimum),
  equal: binary(ops.equal),
  notEqual: binary(ops.notEqual),
  less: binary(ops.less),
  lessEqual: binary(ops.lessEqual),
  greater: binary(ops.greater),
  greaterEqual: binary(ops.greaterEqual),
  logicalAnd: binary(ops.logicalAnd),
  logicalOr: binary(ops.logicalOr),
  logicalNot: pointwise(ops.logicalNot),
  pow2: binary(ops.pow),
  powOf: ({ x }, attributes) => ops.pow(attributes.get<number>('base'), x),
  addNumber: withNumber(ops.add),
  subNumber: withNumber(ops.sub),
  mulNumber: withNumber(ops.mul),
  divNumber: withNumber(ops.div),
  max: reduced(ops.max),
  min: reduced(ops.min),
  prod: reduced(ops.prod),
  variance: reduced(ops.variance),
  std: reduced(ops.std),
  logSumExp: reduced(ops.logSumExp),
  argmax: ({ x }, attributes) => ops.cast(ops.argmax(x, { axis: attributes.get('axis') }), 'f32'),
  argmin: ({ x }, attributes) => ops.cast(ops.argmin(x, { axis: attributes.get('axis') }), 'f32'),
  softmax: ({ x }, attributes) => ops.softmax(x, attributes.get('axis')),
  logSoftmax: ({ x }, attributes) => ops.logSoftmax(x, attributes.get('axis')),
  nllLoss: loss(ops.nllLoss, ['reduction', 'ignoreIndex']),
  crossEntropy: loss(ops.crossEntropy, ['reduction', 'ignoreIndex', 'labelSmoothing']),
  huberLoss: loss(ops.huberLoss, ['reduction', 'delta']),
  smoothL1Loss: loss(ops.smoothL1Loss, ['reduction', 'beta']),
  pad: ({ x }, attributes) =>
    ops.pad(x, attributes.get('padding'), { mode: attributes.get('mode'), value: attributes.or('value', 0) }),
};

/** The result of a golden case's operation. Throws for an operation or an attribute that we do not have. */
export function callGolden({ op, attrs }: GoldenCase, inputs: Inputs): Tensor {
  const call = Object.hasOwn(functions, op) ? functions[op] : undefined;
  if (!call) throw new Error(`The golden values have an operation "${op}", which has no function here.`);
  const attributes = new GoldenAttributes(attrs);
  const result = call(inputs, attributes);
  checkAllRead(op, attributes);
  return result;
}

export function checkAllRead(op: string, { unread }: GoldenAttributes): void {
  if (unread.length > 0)
    throw new Error(`The golden values ask ${op} for ${unread.join(', ')}, which it does not have.`);
}

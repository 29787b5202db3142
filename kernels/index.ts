/** All operations, as functions of tensors. */

export { arange, eye, full, linspace, ones, zeros } from './creation/constants.ts';
export { type DropoutOptions, dropout } from './creation/dropout.ts';
export { defaultGenerator, Generator, type GeneratorOptions, manualSeed } from './creation/generator.ts';
export type { BernoulliOptions, NormalOptions, RandomOptions, UniformOptions } from './creation/random.ts';
export * as random from './creation/random.ts';
export { type CustomGradient, customGradient, detach } from './custom-gradient.ts';
export {
  elu,
  type GeluOptions,
  gelu,
  hardSigmoid,
  leakyRelu,
  prelu,
  relu,
  sigmoid,
  silu,
  softplus,
  softsign,
  tanh,
} from './elementwise/activations.ts';
export { add, type DivOptions, div, mul, neg, type Operand, square, sub } from './elementwise/arithmetic.ts';
export { cast } from './elementwise/cast.ts';
export {
  equal,
  greater,
  greaterEqual,
  less,
  lessEqual,
  logicalAnd,
  logicalNot,
  logicalOr,
  maximum,
  minimum,
  notEqual,
} from './elementwise/comparison.ts';
export { fullLike } from './elementwise/full-like.ts';
export {
  abs,
  ceil,
  clamp,
  cos,
  erf,
  exp,
  expm1,
  floor,
  log,
  log1p,
  round,
  sign,
  sin,
  sqrt,
} from './elementwise/functions.ts';
export { pow } from './elementwise/power.ts';
export { notFinite, where } from './elementwise/selection.ts';
export { grad } from './grad.ts';
export { concat } from './movement/concat.ts';
export { gather, indexSelect, scatterAdd } from './movement/gather.ts';
export { type InterpolateOptions, interpolate } from './movement/interpolate.ts';
export { type PadOptions, pad } from './movement/pad.ts';
export { flatten, reshape, squeeze, unsqueeze } from './movement/reshape.ts';
export { flip, slice } from './movement/slice.ts';
export { chunk, split, stack } from './movement/stack.ts';
export { permute, pixelShuffle, pixelUnshuffle, transpose } from './movement/strided.ts';
export { batchNorm, batchNormTraining, type Normalized } from './networks/batch-norm.ts';
export { type CrossEntropyOptions, crossEntropy, type NllLossOptions, nllLoss } from './networks/classification.ts';
export { embedding, oneHot } from './networks/embedding.ts';
export type { LossOptions } from './networks/loss-reduction.ts';
export {
  bceWithLogits,
  type HuberLossOptions,
  huberLoss,
  l1Loss,
  mseLoss,
  type SmoothL1LossOptions,
  smoothL1Loss,
  type TotalVariationOptions,
  totalVariation,
} from './networks/losses.ts';
export { groupNorm, instanceNorm, layerNorm, type NormalizeOptions } from './networks/norms.ts';
export {
  type AvgPool2dOptions,
  adaptiveAvgPool2d,
  adaptiveMaxPool2d,
  avgPool2d,
  globalAvgPool2d,
  type MaxPool2dOptions,
  maxPool2d,
  type PoolOptions,
} from './networks/pool.ts';
export {
  type AvgPool1dOptions,
  avgPool1d,
  type Conv1dOptions,
  conv1d,
  type MaxPool1dOptions,
  maxPool1d,
  type Pool1dOptions,
} from './networks/sequences.ts';
export { type Conv2dOptions, type ConvolutionOptions, conv2d } from './products/conv2d/index.ts';
export { type ConvTranspose2dOptions, convTranspose2d } from './products/conv2d/transpose.ts';
export { einsum } from './products/einsum.ts';
export { linear, matmul } from './products/matmul/index.ts';
export { cumsum } from './reductions/cumsum.ts';
export { type ArgOptions, argmax, argmin, max, min } from './reductions/extrema.ts';
export { prod } from './reductions/product.ts';
export { logSoftmax, logSumExp, softmax } from './reductions/softmax.ts';
export { std, type VarianceOptions, variance } from './reductions/statistics.ts';
export { broadcastTo, mean, type SumOptions, sum, sumTo } from './reductions/sum.ts';

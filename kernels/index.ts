/** All operations, as functions of tensors. */

export { leakyRelu, prelu, relu, sigmoid, softplus, tanh } from './elementwise/activations.ts';
export { add, div, mul, neg, type Operand, square, sub } from './elementwise/arithmetic.ts';
export { fullLike } from './elementwise/full-like.ts';
export { abs, clamp, exp, log, log1p, pow, sign, sqrt } from './elementwise/functions.ts';
export { notFinite, where } from './elementwise/selection.ts';
export { grad } from './grad.ts';
export { concat } from './movement/concat.ts';
export { type PadOptions, pad, slice } from './movement/pad.ts';
export { reshape } from './movement/reshape.ts';
export { permute, pixelShuffle, pixelUnshuffle, transpose } from './movement/strided.ts';
export { batchNorm, batchNormTraining, type Normalized } from './networks/batch-norm.ts';
export { bceWithLogits, l1Loss, mseLoss, type TotalVariationOptions, totalVariation } from './networks/losses.ts';
export { avgPool2d, globalAvgPool2d, maxPool2d } from './networks/pool.ts';
export { type Conv2dOptions, conv2d } from './products/conv2d/index.ts';
export { linear, matmul } from './products/matmul/index.ts';
export { broadcastTo, mean, type SumOptions, sum, sumTo } from './reductions/sum.ts';

/** All operations, as functions of tensors. `listing.ts` has their declarations. */

export { leakyRelu, prelu, relu, sigmoid, softplus, tanh } from './activations.ts';
export { add, div, mul, neg, type Operand, square, sub } from './arithmetic.ts';
export { batchNorm, batchNormTraining, type Normalized } from './batch-norm.ts';
export { concat } from './concat.ts';
export { type Conv2dOptions, conv2d } from './conv2d/index.ts';
export { abs, clamp, exp, log, log1p, pow, sign, sqrt } from './functions.ts';
export { fullLike, grad } from './grad.ts';
export { bceWithLogits, l1Loss, mseLoss, type TotalVariationOptions, totalVariation } from './losses.ts';
export { linear, matmul } from './matmul/index.ts';
export { type PadOptions, pad, slice } from './pad.ts';
export { avgPool2d, globalAvgPool2d, maxPool2d } from './pool.ts';
export { reshape } from './reshape.ts';
export { notFinite, where } from './selection.ts';
export { permute, pixelShuffle, pixelUnshuffle, transpose } from './strided.ts';
export { broadcastTo, mean, type SumOptions, sum, sumTo } from './sum.ts';

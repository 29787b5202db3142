/** `daybreak/nn`: modules, layers, initial weights and optimizers, with PyTorch's names and defaults. */

export { type FindNonFiniteOptions, findNonFinite, type NonFinite } from './find-non-finite.ts';
export type {
  InitOptions,
  KaimingOptions,
  Nonlinearity,
  TruncNormalOptions,
  XavierOptions,
} from './init.ts';
export * as init from './init.ts';
export {
  ELU,
  GELU,
  Hardsigmoid,
  Identity,
  LeakyReLU,
  LogSoftmax,
  PReLU,
  ReLU,
  Sigmoid,
  SiLU,
  Softmax,
  Softplus,
  Softsign,
  Tanh,
} from './layers/activation.ts';
export {
  Conv2d,
  type Conv2dLayerOptions,
  ConvTranspose2d,
  type ConvTranspose2dLayerOptions,
  type PaddingMode,
} from './layers/conv.ts';
export { Dropout, type DropoutLayerOptions } from './layers/dropout.ts';
export { Embedding } from './layers/embedding.ts';
export { Linear, type LinearOptions } from './layers/linear.ts';
export { BatchNorm2d, GroupNorm, InstanceNorm2d, LayerNorm, type NormOptions } from './layers/norm.ts';
export {
  AdaptiveAvgPool2d,
  AdaptiveMaxPool2d,
  AvgPool2d,
  Flatten,
  MaxPool2d,
  PixelShuffle,
  Upsample,
} from './layers/pool.ts';
export { Sequential } from './layers/sequential.ts';
export { SubPixel, type SubPixelOptions } from './layers/sub-pixel.ts';
export type { WeightsOptions } from './layers/weights.ts';
export { type HostTensor, Module, WeightsError } from './module.ts';
export { Adam, type AdamOptions, AdamW } from './optim/adam.ts';
export { type ClippingOptions, Optimizer, type OptimizerState, type UpdateOptions } from './optim/optimizer.ts';
export { RMSprop, type RMSpropOptions } from './optim/rmsprop.ts';
export {
  cosine,
  exponential,
  multiStep,
  type PlateauOptions,
  polynomial,
  ReduceOnPlateau,
  type Schedule,
  stepDecay,
  warmup,
} from './optim/schedules.ts';
export { SGD, type SGDOptions } from './optim/sgd.ts';

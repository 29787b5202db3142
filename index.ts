/** `daybreak`: the engine and the operations. Networks, training, pictures and scores are in the subpaths. */

export { noGrad } from './engine/apply.ts';
export type { GradientOptions } from './engine/autograd.ts';
export * from './engine/basics/errors.ts';
export { Philox } from './engine/basics/philox.ts';
export type { DType, Shape } from './engine/basics/shape.ts';
export {
  type Argument,
  type Compiled,
  type CompileOptions,
  compile,
  type Traced,
  type Tree,
} from './engine/compile.ts';
export type { AdapterDescription } from './engine/device/adapter.ts';
export { Device, type DeviceOptions } from './engine/device/device.ts';
export type { Holder, MemoryFigures } from './engine/device/memory.ts';
export { currentDevice, init, setCurrentDevice } from './engine/init.ts';
export type { ProgramFigures } from './engine/program/figures.ts';
export type { Clock, DispatchProfile, RunProfile, Span } from './engine/program/profile.ts';
export {
  type Content,
  type Elements,
  Tensor,
  type TensorOptions,
  tensor,
  tidy,
  type WrapOptions,
  wrap,
} from './engine/tensor.ts';
export type { AdapterTraits } from './engine/text/kernel.ts';
export { Variable, type VariableOptions, variable } from './engine/variable.ts';
export * from './kernels/index.ts';
export type { InterpolationMode } from './kernels/movement/interpolate-axis.ts';
export type { Padding, PadMode } from './kernels/movement/padding.ts';
export type { Pair } from './kernels/pairs.ts';

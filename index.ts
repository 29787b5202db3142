/** `daybreak`: the engine and the operations. Networks, training, pictures and scores are in the subpaths. */

export { noGrad } from './engine/apply.ts';
export {
  type Argument,
  type Compiled,
  type CompileOptions,
  compile,
  type Tree,
} from './engine/compile.ts';
export { type AdapterDescription, Device, type DeviceOptions } from './engine/device.ts';
export * from './engine/errors.ts';
export type { ProgramFigures } from './engine/figures.ts';
export { currentDevice, init, setCurrentDevice } from './engine/init.ts';
export type { AdapterTraits } from './engine/kernel.ts';
export type { Holder, MemoryFigures } from './engine/memory.ts';
export { Philox } from './engine/philox.ts';
export type { Clock, DispatchProfile, RunProfile, Span } from './engine/profile.ts';
export type { DType, Shape } from './engine/shape.ts';
export {
  Tensor,
  type TensorOptions,
  tensor,
  tidy,
  Variable,
  type VariableOptions,
  variable,
  wrap,
} from './engine/tensor.ts';
export * from './kernels/index.ts';

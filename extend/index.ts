/**
 * `daybreak/extend`: what the engine's own operations are made of. An operation declared with it is traced, fused,
 * differentiated and replayed like ours.
 */

export { apply } from '../engine/apply.ts';
export {
  broadcastShapes,
  f32,
  type IntegerType,
  like,
  sizeOf,
  stridesOf,
  type TensorSpec,
} from '../engine/basics/shape.ts';
export { type Declaration, defineOp, type GradientContext } from '../engine/define.ts';
export type { Attributes, Elementwise, Operation, Problem, View } from '../engine/graph/operation.ts';
export type { Sample, SampleInput } from '../engine/specify.ts';
export {
  assemble,
  assembleElements,
  coordinates,
  type ElementParts,
  hiddenOne,
  type KernelParts,
} from '../engine/text/assemble.ts';
export type { NumberText } from '../engine/text/expression.ts';
export {
  type Access,
  type AdapterTraits,
  input,
  type Kernel,
  type Lowering,
  type Operand,
  output,
  type Step,
  scratch,
} from '../engine/text/kernel.ts';
export { Numbers } from '../engine/text/numbers.ts';
export {
  applyOne,
  defineElementwise,
  type ElementwiseDeclaration,
  type ElementwiseOperation,
} from '../kernels/elementwise/define-elementwise.ts';
export { type CheckOptions, checkOperation, OperationCheckError } from './check-operation.ts';

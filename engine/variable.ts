/** Variables: state that persists between calls. */
import { apply } from './apply.ts';
import { DaybreakError, DTypeError, nameOf, ShapeError, TraceError } from './basics/errors.ts';
import { formatShape, isInteger, type Shape, sameShape } from './basics/shape.ts';
import { setGradient } from './define.ts';
import type { Device } from './device/device.ts';
import type { Storage } from './device/memory.ts';
import { viewOf } from './graph/memory-operations.ts';
import { activeTrace } from './graph/trace.ts';
import { ROW, type Value, VariableState } from './graph/value.ts';
import { type Content, currentDevice, type Elements, leaveScope, Tensor, typeOfElements, upload } from './tensor.ts';

/** The current value of a variable, as a tensor. */
const snapshotOp = viewOf('snapshot');
setGradient(snapshotOp, ({ grads }) => [grads[0]]);

/**
 * State that persists between calls: parameters, moments, running statistics, counters. Only {@link assign} and
 * {@link write} change it.
 *
 * A use of a variable reads its value at that point: assigning it later does not change earlier results or their gradients.
 */
export class Variable extends Tensor {
  /** For messages and files of weights. */
  readonly name: string;
  /** @internal What programs know the variable by. */
  readonly state: VariableState;

  /** Takes ownership of `value`, which has memory. Called by {@link variable}; not for direct use. */
  constructor(device: Device, name: string, value: Value) {
    super(device, value);
    this.name = name;
    leaveScope(this);
    this.state = new VariableState(name, value);
  }

  override get value(): Value {
    // `super.value` throws if it was disposed.
    return super.value && this.state.value;
  }

  override get storage(): Storage {
    return this.value.storage!;
  }

  /** A tensor with the variable's current value, which later assignments do not change. Gradients flow through it. */
  override alias(): Tensor {
    return apply(snapshotOp, [this], {})[0];
  }

  /**
   * Replaces the content with the current value of `content`. No gradient flows through an assignment: for later
   * computations the variable is a leaf. Throws ShapeError, DTypeError.
   */
  assign(content: Tensor): void {
    const doing = `assign to ${this.name}`;
    if (!(content instanceof Tensor)) throw new DaybreakError(`${doing}: expected a tensor, got ${nameOf(content)}.`);
    if (!sameShape(content.shape, this.shape))
      throw new ShapeError(doing, `expected shape ${formatShape(this.shape)}, got ${formatShape(content.shape)}.`);
    const isMask = content.dtype === 'bool' && this.dtype === 'f32';
    if (content.dtype !== this.dtype && !isMask)
      throw new DTypeError(doing, `expected ${this.dtype}, got ${content.dtype}.`);
    if (content.device !== this.device) throw new DaybreakError(`${doing}: the tensor is on another device.`);
    const trace = activeTrace();
    if (trace) {
      trace.assign(this.state, content.value);
      return;
    }
    if (content.storage === this.storage) return;
    this.state.beforeChange(this.device);
    this.device.copy(content.storage, this.storage, this.size * 4);
  }

  /** Replaces the content from the CPU. Throws ShapeError, DTypeError; TraceError in a compiled function. */
  write(data: Elements): void {
    const doing = `write to ${this.name}`;
    if (activeTrace())
      throw new TraceError(
        `${doing}: not allowed in a compiled function, which would not repeat it on later calls; use assign().`,
      );
    if (data.length !== this.size) throw new ShapeError(doing, `expected ${this.size} elements, got ${data.length}.`);
    const dtype = typeOfElements(data);
    if (dtype !== this.dtype) throw new DTypeError(doing, `expected ${this.dtype}, got ${dtype}.`);
    this.state.beforeChange(this.device);
    this.device.write(this.storage, data);
  }

  /**
   * Moves the content into `whole` at element `offset` (a multiple of 64); from then on they share that memory. The variable
   * also owns the padding up to a multiple of 64 elements.
   */
  moveInto(whole: Variable, offset: number): void {
    if (this.state.part)
      throw new DaybreakError(
        `${this.name} is already part of another variable: a parameter can have only one optimizer.`,
      );
    if (whole.dtype !== this.dtype)
      throw new DTypeError(`move ${this.name}`, `expected ${this.dtype}, got ${whole.dtype}.`);
    if (offset % ROW !== 0 || offset + this.size > whole.size)
      throw new ShapeError(
        `move ${this.name}`,
        `${this.size} elements at offset ${offset} do not fit into ${whole.size}.`,
      );
    whole.state.beforeChange(this.device);
    const storage = whole.storage.slice(offset * 4, this.size * 4);
    this.device.copy(this.storage, storage, this.size * 4);
    this.state.moveTo(storage, { whole: whole.state, offset });
  }

  /** Moves the content out of the variable that contains it, to its own memory. No effect if no variable contains it. */
  moveOut(): void {
    this.state.moveOut(this.device);
  }

  /** Releases the memory. Variables that are part of this one first move to their own memory. */
  override dispose(): void {
    if (this.disposed) return;
    this.state.part?.whole.parts.delete(this.state);
    for (const part of this.state.parts) part.moveOut(this.device);
    super.dispose();
  }
}

/** Options of {@link variable}. */
export interface VariableOptions {
  /** Default: the one that `init()` made last. */
  readonly device?: Device;
  /** For messages and files of weights. Default: `variable`. */
  readonly name?: string;
  /** Whether gradients flow to it (default true). Use false for running statistics and counters. */
  readonly trainable?: boolean;
}

/** Creates a variable with initial content: numbers in row-major order, and their shape (see `tensor`). */
export function variable(content: Content, shape?: Shape, options: VariableOptions = {}): Variable {
  const name = options.name ?? 'variable';
  if (activeTrace())
    throw new TraceError(`Variable ${name} cannot be created while a function is traced: create it outside.`);
  const device = options.device ?? currentDevice();
  const value = upload(device, name, content, shape);
  value.requiresGrad = (options.trainable ?? true) && !isInteger(value.spec.dtype);
  return new Variable(device, name, value);
}

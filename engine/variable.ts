/** Variables: state that outlives a call. */
import { apply } from './apply.ts';
import { DaybreakError, DTypeError, nameOf, ShapeError, TraceError } from './basics/errors.ts';
import { formatShape, type Shape, sameShape } from './basics/shape.ts';
import { setGradient } from './define.ts';
import type { Device } from './device/device.ts';
import type { Storage } from './device/memory.ts';
import type { Operation } from './graph/operation.ts';
import { activeTrace } from './graph/trace.ts';
import { ROW, type Value, VariableState } from './graph/value.ts';
import { type Content, currentDevice, leaveScope, Tensor, upload } from './tensor.ts';

/** What a variable holds at one moment, as a tensor. */
const snapshotOp: Operation<Readonly<Record<never, never>>> = {
  name: 'snapshot',
  takes: ['any'],
  infer: ([x]) => [x],
  view: { offset: () => 0 },
  lower: () => ({ steps: [], scratch: [] }),
};
setGradient(snapshotOp, ({ grads }) => [grads[0]]);

/**
 * State that outlives a call: parameters, moments, running statistics, counters. Changed by {@link assign} and
 * {@link write} alone.
 *
 * Wherever a variable is used it counts as what it holds there and then: what was computed from it before stays as it was
 * when it is assigned, and its gradients too.
 */
export class Variable extends Tensor {
  readonly name: string;
  readonly state: VariableState;

  /** Takes `value`, which has memory, over. Made by {@link variable}; not for direct use. */
  constructor(device: Device, name: string, value: Value) {
    super(device, value);
    this.name = name;
    leaveScope(this);
    this.state = new VariableState(name, value);
  }

  override get value(): Value {
    // Throws where it was disposed of.
    return super.value && this.state.value;
  }

  override get storage(): Storage {
    return this.value.storage!;
  }

  /** A tensor of what the variable holds now, which later assignments do not change. Gradients flow through it. */
  override alias(): Tensor {
    return apply(snapshotOp, [this], {})[0];
  }

  /**
   * Replaces the content by what `content` holds now. No gradient flows through it: to the gradients of what is computed
   * afterwards, the variable is where they end. Throws ShapeError, DTypeError.
   */
  assign(content: Tensor): void {
    const doing = `assign to ${this.name}`;
    if (!(content instanceof Tensor)) throw new DaybreakError(`${doing}: needs a tensor, got ${nameOf(content)}.`);
    if (!sameShape(content.shape, this.shape))
      throw new ShapeError(doing, `has ${formatShape(this.shape)}, got ${formatShape(content.shape)}.`);
    if (content.dtype !== this.dtype) throw new DTypeError(doing, `has ${this.dtype}, got ${content.dtype}.`);
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
  write(data: Float32Array | Uint32Array): void {
    const doing = `write to ${this.name}`;
    if (activeTrace())
      throw new TraceError(`${doing}: a compiled function would not do it again when it is called; assign a tensor.`);
    if (data.length !== this.size) throw new ShapeError(doing, `has ${this.size} elements, got ${data.length}.`);
    const dtype = data instanceof Uint32Array ? 'u32' : 'f32';
    if (dtype !== this.dtype) throw new DTypeError(doing, `has ${this.dtype}, got ${dtype}.`);
    this.state.beforeChange(this.device);
    this.device.write(this.storage, data);
  }

  /**
   * Moves the content into `whole`, from element `offset` on (a multiple of 64): to assign one is to assign the other then.
   * What pads it to a multiple of 64 elements is its own.
   */
  moveInto(whole: Variable, offset: number): void {
    if (this.state.part) throw new DaybreakError(`${this.name} lies in another variable already: one optimizer each.`);
    if (whole.dtype !== this.dtype) throw new DTypeError(`move ${this.name}`, `has ${this.dtype}, not ${whole.dtype}.`);
    if (offset % ROW !== 0 || offset + this.size > whole.size)
      throw new ShapeError(`move ${this.name}`, `${this.size} elements at ${offset} do not fit ${whole.size}.`);
    whole.state.beforeChange(this.device);
    const storage = whole.storage.slice(offset * 4, this.size * 4);
    this.device.copy(this.storage, storage, this.size * 4);
    this.state.moveTo(storage, { whole: whole.state, offset });
  }

  /** Moves the content out of the variable that it lies in, to memory of its own. Does nothing where it lies in none. */
  moveOut(): void {
    this.state.moveOut(this.device);
  }

  /** Gives the memory back. Variables that lie inside move out first, to memory of their own. */
  override dispose(): void {
    if (this.disposed) return;
    this.state.part?.whole.parts.delete(this.state);
    for (const part of this.state.parts) part.moveOut(this.device);
    super.dispose();
  }
}

export interface VariableOptions {
  readonly device?: Device;
  readonly name?: string;
  /** Whether gradients flow to it (default true); running statistics and counters say false. */
  readonly trainable?: boolean;
}

/** A variable with the given first content: numbers in row-major order, and their shape (see `tensor`). */
export function variable(content: Content, shape?: Shape, options: VariableOptions = {}): Variable {
  const name = options.name ?? 'variable';
  if (activeTrace())
    throw new TraceError(`Variable ${name} cannot be made while a function is traced: make it outside.`);
  const device = options.device ?? currentDevice();
  const value = upload(device, name, content, shape);
  value.requiresGrad = options.trainable ?? true;
  return new Variable(device, name, value);
}

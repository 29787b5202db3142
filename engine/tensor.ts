/** Tensors: handles on values. Memory is given back by `dispose`, `using` or the end of a `tidy`, never by the garbage collector. */

import { DaybreakError, DisposedError, ShapeError, TraceError } from './basics/errors.ts';
import { checkShape, type DType, formatShape, type Shape, sameShape, sizeOf } from './basics/shape.ts';
import type { Device } from './device/device.ts';
import type { Storage } from './device/memory.ts';
import { Value, type VariableState } from './graph/operation.ts';
import { activeTrace } from './graph/trace.ts';

let defaultDevice: Device | undefined;

/** The device that tensors are made on when none is named. Throws when `init()` has not been awaited. */
export function currentDevice(): Device {
  if (!defaultDevice) throw new DaybreakError('No device: `await init()` first.');
  return defaultDevice;
}

export function setCurrentDevice(device: Device | undefined): void {
  defaultDevice = device;
}

/** Open scopes, innermost last. */
const scopes: Set<Tensor>[] = [];

/** A tensor on the GPU, row-major; images are NCHW. Immutable: operations make new ones. */
export class Tensor implements Disposable {
  readonly device: Device;
  #value: Value | undefined;

  /** Takes one claim on `value`. Made by operations and by {@link tensor}; not for direct use. */
  constructor(device: Device, value: Value) {
    this.device = device;
    this.#value = value;
    if (value.storage) {
      value.retain();
      scopes.at(-1)?.add(this);
    }
  }

  /** The value behind the handle. Throws DisposedError. */
  get value(): Value {
    if (!this.#value) throw new DisposedError('This tensor was disposed of: its memory is gone.');
    return this.#value;
  }

  get shape(): Shape {
    return this.value.spec.shape;
  }

  get dtype(): DType {
    return this.value.spec.dtype;
  }

  /** Number of elements. */
  get size(): number {
    return sizeOf(this.shape);
  }

  get disposed(): boolean {
    return this.#value === undefined;
  }

  /** Whether gradients are recorded through this tensor in eager work. */
  get requiresGrad(): boolean {
    return this.value.requiresGrad;
  }

  /** The memory behind it. Throws TraceError inside a trace, where there is none yet. */
  get storage(): Storage {
    const { storage } = this.value;
    if (!storage) throw new TraceError('While a function is traced its tensors have no content yet.');
    return storage;
  }

  /** The content, row-major. u32 tensors give their numbers as float64 would hold them. */
  async data(): Promise<Float32Array<ArrayBuffer>> {
    if (this.dtype !== 'f32') throw new DaybreakError(`data() reads f32 tensors; this one is ${this.dtype}.`);
    const [bytes] = await this.device.read([this.storage]);
    return new Float32Array(bytes!.buffer);
  }

  /** The content of a u32 tensor, row-major. */
  async words(): Promise<Uint32Array<ArrayBuffer>> {
    const [bytes] = await this.device.read([this.storage]);
    return new Uint32Array(bytes!.buffer);
  }

  /** The only element of a tensor with one. */
  async item(): Promise<number> {
    if (this.size !== 1) throw new ShapeError('item', `needs one element, got shape ${formatShape(this.shape)}.`);
    return this.dtype === 'f32' ? (await this.data())[0]! : (await this.words())[0]!;
  }

  /** Gives this handle up. The memory goes with the last claim on it. Harmless when repeated. */
  dispose(): void {
    const value = this.#value;
    if (!value) return;
    this.#value = undefined;
    if (value.storage) value.release();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  /** Another handle on the same value, to be disposed of on its own. */
  alias(): Tensor {
    return new Tensor(this.device, this.value);
  }

  toString(): string {
    return this.disposed
      ? 'Tensor(disposed)'
      : `Tensor${formatShape(this.shape)}${this.dtype === 'f32' ? '' : ` ${this.dtype}`}`;
  }
}

/** State that outlives a call: parameters, moments, running statistics, counters. Changed by {@link assign} alone. */
export class Variable extends Tensor {
  readonly name: string;
  readonly state: VariableState;

  constructor(device: Device, name: string, value: Value) {
    super(device, value);
    this.name = name;
    scopes.at(-1)?.delete(this);
    const { storage } = value;
    if (!storage) throw new TraceError(`Variable ${name} cannot be made while a function is traced.`);
    this.state = { name, storage, version: 0 };
    value.source = { kind: 'variable', variable: this.state };
  }

  override get storage(): Storage {
    return this.state.storage;
  }

  /** Replaces the content. In a trace this happens at the end of the program, in place. */
  assign(content: Tensor): void {
    if (!sameShape(content.shape, this.shape))
      throw new ShapeError(
        `assign to ${this.name}`,
        `has ${formatShape(this.shape)}, got ${formatShape(content.shape)}.`,
      );
    const trace = activeTrace();
    if (trace) {
      trace.assign(this.state, content.value);
      return;
    }
    const encoder = this.device.gpu.createCommandEncoder();
    const { storage: from } = content;
    const { storage: to } = this;
    encoder.copyBufferToBuffer(from.buffer, from.offset, to.buffer, to.offset, this.size * 4);
    this.device.gpu.queue.submit([encoder.finish()]);
    this.state.version++;
  }

  /** Replaces the content from the CPU. */
  write(data: Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>): void {
    if (data.length !== this.size)
      throw new ShapeError(`write to ${this.name}`, `has ${this.size} elements, got ${data.length}.`);
    this.device.gpu.queue.writeBuffer(this.storage.buffer, this.storage.offset, data);
    this.state.version++;
  }

  /** Moves the content into `whole`, from element `offset` on (a multiple of 64). Both are views of one memory then. */
  moveInto(whole: Variable, offset: number): void {
    if (this.state.part) throw new DaybreakError(`${this.name} lies in another variable already: one optimizer each.`);
    const encoder = this.device.gpu.createCommandEncoder();
    const old = this.state.storage;
    const storage = whole.storage.slice(offset * 4, this.size * 4);
    encoder.copyBufferToBuffer(old.buffer, old.offset, storage.buffer, storage.offset, this.size * 4);
    this.device.gpu.queue.submit([encoder.finish()]);
    this.state.storage = storage;
    this.state.part = { whole: whole.state, offset };
    this.value.storage = storage;
    old.release();
  }
}

type Content = Float32Array | Uint32Array | readonly number[] | number;

function upload(device: Device, content: Content, shape: Shape | undefined, label: string): Value {
  const data =
    typeof content === 'number'
      ? Float32Array.of(content)
      : content instanceof Float32Array || content instanceof Uint32Array
        ? content
        : Float32Array.from(content);
  const dimensions = shape ?? (typeof content === 'number' ? [] : [data.length]);
  checkShape('tensor', dimensions);
  if (sizeOf(dimensions) !== data.length)
    throw new ShapeError(
      'tensor',
      `shape ${formatShape(dimensions)} needs ${sizeOf(dimensions)} numbers, got ${data.length}.`,
    );
  const storage = device.memory.allocate(data.byteLength, label);
  device.gpu.queue.writeBuffer(
    storage.buffer,
    storage.offset,
    data.buffer as ArrayBuffer,
    data.byteOffset,
    data.byteLength,
  );
  return new Value({ shape: dimensions, dtype: data instanceof Uint32Array ? 'u32' : 'f32' }, storage);
}

export interface TensorOptions {
  readonly device?: Device;
  /** Record gradients through this tensor in eager work. */
  readonly requiresGrad?: boolean;
}

/** A tensor with the given content, row-major; `shape` defaults to one dimension, or none for a single number. */
export function tensor(content: Content, shape?: Shape, options: TensorOptions = {}): Tensor {
  const device = options.device ?? activeTrace()?.device ?? currentDevice();
  const value = upload(device, content, shape, 'tensor');
  value.requiresGrad = options.requiresGrad ?? false;
  return new Tensor(device, value);
}

export interface VariableOptions {
  readonly device?: Device;
  readonly name?: string;
  /** Whether gradients flow to it (default true); running statistics and counters say false. */
  readonly trainable?: boolean;
}

/** A variable with the given first content. */
export function variable(content: Content, shape?: Shape, options: VariableOptions = {}): Variable {
  const device = options.device ?? currentDevice();
  const value = upload(device, content, shape, options.name ?? 'variable');
  value.requiresGrad = options.trainable ?? true;
  return new Variable(device, options.name ?? 'variable', value);
}

/**
 * A tensor over a buffer of the caller's, without a copy. The caller keeps the buffer: Daybreak never destroys or
 * writes it. Needs the STORAGE and COPY_SRC usages.
 */
export function wrap(device: Device, buffer: GPUBuffer, shape: Shape, dtype: DType = 'f32'): Tensor {
  checkShape('wrap', shape);
  const bytes = sizeOf(shape) * 4;
  if (buffer.size < bytes)
    throw new ShapeError('wrap', `${formatShape(shape)} needs ${bytes} bytes, the buffer has ${buffer.size}.`);
  return new Tensor(device, new Value({ shape, dtype }, device.memory.borrow(buffer, bytes)));
}

/** Every handle reachable from a value of plain objects and arrays. */
function handlesIn(value: unknown, found: Set<Tensor> = new Set()): Set<Tensor> {
  if (value instanceof Tensor) found.add(value);
  else if (Array.isArray(value)) for (const item of value) handlesIn(item, found);
  else if (value !== null && typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype)
    for (const item of Object.values(value)) handlesIn(item, found);
  return found;
}

/**
 * Runs `body` and disposes of every tensor made inside, except those it returns (in arrays and plain objects, too),
 * which pass to the scope around. Synchronous, like everything that makes tensors.
 */
export function tidy<T>(body: () => T): T {
  if (activeTrace()) return body();
  const scope = new Set<Tensor>();
  scopes.push(scope);
  let kept: Set<Tensor> = new Set();
  try {
    const result = body();
    if (result instanceof Promise) throw new DaybreakError('tidy() needs a synchronous function.');
    kept = handlesIn(result);
    return result;
  } finally {
    scopes.pop();
    for (const handle of scope) {
      if (kept.has(handle)) scopes.at(-1)?.add(handle);
      else handle.dispose();
    }
  }
}

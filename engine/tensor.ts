/** Tensors: handles on values. Memory is released by `dispose`, `using` or the end of a `tidy`, never by the garbage collector. */

import { DaybreakError, DisposedError, DTypeError, nameOf, ShapeError, TraceError } from './basics/errors.ts';
import { checkShape, type DType, formatShape, type Shape, sizeOf } from './basics/shape.ts';
import type { Device } from './device/device.ts';
import type { Storage } from './device/memory.ts';
import { activeTrace } from './graph/trace.ts';
import { Value } from './graph/value.ts';

let defaultDevice: Device | undefined;

/** The default device for new tensors. Throws if `init()` has not been awaited. */
export function currentDevice(): Device {
  if (!defaultDevice) throw new DaybreakError('No device: call `await init()` first.');
  return defaultDevice;
}

export function setCurrentDevice(device: Device | undefined): void {
  defaultDevice = device;
}

/** Open scopes, innermost last. */
const scopes: Set<Tensor>[] = [];

/** Removes a handle from the scope that it was created in, so that it outlives the scope. */
export function leaveScope(handle: Tensor): void {
  scopes.at(-1)?.delete(handle);
}

/** A tensor on the GPU, row-major; images are NCHW. Immutable: operations return new tensors. */
export class Tensor implements Disposable {
  readonly device: Device;
  #value: Value | undefined;

  /** Adds a claim on `value`. Called by operations and {@link tensor}; not for direct use. */
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
    if (!this.#value) throw new DisposedError('This tensor was disposed: its memory was released.');
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

  /** Whether gradients are recorded through this tensor in eager code. */
  get requiresGrad(): boolean {
    return this.value.requiresGrad;
  }

  /** Its memory. Throws TraceError inside a trace, where there is none yet. */
  get storage(): Storage {
    const { storage } = this.value;
    if (!storage) throw new TraceError('Tensors have no content while a function is traced.');
    return storage;
  }

  /** The content of an f32 tensor, row-major. Throws DTypeError for a u32 tensor: see {@link words}. */
  async data(): Promise<Float32Array<ArrayBuffer>> {
    if (this.dtype !== 'f32') throw new DTypeError('data', `expected an f32 tensor, got ${this.dtype}: use words().`);
    const [bytes] = await this.device.read([this.storage]);
    return new Float32Array(bytes.buffer);
  }

  /** The content of a u32 tensor, row-major. Throws DTypeError for an f32 tensor: see {@link data}. */
  async words(): Promise<Uint32Array<ArrayBuffer>> {
    if (this.dtype !== 'u32') throw new DTypeError('words', `expected a u32 tensor, got ${this.dtype}: use data().`);
    const [bytes] = await this.device.read([this.storage]);
    return new Uint32Array(bytes.buffer);
  }

  /** The value of a tensor with one element. */
  async item(): Promise<number> {
    if (this.size !== 1) throw new ShapeError('item', `expected one element, got shape ${formatShape(this.shape)}.`);
    return this.dtype === 'f32' ? (await this.data())[0] : (await this.words())[0];
  }

  /** Releases this handle. The memory is freed with the last claim on it. Calling it again has no effect. */
  dispose(): void {
    if (this.disposed) return;
    const { value } = this;
    this.#value = undefined;
    if (value.storage) value.release();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  /** Another handle on the same value, to be disposed separately. */
  alias(): Tensor {
    return new Tensor(this.device, this.value);
  }

  toString(): string {
    return this.disposed
      ? 'Tensor(disposed)'
      : `Tensor${formatShape(this.shape)}${this.dtype === 'f32' ? '' : ` ${this.dtype}`}`;
  }
}

/** Content of a new tensor: numbers in row-major order. `Uint32Array` creates a u32 tensor, everything else f32. */
export type Content = Float32Array | Uint32Array | readonly number[] | number;

function numbersOf(operation: string, content: Content): Float32Array | Uint32Array {
  if (typeof content === 'number') return Float32Array.of(content);
  if (content instanceof Float32Array || content instanceof Uint32Array) return content;
  if (!Array.isArray(content))
    throw new DaybreakError(
      `${operation}: expected a number, an array of numbers, a Float32Array or a Uint32Array, got ${nameOf(content)}.`,
    );
  const other = content.findIndex(item => typeof item !== 'number');
  if (other >= 0)
    throw new DaybreakError(
      `${operation}: expected numbers, got ${nameOf(content[other])} at index ${other}. Flatten nested arrays and pass the shape separately.`,
    );
  return Float32Array.from(content);
}

/** A value with content from the CPU. Throws ShapeError if the shape does not match. */
export function upload(device: Device, operation: string, content: Content, shape: Shape | undefined): Value {
  const data = numbersOf(operation, content);
  const dimensions = shape ?? (typeof content === 'number' ? [] : [data.length]);
  checkShape(operation, dimensions);
  if (sizeOf(dimensions) !== data.length)
    throw new ShapeError(
      operation,
      `expected ${sizeOf(dimensions)} numbers for shape ${formatShape(dimensions)}, got ${data.length}.`,
    );
  const storage = device.memory.allocate(data.byteLength, operation);
  device.write(storage, data);
  return new Value({ shape: dimensions, dtype: data instanceof Uint32Array ? 'u32' : 'f32' }, storage);
}

export interface TensorOptions {
  readonly device?: Device;
  /** Record gradients through this tensor in eager code. */
  readonly requiresGrad?: boolean;
}

/** Creates a tensor, row-major; `shape` defaults to one dimension, or a scalar for a single number. */
export function tensor(content: Content, shape?: Shape, options: TensorOptions = {}): Tensor {
  const device = options.device ?? activeTrace()?.device ?? currentDevice();
  const value = upload(device, 'tensor', content, shape);
  value.requiresGrad = options.requiresGrad ?? false;
  return new Tensor(device, value);
}

/**
 * Wraps a GPU buffer in a tensor, without a copy. The caller still owns the buffer: Daybreak never destroys or writes it.
 * The buffer needs the STORAGE and COPY_SRC usages.
 */
export function wrap(device: Device, buffer: GPUBuffer, shape: Shape, dtype: DType = 'f32'): Tensor {
  checkShape('wrap', shape);
  const bytes = sizeOf(shape) * 4;
  if (buffer.size < bytes)
    throw new ShapeError(
      'wrap',
      `expected a buffer of at least ${bytes} bytes for ${formatShape(shape)}, got ${buffer.size}.`,
    );
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
 * Runs `body` and disposes every tensor created inside, except those it returns (also in arrays and plain objects), which
 * pass to the enclosing scope. `body` must be synchronous.
 */
export function tidy<T>(body: () => T): T {
  if (activeTrace()) return body();
  const scope = new Set<Tensor>();
  scopes.push(scope);
  let kept: Set<Tensor> = new Set();
  try {
    const result = body();
    if (result instanceof Promise)
      throw new DaybreakError('tidy(): expected a synchronous function, got one that returns a Promise.');
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

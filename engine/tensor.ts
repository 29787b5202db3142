/** Tensors: handles on values. Memory is released by `dispose`, `using` or the end of a `tidy`, never by the garbage collector. */

import {
  checkOptions,
  DaybreakError,
  DisposedError,
  DTypeError,
  nameOf,
  ShapeError,
  TraceError,
} from './basics/errors.ts';
import { checkShape, type DType, formatShape, isInteger, type Shape, sizeOf } from './basics/shape.ts';
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

/** Makes `device` the default for tensors, variables and generators; undefined leaves none. */
export function setCurrentDevice(device: Device | undefined): void {
  defaultDevice = device;
}

/** Open scopes, innermost last. */
const scopes: Set<Tensor>[] = [];

/** Removes a handle from the scope that it was created in, so that it outlives the scope. */
export function leaveScope(handle: Tensor): void {
  scopes.at(-1)?.delete(handle);
}

type Reader = 'data' | 'integers' | 'words';

/** The method that reads each type. */
const READERS: Readonly<Record<DType, Reader>> = { f32: 'data', bool: 'data', i32: 'integers', u32: 'words' };

/** A tensor on the GPU, row-major; images are NCHW. Immutable: operations return new tensors. */
export class Tensor implements Disposable {
  /** The device that holds it. */
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

  /** Sizes of the axes, outermost first; [] for a scalar. */
  get shape(): Shape {
    return this.value.spec.shape;
  }

  /** Type of the elements. */
  get dtype(): DType {
    return this.value.spec.dtype;
  }

  /** Number of elements. */
  get size(): number {
    return sizeOf(this.shape);
  }

  /** Whether {@link dispose} was called, by itself or by a `tidy`; any use then throws DisposedError. */
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

  /**
   * The content of an f32 tensor, row-major, or of a bool tensor as zeros and ones. Throws DTypeError for whole numbers: see
   * {@link integers} and {@link words}.
   */
  async data(): Promise<Float32Array<ArrayBuffer>> {
    return new Float32Array(await this.#bytes('data', ['f32', 'bool']));
  }

  /** The content of an i32 tensor, row-major. Throws DTypeError for other types. */
  async integers(): Promise<Int32Array<ArrayBuffer>> {
    return new Int32Array(await this.#bytes('integers', ['i32']));
  }

  /** The content of a u32 tensor, row-major. Throws DTypeError for other types. */
  async words(): Promise<Uint32Array<ArrayBuffer>> {
    return new Uint32Array(await this.#bytes('words', ['u32']));
  }

  /** The content by its type: see {@link data}, {@link integers} and {@link words}. */
  elements(): Promise<Elements> {
    return this[READERS[this.dtype]]();
  }

  /** The value of a tensor with one element, of any type (0 or 1 for a bool). */
  async item(): Promise<number> {
    if (this.size !== 1) throw new ShapeError('item', `expected one element, got shape ${formatShape(this.shape)}.`);
    return (await this.elements())[0];
  }

  async #bytes(reader: Reader, types: readonly DType[]): Promise<ArrayBuffer> {
    if (!types.includes(this.dtype)) {
      const expected = types[0] === 'u32' ? 'a u32' : `an ${types[0]}`;
      const got = `${this.dtype}: use ${READERS[this.dtype]}()`;
      throw new DTypeError(reader, `expected ${expected} tensor, got ${got}.`);
    }
    const [bytes] = await this.device.read([this.storage]);
    return bytes.buffer;
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

/**
 * Content of a new tensor, in row-major order. `Int32Array` and `Uint32Array` create tensors of i32 and u32, booleans of bool,
 * everything else of f32.
 */
export type Content =
  | Float32Array
  | Int32Array
  | Uint32Array
  | readonly number[]
  | readonly boolean[]
  | number
  | boolean;

/** A typed array that an element type is stored in. */
export type Elements = Float32Array | Int32Array | Uint32Array;

/** The element type of a typed array. */
export const typeOfElements = (data: Elements): DType =>
  data instanceof Uint32Array ? 'u32' : data instanceof Int32Array ? 'i32' : 'f32';

function elementsOf(operation: string, content: Content): { data: Elements; dtype: DType } {
  if (content instanceof Float32Array || content instanceof Int32Array || content instanceof Uint32Array)
    return { data: content, dtype: typeOfElements(content) };
  const all: readonly unknown[] | undefined = Array.isArray(content)
    ? content
    : typeof content === 'number' || typeof content === 'boolean'
      ? [content]
      : undefined;
  if (!all)
    throw new DaybreakError(
      `${operation}: expected a number, an array of numbers, a Float32Array, an Int32Array or a Uint32Array, got ${nameOf(content)}.`,
    );
  const kind = typeof all[0] === 'boolean' ? 'boolean' : 'number';
  const other = all.findIndex(item => typeof item !== kind);
  if (other >= 0)
    throw new DaybreakError(
      `${operation}: expected ${kind}s, got ${nameOf(all[other])} at index ${other}. Flatten nested arrays and pass the shape separately.`,
    );
  return { data: Float32Array.from(all, Number), dtype: kind === 'boolean' ? 'bool' : 'f32' };
}

/** A value with content from the CPU. Throws ShapeError if the shape does not match. */
export function upload(device: Device, operation: string, content: Content, shape: Shape | undefined): Value {
  const { data, dtype } = elementsOf(operation, content);
  const dimensions = shape ?? (typeof content === 'object' ? [data.length] : []);
  checkShape(operation, dimensions);
  if (sizeOf(dimensions) !== data.length)
    throw new ShapeError(
      operation,
      `expected ${sizeOf(dimensions)} numbers for shape ${formatShape(dimensions)}, got ${data.length}.`,
    );
  const storage = device.memory.allocate(data.byteLength, operation);
  device.write(storage, data);
  return new Value({ shape: dimensions, dtype }, storage);
}

/** Options of {@link tensor}. */
export interface TensorOptions {
  /** Default: the one that `init()` made last. */
  readonly device?: Device;
  /** Record gradients through this tensor in eager code. */
  readonly requiresGrad?: boolean;
}

/** Creates a tensor, row-major; `shape` defaults to one dimension, or a scalar for a single number. */
export function tensor(content: Content, shape?: Shape, options: TensorOptions = {}): Tensor {
  const device = options.device ?? activeTrace()?.device ?? currentDevice();
  const value = upload(device, 'tensor', content, shape);
  if (options.requiresGrad && isInteger(value.spec.dtype)) {
    value.storage?.release();
    throw new DTypeError('tensor', `requiresGrad: expected an f32 tensor, got ${value.spec.dtype}.`);
  }
  value.requiresGrad = options.requiresGrad ?? false;
  return new Tensor(device, value);
}

/** Options of {@link wrap}. */
export interface WrapOptions {
  /** The type of the buffer's elements; default f32. */
  readonly dtype?: DType;
  /**
   * Called once, when the tensor and everything that shares its memory (views, recorded gradients, compiled functions that captured
   * it) is disposed: from then on Daybreak encodes no more work with the buffer, though work that was submitted may still run.
   */
  readonly onDispose?: () => void;
}

/**
 * Wraps a GPU buffer in a tensor, without a copy. The caller still owns the buffer: Daybreak never destroys or writes it.
 * The buffer needs the STORAGE and COPY_SRC usages. A bool buffer holds the f32 0 or 1. Throws ShapeError if it is too small.
 */
export function wrap(device: Device, buffer: GPUBuffer, shape: Shape, options: WrapOptions = {}): Tensor {
  checkOptions('wrap', options, ['dtype', 'onDispose']);
  const { dtype = 'f32', onDispose } = options;
  checkShape('wrap', shape);
  const bytes = sizeOf(shape) * 4;
  if (buffer.size < bytes)
    throw new ShapeError(
      'wrap',
      `expected a buffer of at least ${bytes} bytes for ${formatShape(shape)}, got ${buffer.size}.`,
    );
  return new Tensor(device, new Value({ shape, dtype }, device.memory.borrow(buffer, bytes, onDispose)));
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

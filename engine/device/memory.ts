/**
 * GPU memory: explicit, pooled, with a budget and statistics.
 *
 * A `Storage` is a reference-counted range of a buffer. When its last claim is released, a whole buffer returns to the pool
 * at once: WebGPU's queue runs in order, so work submitted earlier still sees the old content. (New buffers are expensive
 * on a software driver: their pages fault on first use.)
 */
import { DisposedError, LimitError, OutOfMemoryError } from '../basics/errors.ts';

/** Current memory use in bytes: in use, pooled for reuse, and the peak in use. `buffers` counts buffers in use. */
export interface MemoryFigures {
  /** Bytes in use. */
  readonly live: number;
  /** Bytes of freed buffers, kept for reuse. */
  readonly pooled: number;
  /** Most bytes that were in use at once. */
  readonly peak: number;
  /** Number of buffers in use. */
  readonly buffers: number;
}

/** An allocation that is live (debug mode): label, bytes, and the stack of the call that made it. */
export interface Holder {
  /** The operation or function that allocated it. */
  readonly label: string;
  /** Its size. */
  readonly bytes: number;
  /** The stack of the call. */
  readonly stack: string;
}

let nextStorageId = 1;

/** A reference-counted range of `buffer`: `bytes` bytes from `offset`. Starts with one claim, the creator's. */
export class Storage {
  readonly id = nextStorageId++;
  readonly buffer: GPUBuffer;
  readonly offset: number;
  readonly bytes: number;
  readonly #release: () => void;
  #claims = 1;

  constructor(buffer: GPUBuffer, offset: number, bytes: number, release: () => void) {
    this.buffer = buffer;
    this.offset = offset;
    this.bytes = bytes;
    this.#release = release;
  }

  get alive(): boolean {
    return this.#claims > 0;
  }

  retain(): this {
    if (this.#claims <= 0) throw new DisposedError('This memory was already released.');
    this.#claims++;
    return this;
  }

  release(): void {
    if (this.#claims <= 0) return;
    this.#claims--;
    if (this.#claims === 0) this.#release();
  }

  /** A slice of this storage, which stays alive as long as the slice. `offset` is in bytes. */
  slice(offset: number, bytes: number): Storage {
    this.retain();
    return new Storage(this.buffer, this.offset + offset, bytes, () => this.release());
  }
}

/** Storage buffers are bound from multiples of this many bytes (WebGPU's default offset alignment). */
export const BINDING_ALIGNMENT = 256;

const USAGE_STORAGE = 0x80 | 0x08 | 0x04; // STORAGE | COPY_DST | COPY_SRC

/** Rounds up to a size class: four per power of two, so at most a quarter is wasted. */
export function sizeClass(bytes: number): number {
  const least = Math.max(bytes, BINDING_ALIGNMENT);
  const octave = 2 ** Math.floor(Math.log2(least));
  const step = Math.max(octave / 4, BINDING_ALIGNMENT);
  return Math.ceil(least / step) * step;
}

export class MemoryPool {
  readonly #gpu: GPUDevice;
  #budget: number;
  readonly #debug: boolean;
  readonly #free = new Map<number, GPUBuffer[]>();
  readonly #holders = new Map<number, Holder>();
  #nextHolder = 1;
  #live = 0;
  #pooled = 0;
  #peak = 0;
  #buffers = 0;
  #latest = 0;

  constructor(gpu: GPUDevice, budget: number, debug: boolean) {
    this.#gpu = gpu;
    this.#budget = budget;
    this.#debug = debug;
  }

  /** The most bytes that may be live and pooled together. */
  get budget(): number {
    return this.#budget;
  }

  /**
   * Call when the driver refused the latest buffer. Frees the pool, so that the work can be retried, and limits the budget
   * to the memory held until then.
   */
  refused(): void {
    const had = this.#live + this.#pooled - this.#latest;
    if (had > 0) this.#budget = Math.min(this.#budget, had);
    this.trim();
  }

  figures(): MemoryFigures {
    return { live: this.#live, pooled: this.#pooled, peak: this.#peak, buffers: this.#buffers };
  }

  /** Bytes of the latest new buffer: most likely the one that the driver refused, if it refuses one. */
  get latest(): number {
    return this.#latest;
  }

  /** Live allocations, largest first. Empty unless the device was created with `debug: true`. */
  holders(): Holder[] {
    return [...this.#holders.values()].sort((a, b) => b.bytes - a.bytes);
  }

  /** Allocates `bytes` bytes, from the pool if possible. Content is undefined. */
  allocate(bytes: number, label: string): Storage {
    return this.#claim(sizeClass(bytes), bytes, label, true);
  }

  /** Allocates exactly `bytes` bytes. The buffer is destroyed, not pooled, when released; content is zero. */
  allocateExact(bytes: number, label: string): Storage {
    const size = Math.ceil(Math.max(bytes, 4) / 4) * 4;
    return this.#claim(size, bytes, label, false);
  }

  /** Wraps a buffer that someone else owns. It is not counted, pooled or destroyed; `released` is called with its last claim. */
  borrow(buffer: GPUBuffer, bytes: number, released: () => void = () => {}): Storage {
    return new Storage(buffer, 0, bytes, released);
  }

  /** Destroys every pooled buffer. */
  trim(): void {
    for (const buffers of this.#free.values()) for (const buffer of buffers) buffer.destroy();
    this.#free.clear();
    this.#pooled = 0;
  }

  #claim(size: number, bytes: number, label: string, pooled: boolean): Storage {
    const stack = pooled ? this.#free.get(size) : undefined;
    let buffer = stack?.pop();
    if (buffer) this.#pooled -= size;
    else buffer = this.#create(size, label);
    this.#live += size;
    this.#peak = Math.max(this.#peak, this.#live);
    this.#buffers++;
    const holder = this.#nextHolder++;
    if (this.#debug) this.#holders.set(holder, { label, bytes: size, stack: new Error().stack ?? '' });
    const kept = buffer;
    return new Storage(buffer, 0, bytes, () => {
      this.#live -= size;
      this.#buffers--;
      this.#holders.delete(holder);
      if (pooled) this.#recycle(size, kept);
      else kept.destroy();
    });
  }

  #create(size: number, label: string): GPUBuffer {
    const allowed = this.#gpu.limits.maxBufferSize;
    if (size > allowed) throw new LimitError(label, 'maxBufferSize', size, allowed);
    if (this.#live + this.#pooled + size > this.#budget) this.trim();
    if (this.#live + size > this.#budget)
      throw new OutOfMemoryError({ requested: size, live: this.#live, peak: this.#peak, budget: this.#budget });
    this.#latest = size;
    return this.#gpu.createBuffer({ label, size, usage: USAGE_STORAGE });
  }

  #recycle(size: number, buffer: GPUBuffer): void {
    const stack = this.#free.get(size);
    if (stack) stack.push(buffer);
    else this.#free.set(size, [buffer]);
    this.#pooled += size;
  }
}

/**
 * GPU memory: explicit, pooled, bounded and accounted for.
 *
 * A `Storage` is a counted claim on a range of a buffer. When the last claim goes, a whole buffer returns to the pool at
 * once: WebGPU's queue runs in order, so work submitted earlier still sees the old content. (Fresh buffers are dear on a
 * software driver: their pages fault at first use.)
 */
import { DisposedError, LimitError, OutOfMemoryError } from '../basics/errors.ts';

/** Bytes at one moment: in use, kept for reuse, and the most ever in use. */
export interface MemoryFigures {
  readonly live: number;
  readonly pooled: number;
  readonly peak: number;
  readonly buffers: number;
}

/** Who holds live memory (debug mode): label, bytes, and where it was asked for. */
export interface Holder {
  readonly label: string;
  readonly bytes: number;
  readonly stack: string;
}

let nextStorageId = 1;

/** A counted claim on `bytes` bytes of `buffer` from `offset`. Starts with one claim, its maker's. */
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
    if (this.#claims <= 0) throw new DisposedError('This memory was given back already.');
    this.#claims++;
    return this;
  }

  release(): void {
    if (this.#claims <= 0) return;
    this.#claims--;
    if (this.#claims === 0) this.#release();
  }

  /** A part of this storage that keeps the whole alive. `offset` is in bytes. */
  slice(offset: number, bytes: number): Storage {
    this.retain();
    return new Storage(this.buffer, this.offset + offset, bytes, () => this.release());
  }
}

/** Storage buffers are bound from multiples of this many bytes (WebGPU's default offset alignment). */
export const BINDING_ALIGNMENT = 256;

const USAGE_STORAGE = 0x80 | 0x08 | 0x04; // STORAGE | COPY_DST | COPY_SRC

/** Rounds up to a size class: four classes an octave, so at most a quarter is wasted. */
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
   * The driver has refused the buffer made last. What is pooled goes, so that the work may be tried again, and from now on so
   * much counts as all that there is.
   */
  refused(): void {
    const had = this.#live + this.#pooled - this.#latest;
    if (had > 0) this.#budget = Math.min(this.#budget, had);
    this.trim();
  }

  figures(): MemoryFigures {
    return { live: this.#live, pooled: this.#pooled, peak: this.#peak, buffers: this.#buffers };
  }

  /** Bytes of the buffer made last: that one it is, most likely, which the driver refuses when it does. */
  get latest(): number {
    return this.#latest;
  }

  /** Who holds what is live, largest first. Empty unless the device was made with `debug: true`. */
  holders(): Holder[] {
    return [...this.#holders.values()].sort((a, b) => b.bytes - a.bytes);
  }

  /** Memory for `bytes` bytes, from the pool where it has some. Content is undefined. */
  allocate(bytes: number, label: string): Storage {
    return this.#claim(sizeClass(bytes), bytes, label, true);
  }

  /** Memory of exactly this size that is destroyed, not pooled, when released; content is zero. */
  allocateExact(bytes: number, label: string): Storage {
    const size = Math.ceil(Math.max(bytes, 4) / 4) * 4;
    return this.#claim(size, bytes, label, false);
  }

  /** A claim on a buffer of somebody else's, which is never written into the figures, pooled or destroyed. */
  borrow(buffer: GPUBuffer, bytes: number): Storage {
    return new Storage(buffer, 0, bytes, () => {});
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

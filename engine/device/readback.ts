/** Reading GPU memory on the CPU. */

import { sleepUntil } from '#gpu';
import { LimitError } from '../basics/errors.ts';
import type { Storage } from './memory.ts';

const MAP_READ = 1;
const COPY_DST = 8;

/** Larger staging buffers (bytes) are not kept: for whole images they would double the memory of an upscaling run. */
const LARGE_STAGING = 2 ** 26;

/** WebGPU copies multiples of four bytes. */
const padded = (bytes: number): number => Math.ceil(bytes / 4) * 4;

/** Reads storages through staging buffers, which are reused. */
export class Readback {
  readonly #gpu: GPUDevice;
  /** By size. */
  readonly #staging = new Map<number, GPUBuffer[]>();

  constructor(gpu: GPUDevice) {
    this.#gpu = gpu;
  }

  /**
   * Copies storages to one staging buffer, in order with all other work.
   * @throws LimitError if no buffer can be that large.
   */
  begin(storages: readonly Storage[]): PendingRead {
    const total = storages.reduce((sum, storage) => sum + padded(storage.bytes), 0);
    // Large buffers have the exact size: a power of two may exceed the maximum buffer size.
    const size = total > LARGE_STAGING ? total : 2 ** Math.ceil(Math.log2(Math.max(total, 256)));
    const allowed = this.#gpu.limits.maxBufferSize;
    if (size > allowed) throw new LimitError('Reading from the GPU', 'maxBufferSize', size, allowed);
    const usage = MAP_READ | COPY_DST;
    const staging = this.#staging.get(size)?.pop() ?? this.#gpu.createBuffer({ label: 'readback', size, usage });
    const encoder = this.#gpu.createCommandEncoder();
    let offset = 0;
    for (const storage of storages) {
      encoder.copyBufferToBuffer(storage.buffer, storage.offset, staging, offset, padded(storage.bytes));
      offset += padded(storage.bytes);
    }
    this.#gpu.queue.submit([encoder.finish()]);
    return { staging, size, total, storages };
  }

  /** Waits for the copies and returns their bytes, one array per storage. */
  async finish({ staging, size, total, storages }: PendingRead): Promise<Uint8Array<ArrayBuffer>[]> {
    await sleepUntil(staging.mapAsync(MAP_READ, 0, total));
    const all = new Uint8Array(staging.getMappedRange(0, total).slice(0));
    staging.unmap();
    const pool = this.#staging.get(size);
    if (size > LARGE_STAGING) staging.destroy();
    else if (pool) pool.push(staging);
    else this.#staging.set(size, [staging]);
    let start = 0;
    return storages.map(({ bytes }) => {
      const content = all.slice(start, start + bytes);
      start += padded(bytes);
      return content;
    });
  }

  dispose(): void {
    for (const buffers of this.#staging.values()) for (const buffer of buffers) buffer.destroy();
    this.#staging.clear();
  }
}

/** A read in progress. */
interface PendingRead {
  readonly staging: GPUBuffer;
  readonly size: number;
  readonly total: number;
  readonly storages: readonly Storage[];
}

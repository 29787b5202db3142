/** WebGPU under Node: Dawn, and waiting for it without burning a core. The browser twin is `gpu.browser.ts`. */
import { totalmem } from 'node:os';
import { create, globals } from 'webgpu';

export interface GpuRequest {
  /** Part of the wanted driver's name (Dawn's `adapter=` flag). */
  readonly adapter?: string;
}

/**
 * What `create()` returned, kept alive for good: once it is collected, devices made from it crash the process.
 * One for each set of flags.
 */
const instances = new Map<string, GPU>();

/** Dawn's entry point. */
export async function requestGpu(request: GpuRequest = {}): Promise<GPU> {
  const flags = request.adapter === undefined ? [] : [`adapter=${request.adapter}`];
  const key = flags.join(' ');
  let gpu = instances.get(key);
  if (!gpu) {
    gpu = create(flags);
    instances.set(key, gpu);
  }
  return gpu;
}

Object.assign(globalThis, globals);

/** Bytes of main memory, which is the GPU's on a software driver. */
export const systemMemory = (): number | undefined => totalmem();

const cell = new Int32Array(new SharedArrayBuffer(4));

/**
 * Waits for one of Dawn's promises. While one is pending, Dawn polls from the event loop without a pause and takes most
 * of a core, which a software driver needs for its kernels; sleeping a little in each turn gives it back.
 */
export async function quietly<T>(promise: Promise<T>): Promise<T> {
  let pending = true;
  const nap = () => {
    if (!pending) return;
    Atomics.wait(cell, 0, 0, 0.2);
    setImmediate(nap);
  };
  setImmediate(nap);
  try {
    return await promise;
  } finally {
    pending = false;
  }
}

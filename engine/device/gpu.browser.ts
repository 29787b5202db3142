/** WebGPU in a browser. The Node version is `gpu.node.ts`. */
import { AdapterNotFoundError } from '../basics/errors.ts';

export interface GpuRequest {
  /** Only Node can choose a driver by name. */
  readonly adapter?: string;
}

/** The browser's entry point. Throws AdapterNotFoundError if there is none. */
export async function requestGpu(request: GpuRequest = {}): Promise<GPU> {
  if (request.adapter !== undefined)
    throw new AdapterNotFoundError(`Browsers cannot select an adapter by name: remove "${request.adapter}".`);
  const { navigator } = globalThis as { navigator?: { readonly gpu?: GPU } };
  const gpu = navigator?.gpu;
  if (!gpu) throw new AdapterNotFoundError('WebGPU is not available: it needs a recent browser and an https page.');
  return gpu;
}

/** Unknown in a browser. */
export const systemMemory = (): number | undefined => undefined;

/** Browsers have no environment variables. */
export const defaultKernels = (): 'fast' | 'plain' => 'fast';

/** CPU threads, as far as the browser reports them. */
export const systemProcessors = (): number =>
  (globalThis as { navigator?: { readonly hardwareConcurrency?: number } }).navigator?.hardwareConcurrency ?? 4;

/** Browsers clean up devices themselves. */
export const destroyOnExit = (_: GPUDevice): void => undefined;

/** Browsers wait without polling. */
export const sleepUntil = <T>(promise: Promise<T>): Promise<T> => promise;

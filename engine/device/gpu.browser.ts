/** WebGPU in a browser. The Node twin is `gpu.node.ts`. */
import { AdapterNotFoundError } from '../basics/errors.ts';

export interface GpuRequest {
  /** Only Node can choose a driver by name. */
  readonly adapter?: string;
}

/** The browser's entry point. Throws AdapterNotFoundError where there is none. */
export async function requestGpu(request: GpuRequest = {}): Promise<GPU> {
  if (request.adapter !== undefined)
    throw new AdapterNotFoundError(`A browser cannot choose the driver ${request.adapter} by name: leave it out.`);
  const { navigator } = globalThis as { navigator?: { readonly gpu?: GPU } };
  const gpu = navigator?.gpu;
  if (!gpu)
    throw new AdapterNotFoundError('This browser has no WebGPU here: it needs a current version and an https page.');
  return gpu;
}

/** A browser does not tell. */
export const systemMemory = (): number | undefined => undefined;

/** CPU threads, as far as the browser tells. */
export const systemProcessors = (): number =>
  (globalThis as { navigator?: { readonly hardwareConcurrency?: number } }).navigator?.hardwareConcurrency ?? 4;

/** A browser sees to its devices itself. */
export const endWithProcess = (_: GPUDevice): void => undefined;

/** Browsers wait without polling. */
export const quietly = <T>(promise: Promise<T>): Promise<T> => promise;

/** Provides the browser's globals to a peer: `navigator.gpu` and WebGPU's classes, on the adapter that Daybreak would use. */
import { adapterName, describeAdapter, isSoftware } from '../../engine/device/adapter.ts';
import { requestGpu } from '../../engine/device/gpu.node.ts';

export interface ExposedAdapter {
  readonly name: string;
  readonly software: boolean;
}

/** Call it before importing a peer's library: some access `navigator.gpu` while loading. */
export async function exposeWebGpu(): Promise<ExposedAdapter> {
  const gpu = await requestGpu();
  // Node 20 has no navigator; later versions have one with a getter.
  const navigator: object = Reflect.get(globalThis, 'navigator') ?? { userAgent: 'node' };
  Object.defineProperty(navigator, 'gpu', { value: gpu, configurable: true });
  Object.defineProperty(globalThis, 'navigator', { value: navigator, configurable: true });
  const info = (await gpu.requestAdapter())?.info;
  const description = describeAdapter(info);
  return { name: adapterName(description), software: isSoftware(description) };
}

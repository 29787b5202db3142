/** A device's cache of compiled kernels. */

import { LruCache } from '../basics/lru-cache.ts';
import type { Kernel } from '../text/kernel.ts';

/** A compiled kernel and the layout of its bind group. */
export interface Pipeline {
  readonly pipeline: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
}

interface Layout {
  readonly bindGroup: GPUBindGroupLayout;
  readonly pipeline: GPUPipelineLayout;
}

/** Pipelines in the cache. Programs hold references to those they use, so eviction does not affect them. */
const PIPELINES_KEPT = 4096;

const COMPUTE = 4; // GPUShaderStage.COMPUTE

const BUFFER_TYPES = { r: 'read-only-storage', w: 'storage', u: 'uniform' } as const;

/** Compiles kernels, each text once. */
export class Pipelines {
  readonly #gpu: GPUDevice;
  readonly #onError: (message: string) => void;
  readonly #made = new LruCache<string, Pipeline>(PIPELINES_KEPT);
  /** By signature: one letter of BUFFER_TYPES per binding. */
  readonly #layouts = new Map<string, Layout>();

  /** @param onError called for kernels that do not compile, some time after they were requested. */
  constructor(gpu: GPUDevice, onError: (message: string) => void) {
    this.#gpu = gpu;
    this.#onError = onError;
  }

  /** Number of cached kernels. */
  get count(): number {
    return this.#made.size;
  }

  of(kernel: Kernel): Pipeline {
    const hasParams = kernel.params !== undefined && kernel.params.length > 0;
    const signature = kernel.bindings.map(access => access[0]).join('') + (hasParams ? 'u' : '');
    const key = `${signature}|${kernel.wgsl}`;
    const known = this.#made.get(key);
    if (known) return known;
    const layout = this.#layout(signature);
    this.#gpu.pushErrorScope('validation');
    const module = this.#gpu.createShaderModule({ label: kernel.name, code: kernel.wgsl });
    const pipeline = this.#gpu.createComputePipeline({
      label: kernel.name,
      layout: layout.pipeline,
      compute: { module, entryPoint: 'main' },
    });
    void this.#gpu.popErrorScope().then(error => {
      if (error) this.#onError(`${kernel.name}: ${error.message}\n${kernel.wgsl}`);
    });
    const made = { pipeline, layout: layout.bindGroup };
    this.#made.set(key, made);
    return made;
  }

  #layout(signature: string): Layout {
    const known = this.#layouts.get(signature);
    if (known) return known;
    const entries = [...signature].map((letter, binding) => ({
      binding,
      visibility: COMPUTE,
      buffer: { type: BUFFER_TYPES[letter as keyof typeof BUFFER_TYPES] },
    }));
    const bindGroup = this.#gpu.createBindGroupLayout({ entries });
    const made = { bindGroup, pipeline: this.#gpu.createPipelineLayout({ bindGroupLayouts: [bindGroup] }) };
    this.#layouts.set(signature, made);
    return made;
  }
}

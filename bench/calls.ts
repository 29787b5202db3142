/** Counts WebGPU calls: independent of machine load, and comparable for all engines. */

/** Calls between two readings. */
export interface Calls {
  readonly dispatches: number;
  readonly submits: number;
  readonly buffers: number;
}

const METHODS = {
  dispatches: ['GPUComputePassEncoder', ['dispatchWorkgroups', 'dispatchWorkgroupsIndirect']],
  submits: ['GPUQueue', ['submit']],
  buffers: ['GPUDevice', ['createBuffer']],
} as const satisfies Record<keyof Calls, readonly [string, readonly string[]]>;

/**
 * Counts the calls of this whole process from creation until it is disposed. Dawn must be loaded (a device exists), because
 * the counter patches its classes.
 */
export class CallCounter implements Disposable {
  readonly #counts = { dispatches: 0, submits: 0, buffers: 0 };
  readonly #restore: (() => void)[] = [];

  constructor() {
    for (const kind of Object.keys(METHODS) as (keyof Calls)[]) {
      const [type, names] = METHODS[kind];
      for (const name of names) this.#watch(type, name, kind);
    }
  }

  #watch(type: string, name: string, kind: keyof Calls): void {
    const { prototype } = (globalThis as unknown as Record<string, { prototype: Record<string, unknown> }>)[type];
    const original = prototype[name] as (...args: unknown[]) => unknown;
    const counts = this.#counts;
    prototype[name] = function (...args: unknown[]) {
      counts[kind]++;
      return original.apply(this, args);
    };
    this.#restore.push(() => {
      prototype[name] = original;
    });
  }

  /** The calls since the last reading. */
  take(): Calls {
    const taken = { ...this.#counts };
    Object.assign(this.#counts, { dispatches: 0, submits: 0, buffers: 0 });
    return taken;
  }

  [Symbol.dispose](): void {
    for (const restore of this.#restore.splice(0).reverse()) restore();
  }
}

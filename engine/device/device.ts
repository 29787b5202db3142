/** The GPU device: its capabilities, pipelines, memory and queue. */
import { defaultKernels, destroyOnExit, requestGpu, sleepUntil, systemMemory, systemProcessors } from '#gpu';
import {
  AdapterNotFoundError,
  DaybreakError,
  DeviceLostError,
  OutOfMemoryError,
  ValidationError,
} from '../basics/errors.ts';
import type { AdapterTraits, Choices, Kernel } from '../text/kernel.ts';
import { type AdapterDescription, adapterName, describeAdapter, isSoftware, subgroupSizes } from './adapter.ts';
import { MemoryPool, type Storage } from './memory.ts';
import { type Pipeline, Pipelines } from './pipelines.ts';
import { Readback } from './readback.ts';

/** Options of `init` and {@link Device.create}. */
export interface DeviceOptions {
  /** A device that the caller owns: used as is, never destroyed by Daybreak. */
  readonly device?: GPUDevice;
  /**
   * Part of the adapter's name, e.g. `llvmpipe` or `NVIDIA`, optionally with the index among the matches, from 0:
   * `NVIDIA:1`, or `:1` for the second of all (Node only).
   */
  readonly adapter?: string;
  /** Which GPU to prefer; default `high-performance`. */
  readonly powerPreference?: GPUPowerPreference;
  /** Maximum bytes of GPU memory, including pools. Default: three quarters of the system's memory on software adapters. */
  readonly memoryBudget?: number;
  /**
   * `plain` uses the simplest kernel for convolutions and matrix products: slow, but it shows whether a fast kernel is at
   * fault, and it compiles quickly. Default: the variable DAYBREAK_KERNELS (Node only), or `fast`.
   */
  readonly kernels?: 'fast' | 'plain';
  /** Records who holds memory and checks every dispatch; slower. */
  readonly debug?: boolean;
}

const COPY_DST = 8;
const UNIFORM = 0x40;

/** How long to wait for the news of a loss that must have happened. */
const LOSS_NEWS_MS = 1000;

/** A GPU device with its pipeline cache and memory pool. Create one with {@link Device.create} or `init()`. */
export class Device implements Disposable {
  /** WebGPU's device. */
  readonly gpu: GPUDevice;
  /** What the adapter says about itself. */
  readonly description: AdapterDescription;
  /** Properties that determine the choice and text of kernels. Only {@link useChoices} changes them. */
  traits: AdapterTraits;
  /** Allocates and counts the memory of all tensors. */
  readonly memory: MemoryPool;
  /** See {@link DeviceOptions.debug}. */
  readonly debug: boolean;
  readonly #owned: boolean;
  readonly #pipelines: Pipelines;
  readonly #readback: Readback;
  #failure: DaybreakError | undefined;

  private constructor(gpu: GPUDevice, info: AdapterDescription, fixedSubgroup: number, options: DeviceOptions) {
    this.gpu = gpu;
    this.description = info;
    this.debug = options.debug ?? false;
    this.#owned = options.device === undefined;
    const software = isSoftware(info);
    this.traits = {
      vendor: info.vendor,
      architecture: info.architecture,
      software,
      subgroupSize: gpu.features.has('subgroups') ? fixedSubgroup : 0,
      processors: systemProcessors(),
      shaderF16: gpu.features.has('shader-f16'),
      maxWorkgroupInvocations: gpu.limits.maxComputeInvocationsPerWorkgroup,
      maxWorkgroupStorageBytes: gpu.limits.maxComputeWorkgroupStorageSize,
      maxStorageBuffers: gpu.limits.maxStorageBuffersPerShaderStage,
      maxBindingBytes: gpu.limits.maxStorageBufferBindingSize,
      ...((options.kernels ?? defaultKernels()) === 'plain' && { plain: true }),
    };
    // Software drivers overcommit memory without an out-of-memory error, so we enforce a budget.
    const memory = systemMemory();
    const budget = options.memoryBudget ?? (software && memory ? 0.75 * memory : Number.POSITIVE_INFINITY);
    this.memory = new MemoryPool(gpu, budget, this.debug);
    this.#readback = new Readback(gpu);
    this.#pipelines = new Pipelines(gpu, message => {
      // Overrides errors that follow from it (an invalid pipeline) and were reported earlier.
      if (!this.lost) this.#failure = new ValidationError(message);
    });
    // On the caller's device, only errors within `guarded` are ours.
    if (this.#owned) gpu.addEventListener('uncapturederror', this.#onError);
    void gpu.lost.then(lost => {
      this.#failure = new DeviceLostError(lost.reason, lost.message);
    });
  }

  /** A property, so that it can be removed: a listener keeps Dawn's device alive forever. */
  readonly #onError = (event: Event): void => this.#note((event as GPUUncapturedErrorEvent).error);

  #note(error: GPUError): void {
    if (this.#isOutOfMemory(error)) this.memory.refused();
    this.fail(this.#described(error));
  }

  /** Runs GPU work and records its errors: the next {@link check} throws them. */
  guarded<T>(work: () => T): T {
    if (this.#owned) return work();
    const filters = ['validation', 'out-of-memory', 'internal'] as const;
    for (const filter of filters) this.gpu.pushErrorScope(filter);
    try {
      return work();
    } finally {
      for (const _ of filters)
        this.gpu.popErrorScope().then(
          error => error && this.#note(error),
          () => {}, // The device is lost, which is reported elsewhere.
        );
    }
  }

  /** The adapter's name for people: its driver and device. */
  get adapterName(): string {
    return adapterName(this.description);
  }

  /** Overrides the families' rules in everything compiled from now on; undefined restores the rules. */
  useChoices(choices: Choices | undefined): void {
    const { choices: _, ...traits } = this.traits;
    this.traits = { ...traits, ...(choices && { choices }) };
  }

  /** Finds an adapter and creates a device with the adapter's features and limits. Throws AdapterNotFoundError. */
  static async create(options: DeviceOptions = {}): Promise<Device> {
    if (options.device) {
      const info = (options.device as GPUDevice & { adapterInfo?: GPUAdapterInfo }).adapterInfo;
      return new Device(options.device, describeAdapter(info), fixedSubgroupSize(info), options);
    }
    const gpu = await requestGpu(options.adapter === undefined ? {} : { adapter: options.adapter });
    const adapter = await gpu.requestAdapter({ powerPreference: options.powerPreference ?? 'high-performance' });
    if (!adapter) throw new AdapterNotFoundError('No WebGPU adapter was found. Run `npx daybreak doctor`.');
    const wanted = ['subgroups', 'shader-f16', 'timestamp-query'] as const;
    const device = await adapter.requestDevice({
      requiredFeatures: wanted.filter(feature => adapter.features.has(feature)) as GPUFeatureName[],
      requiredLimits: limitsOf(adapter),
    });
    destroyOnExit(device);
    return new Device(device, describeAdapter(adapter.info), fixedSubgroupSize(adapter.info), options);
  }

  /** Throws an error that occurred since the last check: a lost device, or an error that WebGPU reported late. */
  check(): void {
    const failure = this.#failure;
    if (!failure) return;
    if (!(failure instanceof DeviceLostError)) this.#failure = undefined;
    throw failure;
  }

  /** Records an error that no call could throw; the next {@link check} throws the first one. */
  fail(error: DaybreakError): void {
    this.#failure ??= error;
  }

  /** The device's limits, by WebGPU's names. */
  get limits(): Record<string, number> {
    const { limits } = this.gpu;
    const names = Object.keys(Object.getOwnPropertyDescriptors(Object.getPrototypeOf(limits)));
    const values = names.map(name => [name, (limits as unknown as Record<string, unknown>)[name]] as const);
    return Object.fromEntries(values.filter((entry): entry is [string, number] => typeof entry[1] === 'number'));
  }

  /**
   * The loss of this device if that caused the error; undefined if the device is fine. Errors caused by a loss may be
   * reported before the loss itself.
   */
  async lossBehind(error: unknown): Promise<DeviceLostError | undefined> {
    if (error instanceof DeviceLostError) return error;
    // The device's events arrive between turns of the event loop.
    for (let turn = 0; turn < 3 && !this.lost; turn++) await new Promise(resolve => setTimeout(resolve, 0));
    return this.#failure instanceof DeviceLostError ? this.#failure : undefined;
  }

  /** Whether the device is gone; whatever uses it throws DeviceLostError. */
  get lost(): boolean {
    return this.#failure instanceof DeviceLostError;
  }

  /** The compiled kernel, cached by its text. Compile errors are thrown by the next {@link check}, with the text. */
  pipeline(kernel: Kernel): Pipeline {
    return this.#pipelines.of(kernel);
  }

  /** Number of cached pipelines. */
  get pipelineCount(): number {
    return this.#pipelines.count;
  }

  /** A uniform buffer with these words, of 16 bytes or more. The caller destroys it. */
  uniformBuffer(words: Uint32Array<ArrayBuffer>): GPUBuffer {
    const buffer = this.gpu.createBuffer({ size: Math.max(words.byteLength, 16), usage: UNIFORM | COPY_DST });
    this.gpu.queue.writeBuffer(buffer, 0, words);
    return buffer;
  }

  /** Copies bytes from the start of one storage to the start of another, in order with all other work. */
  copy(from: Storage, to: Storage, bytes: number): void {
    // WebGPU cannot copy within one buffer.
    const between = from.buffer === to.buffer ? this.memory.allocate(bytes, 'copy') : undefined;
    const size = Math.ceil(bytes / 4) * 4;
    this.guarded(() => {
      const encoder = this.gpu.createCommandEncoder();
      if (between) encoder.copyBufferToBuffer(from.buffer, from.offset, between.buffer, between.offset, size);
      const source = between ?? from;
      encoder.copyBufferToBuffer(source.buffer, source.offset, to.buffer, to.offset, size);
      this.gpu.queue.submit([encoder.finish()]);
    });
    between?.release();
  }

  /** Writes numbers from the CPU to the start of a storage, in order with all other work. */
  write({ buffer, offset }: Storage, data: Float32Array | Int32Array | Uint32Array): void {
    this.guarded(() =>
      this.gpu.queue.writeBuffer(buffer, offset, data.buffer as ArrayBuffer, data.byteOffset, data.byteLength),
    );
  }

  /** Reads the content of storages, as bytes, in one copy. Waits without using the CPU. */
  async read(storages: readonly Storage[]): Promise<Uint8Array<ArrayBuffer>[]> {
    this.check();
    let contents: Uint8Array<ArrayBuffer>[];
    try {
      const pending = this.guarded(() => this.#readback.begin(storages));
      contents = await this.#readback.finish(pending);
    } catch (cause) {
      throw await this.#explained('Reading from the GPU failed.', cause);
    }
    this.check();
    return contents;
  }

  /** Resolves when all submitted work is done, without using the CPU meanwhile. Throws errors that occurred. */
  async finished(): Promise<void> {
    try {
      await sleepUntil(this.gpu.queue.onSubmittedWorkDone());
    } catch (cause) {
      throw await this.#explained('Waiting for the GPU failed.', cause);
    }
    this.check();
  }

  /** What to throw for an error of WebGPU's: the loss or the earlier error behind it, else it with a message of ours. */
  async #explained(message: string, cause: unknown): Promise<unknown> {
    if (cause instanceof DaybreakError) return cause;
    // WebGPU aborts what it waits for when the device is lost; in browsers the news of the loss comes from another process.
    if (cause instanceof Error && cause.name === 'AbortError')
      await Promise.race([this.gpu.lost, new Promise(resolve => setTimeout(resolve, LOSS_NEWS_MS))]);
    const loss = await this.lossBehind(cause);
    if (loss) return loss;
    this.check();
    return new DaybreakError(message, { cause });
  }

  /** Destroys the device, unless the caller owns it. */
  dispose(): void {
    this.memory.trim();
    this.#readback.dispose();
    if (!this.#owned) return;
    this.gpu.removeEventListener('uncapturederror', this.#onError);
    this.gpu.destroy();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  /** The caller's device may come without global error classes. */
  #isOutOfMemory(error: GPUError): boolean {
    return typeof GPUOutOfMemoryError === 'function' && error instanceof GPUOutOfMemoryError;
  }

  #described(error: GPUError): DaybreakError {
    if (!this.#isOutOfMemory(error)) return new ValidationError(error.message);
    const { live, peak } = this.memory.figures();
    const { budget, latest: requested } = this.memory;
    return new OutOfMemoryError({ requested, live, peak, budget }, { cause: error });
  }
}

/** The limits to raise to the adapter's. */
function limitsOf(adapter: GPUAdapter): Record<string, number> {
  const names = [
    'maxBufferSize',
    'maxStorageBufferBindingSize',
    'maxStorageBuffersPerShaderStage',
    'maxComputeWorkgroupStorageSize',
    'maxComputeInvocationsPerWorkgroup',
    'maxComputeWorkgroupSizeX',
    'maxComputeWorkgroupSizeY',
    'maxComputeWorkgroupSizeZ',
  ] as const;
  return Object.fromEntries(names.map(name => [name, adapter.limits[name]]));
}

/** Lanes per subgroup if the adapter guarantees one size, else 0. */
function fixedSubgroupSize(info: GPUAdapterInfo | undefined): number {
  const [least, most] = subgroupSizes(info) ?? [0, 0];
  return least === most ? least : 0;
}

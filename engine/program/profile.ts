/** Profiles one run of a program: time on the host, and for each dispatch on the GPU. */
import type { Device } from '../device/device.ts';
import type { Storage } from '../device/memory.ts';
import type { Call } from './lower.ts';
import { bytesAlive } from './plan.ts';
import type { Probe, Program } from './program.ts';

/** A time span: milliseconds of `performance.now()`, unless noted otherwise. */
export interface Span {
  /** Its start. */
  readonly begin: number;
  /** Its end. */
  readonly end: number;
}

/** One dispatch; times are milliseconds since the run's first dispatch began. */
export interface DispatchProfile extends Span {
  /** The kernel and what it was dispatched with. */
  readonly call: Call;
  /** Bytes of its bindings: the minimum memory traffic if each is read or written once. */
  readonly bytes: number;
  /** Bytes of the temporaries alive while it runs. */
  readonly alive: number;
}

/**
 * How dispatches are timed. `gpu`: with GPU timestamps, each dispatch in its own pass, all in one submit. `host`: with the
 * host's clock; after the run the dispatches are repeated, one submit each, and waited for, so the times include launching
 * and waiting.
 */
export type Clock = 'gpu' | 'host';

/** Where the time of one run went. */
export interface RunProfile {
  /** Building bind groups and the command buffer. */
  readonly encode: Span;
  /** Handing the commands to the driver. */
  readonly submit: Span;
  /** Waiting for the GPU. */
  readonly wait: Span;
  /** Undefined if dispatches were not timed. */
  readonly clock: Clock | undefined;
  /** In the order of the run. */
  readonly dispatches: readonly DispatchProfile[];
  /** Start of the first dispatch: nanoseconds of the GPU's clock, or the host's. */
  readonly origin: bigint;
  /** Resolution of the GPU's clock in nanoseconds (browsers, and Dawn by default, quantize it). */
  readonly tick: number;
}

/** WebGPU's limit for one query set. */
const QUERIES = 4096;
/** Quantized timestamps are multiples of this. */
const COARSE = 65_536;

const MAP_READ = 1;
const COPY_SRC = 4;
const COPY_DST = 8;
const QUERY_RESOLVE = 0x200;

/** Query sets and the buffers for reading them. */
class Timestamps implements Disposable {
  readonly #sets: GPUQuerySet[] = [];
  readonly #resolved: GPUBuffer;
  readonly #staging: GPUBuffer;
  readonly #dispatches: number;

  constructor(gpu: GPUDevice, dispatches: number) {
    this.#dispatches = dispatches;
    for (let left = 2 * dispatches; left > 0; left -= QUERIES)
      this.#sets.push(gpu.createQuerySet({ type: 'timestamp', count: Math.min(left, QUERIES) }));
    const size = Math.max(16 * dispatches, 16);
    this.#resolved = gpu.createBuffer({ label: 'timestamps', size, usage: QUERY_RESOLVE | COPY_SRC });
    this.#staging = gpu.createBuffer({ label: 'timestamps', size, usage: MAP_READ | COPY_DST });
  }

  pass(dispatch: number): GPUComputePassDescriptor {
    const beginningOfPassWriteIndex = (2 * dispatch) % QUERIES;
    const querySet = this.#sets[Math.floor((2 * dispatch) / QUERIES)];
    return {
      timestampWrites: { querySet, beginningOfPassWriteIndex, endOfPassWriteIndex: beginningOfPassWriteIndex + 1 },
    };
  }

  resolve(encoder: GPUCommandEncoder): void {
    for (const [i, set] of this.#sets.entries())
      encoder.resolveQuerySet(set, 0, set.count, this.#resolved, i * QUERIES * 8);
    encoder.copyBufferToBuffer(this.#resolved, 0, this.#staging, 0, this.#staging.size);
  }

  /** Start and end of each dispatch, in nanoseconds. Call it when the GPU is done. */
  async read(): Promise<BigUint64Array> {
    await this.#staging.mapAsync(MAP_READ);
    const times = new BigUint64Array(this.#staging.getMappedRange().slice(0, 16 * this.#dispatches));
    this.#staging.unmap();
    return times;
  }

  [Symbol.dispose](): void {
    for (const set of this.#sets) set.destroy();
    this.#resolved.destroy();
    this.#staging.destroy();
  }
}

/** Profiles runs of one program. Results and variables are the same as in normal runs. */
export class Profiler implements Disposable {
  readonly #device: Device;
  readonly #program: Program;
  #timestamps: Timestamps | undefined;
  #disposed = false;

  constructor(device: Device, program: Program) {
    this.#device = device;
    this.#program = program;
  }

  /**
   * Makes one run and waits for it. With a `clock` its dispatches are timed; without, it is encoded normally, and host times
   * are those of a normal run. `gpu` falls back to `host` if the device has no timestamps.
   */
  async run(inputs: readonly Storage[], clock?: Clock): Promise<{ results: Storage[]; profile: RunProfile }> {
    if (clock === undefined) return await this.#whole(inputs, undefined);
    if (clock === 'host' || !this.#device.gpu.features.has('timestamp-query')) return await this.#each(inputs);
    // Taken from the field, so that a concurrent run creates its own.
    const timestamps = this.#timestamps ?? new Timestamps(this.#device.gpu, this.#program.lowered.calls.length);
    this.#timestamps = undefined;
    try {
      return await this.#whole(inputs, timestamps);
    } finally {
      if (this.#timestamps || this.#disposed) timestamps[Symbol.dispose]();
      else this.#timestamps = timestamps;
    }
  }

  async #whole(
    inputs: readonly Storage[],
    timestamps: Timestamps | undefined,
  ): Promise<{ results: Storage[]; profile: RunProfile }> {
    let finished = 0;
    const probe: Probe = {
      ...(timestamps && {
        pass: dispatch => timestamps.pass(dispatch),
        encoded: encoder => timestamps.resolve(encoder),
      }),
      finished: () => {
        finished = performance.now();
      },
    };
    const began = performance.now();
    const results = this.#program.run(inputs, probe);
    const submitted = performance.now();
    try {
      await this.#device.finished();
      const done = performance.now();
      const times = await timestamps?.read();
      const profile = {
        encode: { begin: began, end: finished },
        submit: { begin: finished, end: submitted },
        wait: { begin: submitted, end: done },
        clock: timestamps && ('gpu' as const),
        ...this.#dispatchesOf(times ?? new BigUint64Array()),
      };
      return { results, profile };
    } catch (error) {
      for (const result of results) result.release();
      throw error;
    }
  }

  /** Runs the program, then repeats its dispatches, waiting for each. */
  async #each(inputs: readonly Storage[]): Promise<{ results: Storage[]; profile: RunProfile }> {
    const times = new BigUint64Array(2 * this.#program.lowered.calls.length);
    const now = () => BigInt(Math.round(performance.now() * 1e6));
    let results: Storage[] = [];
    let began = 0;
    let last = 0n;
    const run = async () => {
      results = this.#program.run(inputs);
      await this.#device.finished();
      began = performance.now();
      last = now();
    };
    try {
      await this.#program.rehearse(inputs, run, async dispatch => {
        await this.#device.finished();
        times[2 * dispatch] = last;
        last = now();
        times[2 * dispatch + 1] = last;
      });
    } catch (error) {
      for (const result of results) result.release();
      throw error;
    }
    const ended = performance.now();
    // Encoding, submitting and waiting cannot be separated here.
    const profile = {
      encode: { begin: began, end: began },
      submit: { begin: began, end: began },
      wait: { begin: began, end: ended },
      clock: 'host' as const,
      ...this.#dispatchesOf(times),
    };
    return { results, profile };
  }

  #dispatchesOf(times: BigUint64Array): Pick<RunProfile, 'dispatches' | 'origin' | 'tick'> {
    const alive = bytesAlive(this.#program.lowered);
    const origin = times[0] ?? 0n;
    // An end may precede its start if the GPU's clock was reset in between, which WebGPU allows.
    const since = (time: bigint) => Number(time - origin) / 1e6;
    const dispatches = [...times.keys()]
      .filter(i => i % 2 === 0)
      .map(i => {
        const call = this.#program.lowered.calls[i / 2];
        const begin = since(times[i]);
        const bytes = call.buffers.reduce((sum, buffer) => sum + buffer.bytes, 0);
        return { call, bytes, alive: alive[i / 2], begin, end: Math.max(begin, since(times[i + 1])) };
      });
    const coarse = times.length > 0 && times.every(time => time % BigInt(COARSE) === 0n);
    return { dispatches, origin, tick: coarse ? COARSE : 1 };
  }

  /** Destroys the query sets. */
  [Symbol.dispose](): void {
    this.#disposed = true;
    this.#timestamps?.[Symbol.dispose]();
    this.#timestamps = undefined;
  }
}

/** Counts all buffers created on a device, until it is disposed. */
export class BufferCount implements Disposable {
  readonly #gpu: GPUDevice;
  #count = 0;

  constructor(gpu: GPUDevice) {
    this.#gpu = gpu;
    const { createBuffer } = gpu;
    Object.defineProperty(gpu, 'createBuffer', {
      configurable: true,
      value: (descriptor: GPUBufferDescriptor): GPUBuffer => {
        this.#count++;
        return createBuffer.call(gpu, descriptor);
      },
    });
  }

  get count(): number {
    return this.#count;
  }

  [Symbol.dispose](): void {
    Reflect.deleteProperty(this.#gpu, 'createBuffer');
  }
}

/** A program: a flat list of dispatches over planned memory, encoded into one command buffer and submitted at once. */
import type { Device } from './device.ts';
import { DisposedError, LimitError } from './errors.ts';
import { type Buffer, type Call, type Lowered, rootOf } from './lower.ts';
import { BINDING_ALIGNMENT, type Storage } from './memory.ts';
import type { VariableState } from './operation.ts';
import { type Plan, planMemory } from './plan.ts';

/** A range of a GPU buffer. */
interface Range {
  readonly buffer: GPUBuffer;
  readonly offset: number;
}

/** A call made ready: pipeline, where its parameters lie, and the bind groups it has used. */
interface Ready {
  readonly call: Call;
  readonly pipeline: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
  readonly params: { offset: number; size: number } | undefined;
  /** Touches memory that may differ from call to call. */
  readonly varies: boolean;
  readonly groups: Map<string, GPUBindGroup>;
}

/** What one dispatch costs. */
export interface DispatchTime {
  readonly operation: string;
  readonly kernel: string;
  readonly milliseconds: number;
}

/** Bind groups remembered for each call whose memory varies. */
const GROUPS_KEPT = 8;

const identities = new WeakMap<GPUBuffer, number>();
let nextIdentity = 1;

function identityOf(buffer: GPUBuffer): number {
  let identity = identities.get(buffer);
  if (identity === undefined) {
    identity = nextIdentity++;
    identities.set(buffer, identity);
  }
  return identity;
}

export class Program {
  readonly #device: Device;
  readonly #lowered: Lowered;
  readonly #plan: Plan;
  readonly #ready: readonly Ready[];
  readonly #params: GPUBuffer | undefined;
  readonly #keeps: boolean;
  #slots: Storage[] | undefined;

  /** `keep`: the temporaries' memory stays between runs (compiled functions); else it is taken from the pool each time. */
  constructor(device: Device, lowered: Lowered, keep: boolean) {
    this.#device = device;
    this.#lowered = lowered;
    this.#keeps = keep;
    this.#plan = planMemory(lowered);
    const words: number[] = [];
    this.#ready = lowered.calls.map(call => prepare(device, call, words, keep));
    this.#params = words.length > 0 ? device.uniformBuffer(Uint32Array.from(words)) : undefined;
  }

  /** Number of dispatches, and bytes of temporaries. */
  get figures(): { dispatches: number; temporaryBytes: number } {
    return { dispatches: this.#ready.length, temporaryBytes: this.#plan.slots.reduce((sum, size) => sum + size, 0) };
  }

  /** The variables it reads or writes. */
  get variables(): readonly VariableState[] {
    return this.#lowered.variables;
  }

  /** One submit. Results are memory of the caller's, in the order of the graph's results. */
  run(inputs: readonly Storage[]): Storage[] {
    const { gpu } = this.#device;
    const { results, slots, find } = this.#begin(inputs);
    try {
      const encoder = gpu.createCommandEncoder();
      if (!this.#keeps) this.#clearDedicated(encoder, slots);
      this.#encodeCalls(encoder, this.#ready, find);
      this.#encodeCopies(encoder, find);
      gpu.queue.submit([encoder.finish()]);
      if (!this.#keeps) for (const slot of slots) slot.release();
    } catch (error) {
      for (const result of results) result.release();
      throw error;
    }
    return results;
  }

  /**
   * The same, dispatch by dispatch: drivers that compile a kernel when it is first used take seconds for a large
   * program, and `onKernel` can tell how far they are.
   */
  async runSlowly(inputs: readonly Storage[], onKernel: (done: number, total: number) => void): Promise<Storage[]> {
    const { gpu } = this.#device;
    const { results, slots, find } = this.#begin(inputs);
    const seen = new Set<GPUComputePipeline>();
    const total = new Set(this.#ready.map(({ pipeline }) => pipeline)).size;
    const submit = (encode: (encoder: GPUCommandEncoder) => void) => {
      const encoder = gpu.createCommandEncoder();
      encode(encoder);
      gpu.queue.submit([encoder.finish()]);
    };
    try {
      if (!this.#keeps) submit(encoder => this.#clearDedicated(encoder, slots));
      for (const ready of this.#ready) {
        submit(encoder => this.#encodeCalls(encoder, [ready], find));
        if (seen.has(ready.pipeline)) continue;
        seen.add(ready.pipeline);
        await this.#device.finished();
        onKernel(seen.size, total);
      }
      submit(encoder => this.#encodeCopies(encoder, find));
      if (!this.#keeps) for (const slot of slots) slot.release();
    } catch (error) {
      for (const result of results) result.release();
      throw error;
    }
    return results;
  }

  /**
   * Milliseconds that each dispatch takes alone, the least of `repeats` runs: where a program spends its time. State
   * that the program assigns is changed in a meaningless way.
   */
  async profile(inputs: readonly Storage[], repeats: number): Promise<DispatchTime[]> {
    const { gpu } = this.#device;
    const { results, find } = this.#begin(inputs);
    const times: DispatchTime[] = [];
    for (const ready of this.#ready) {
      let milliseconds = Number.POSITIVE_INFINITY;
      for (let i = 0; i <= repeats; i++) {
        const encoder = gpu.createCommandEncoder();
        this.#encodeCalls(encoder, [ready], find);
        const began = performance.now();
        gpu.queue.submit([encoder.finish()]);
        await this.#device.finished();
        // The first run may compile.
        if (i > 0) milliseconds = Math.min(milliseconds, performance.now() - began);
      }
      times.push({ operation: ready.call.operation, kernel: ready.call.kernel.name, milliseconds });
    }
    for (const result of results) result.release();
    return times;
  }

  #begin(inputs: readonly Storage[]): {
    results: Storage[];
    slots: readonly Storage[];
    find: (buffer: Buffer) => Range;
  } {
    const device = this.#device;
    device.check();
    for (const { name, storage } of this.variables)
      if (!storage.alive) throw new DisposedError(`${name} was disposed of: its memory is gone.`);
    const results: Storage[] = [];
    try {
      for (const buffer of this.#lowered.results) results.push(device.memory.allocate(buffer.bytes, 'result'));
      const slots = this.#takeSlots();
      return { results, slots, find: buffer => locate(buffer, inputs, results, slots, this.#plan) };
    } catch (error) {
      for (const result of results) result.release();
      throw error;
    }
  }

  dispose(): void {
    this.#params?.destroy();
    for (const slot of this.#slots ?? []) slot.release();
    this.#slots = undefined;
  }

  #takeSlots(): Storage[] {
    if (this.#slots) return this.#slots;
    const { memory } = this.#device;
    const slots: Storage[] = [];
    try {
      for (const size of this.#plan.slots)
        slots.push(this.#keeps ? memory.allocateExact(size, 'program') : memory.allocate(size, 'scratch'));
    } catch (error) {
      for (const slot of slots) slot.release();
      throw error;
    }
    if (this.#keeps) this.#slots = slots;
    return slots;
  }

  /** Pooled memory holds old content; dedicated temporaries promise zeros. */
  #clearDedicated(encoder: GPUCommandEncoder, slots: readonly Storage[]): void {
    for (const [buffer, slot] of this.#plan.slotOf) {
      const storage = slots[slot]!;
      if (buffer.dedicated) encoder.clearBuffer(storage.buffer, storage.offset, Math.ceil(storage.bytes / 4) * 4);
    }
  }

  #encodeCalls(encoder: GPUCommandEncoder, calls: readonly Ready[], find: (buffer: Buffer) => Range): void {
    if (calls.length === 0) return;
    const pass = encoder.beginComputePass();
    let current: GPUComputePipeline | undefined;
    for (const ready of calls) {
      if (ready.pipeline !== current) pass.setPipeline(ready.pipeline);
      current = ready.pipeline;
      pass.setBindGroup(0, this.#group(ready, find));
      pass.dispatchWorkgroups(...ready.call.kernel.workgroups);
    }
    pass.end();
  }

  #encodeCopies(encoder: GPUCommandEncoder, find: (buffer: Buffer) => Range): void {
    for (const { from, to } of this.#lowered.copies) {
      const source = find(from);
      const target = find(to);
      encoder.copyBufferToBuffer(source.buffer, source.offset, target.buffer, target.offset, to.bytes);
    }
  }

  #group(ready: Ready, find: (buffer: Buffer) => Range): GPUBindGroup {
    const { groups, call } = ready;
    const fixed = ready.varies ? undefined : groups.get('');
    if (fixed) return fixed;
    const ranges = call.buffers.map(find);
    const key = ready.varies ? ranges.map(({ buffer, offset }) => `${identityOf(buffer)}+${offset}`).join(' ') : '';
    const known = groups.get(key);
    if (known) return known;
    const entries: GPUBindGroupEntry[] = ranges.map(({ buffer, offset }, binding) => ({
      binding,
      resource: { buffer, offset, size: Math.ceil(call.buffers[binding]!.bytes / 4) * 4 },
    }));
    if (ready.params && this.#params)
      entries.push({ binding: entries.length, resource: { buffer: this.#params, ...ready.params } });
    const group = this.#device.gpu.createBindGroup({ label: call.kernel.name, layout: ready.layout, entries });
    if (groups.size >= GROUPS_KEPT) groups.clear();
    groups.set(key, group);
    return group;
  }
}

function prepare(device: Device, call: Call, words: number[], keep: boolean): Ready {
  const { kernel } = call;
  const { maxBindingBytes } = device.traits;
  for (const { bytes } of call.buffers)
    if (bytes > maxBindingBytes)
      throw new LimitError(call.operation, 'maxStorageBufferBindingSize', bytes, maxBindingBytes);
  const { pipeline, layout } = device.pipeline(kernel);
  let params: Ready['params'];
  if (kernel.params && kernel.params.length > 0) {
    const aligned = BINDING_ALIGNMENT / 4;
    while (words.length % aligned !== 0) words.push(0);
    const offset = words.length * 4;
    for (const word of kernel.params) words.push(word >>> 0);
    while (words.length % 4 !== 0) words.push(0);
    params = { offset, size: words.length * 4 - offset };
  }
  const varies = call.buffers.some(buffer => {
    const { kind } = rootOf(buffer).root.origin;
    // Variables may move (when they are gathered into one buffer), so their place is looked up, too.
    return kind === 'argument' || kind === 'result' || kind === 'variable' || (kind === 'temporary' && !keep);
  });
  return { call, pipeline, layout, params, varies, groups: new Map() };
}

function locate(
  buffer: Buffer,
  inputs: readonly Storage[],
  results: readonly Storage[],
  slots: readonly Storage[],
  plan: Plan,
): Range {
  const { root, offset } = rootOf(buffer);
  const { origin } = root;
  const storage = (() => {
    if (origin.kind === 'argument') return inputs[origin.index]!;
    if (origin.kind === 'result') return results[origin.index]!;
    if (origin.kind === 'variable') return origin.variable.storage;
    if (origin.kind === 'constant') return origin.storage;
    return slots[plan.slotOf.get(root)!]!;
  })();
  return { buffer: storage.buffer, offset: storage.offset + offset };
}

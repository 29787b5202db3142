/** A program: a flat list of dispatches over planned memory, encoded into one command buffer and submitted at once. */

import { DisposedError, LimitError } from '../basics/errors.ts';
import type { Device } from '../device/device.ts';
import { BINDING_ALIGNMENT, type Storage } from '../device/memory.ts';
import type { VariableState } from '../graph/operation.ts';
import { type ProgramFigures, programFigures } from './figures.ts';
import { identityOf, locate, type Range } from './locate.ts';
import { type Buffer, type Call, type Lowered, rootOf } from './lower.ts';
import { type Plan, planMemory } from './plan.ts';

/** A call made ready: pipeline, where its parameters lie, and the bind groups it has used. */
interface Ready {
  readonly call: Call;
  readonly pipeline: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
  readonly params: { offset: number; size: number } | undefined;
  /** Touches memory that may differ from run to run. */
  readonly varies: boolean;
  /** Where it does not vary: its bind group, as long as all variables lie where they lay. */
  fixed: GPUBindGroup | undefined;
  readonly groups: Map<string, GPUBindGroup>;
}

/** Watches one run from inside (see `profile.ts`). */
export interface Probe {
  /** Gives each dispatch a pass of its own, so described; without it all share one. */
  readonly pass?: (dispatch: number) => GPUComputePassDescriptor;
  /** All dispatches and copies are encoded; the probe may encode more. */
  encoded?(encoder: GPUCommandEncoder): void;
  /** The command buffer is finished, its submission comes next. */
  finished?(): void;
}

/** Bind groups remembered for each call whose memory varies. */
const GROUPS_KEPT = 8;

export class Program {
  readonly #device: Device;
  readonly #lowered: Lowered;
  readonly #plan: Plan;
  readonly #ready: readonly Ready[];
  readonly #params: GPUBuffer | undefined;
  readonly #keeps: boolean;
  #slots: Storage[] | undefined;
  /** Where the variables lay at the last run: the fixed bind groups are of that memory. */
  #places: readonly Storage[] = [];

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

  get figures(): ProgramFigures {
    return programFigures(this.#lowered, this.#plan);
  }

  /** What it is made of. */
  get lowered(): Lowered {
    return this.#lowered;
  }

  /** The variables it reads or writes. */
  get variables(): readonly VariableState[] {
    return this.#lowered.variables;
  }

  /** One submit. Results are memory of the caller's, in the order of the graph's results. */
  run(inputs: readonly Storage[], probe?: Probe): Storage[] {
    const { gpu } = this.#device;
    const { results, slots, find } = this.#begin(inputs);
    try {
      const encoder = gpu.createCommandEncoder();
      if (!this.#keeps) this.#clearDedicated(encoder, slots);
      if (probe?.pass)
        for (const [i, ready] of this.#ready.entries()) this.#encodeCalls(encoder, [ready], find, probe.pass(i));
      else this.#encodeCalls(encoder, this.#ready, find);
      this.#encodeCopies(encoder, find);
      probe?.encoded?.(encoder);
      const commands = encoder.finish();
      probe?.finished?.();
      gpu.queue.submit([commands]);
      if (!this.#keeps) for (const slot of slots) slot.release();
    } catch (error) {
      for (const result of results) result.release();
      throw error;
    }
    return results;
  }

  /** The same with a submit for each dispatch; what `submitted` returns is awaited before the next. */
  async runEach(
    inputs: readonly Storage[],
    submitted: (dispatch: number) => Promise<void> | undefined,
  ): Promise<Storage[]> {
    const { gpu } = this.#device;
    const { results, slots, find } = this.#begin(inputs);
    const submit = (encode: (encoder: GPUCommandEncoder) => void) => {
      const encoder = gpu.createCommandEncoder();
      encode(encoder);
      gpu.queue.submit([encoder.finish()]);
    };
    try {
      if (!this.#keeps) submit(encoder => this.#clearDedicated(encoder, slots));
      for (const [i, ready] of this.#ready.entries()) {
        submit(encoder => this.#encodeCalls(encoder, [ready], find));
        await submitted(i);
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
   * A run that waits for each kernel's first dispatch: drivers that compile a kernel when it is first used take seconds
   * for a large program, and `onKernel` can tell how far they are.
   */
  async runSlowly(inputs: readonly Storage[], onKernel: (done: number, total: number) => void): Promise<Storage[]> {
    const seen = new Set<GPUComputePipeline>();
    const total = new Set(this.#ready.map(({ pipeline }) => pipeline)).size;
    const first = async () => {
      await this.#device.finished();
      onKernel(seen.size, total);
    };
    return await this.runEach(inputs, i => {
      const { pipeline } = this.#ready[i]!;
      if (seen.has(pipeline)) return undefined;
      seen.add(pipeline);
      return first();
    });
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
      this.#findVariables();
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

  /** Variables may move (when they are gathered into one buffer): bind groups of their old memory are forgotten. */
  #findVariables(): void {
    const { variables } = this;
    const moved = variables.some(({ storage }, i) => storage !== this.#places[i]);
    if (!moved) return;
    this.#places = variables.map(({ storage }) => storage);
    for (const ready of this.#ready) ready.fixed = undefined;
  }

  /** Pooled memory holds old content; dedicated temporaries promise zeros. */
  #clearDedicated(encoder: GPUCommandEncoder, slots: readonly Storage[]): void {
    for (const [buffer, slot] of this.#plan.slotOf) {
      const storage = slots[slot]!;
      if (buffer.dedicated) encoder.clearBuffer(storage.buffer, storage.offset, Math.ceil(storage.bytes / 4) * 4);
    }
  }

  #encodeCalls(
    encoder: GPUCommandEncoder,
    calls: readonly Ready[],
    find: (buffer: Buffer) => Range,
    descriptor?: GPUComputePassDescriptor,
  ): void {
    if (calls.length === 0) return;
    const pass = encoder.beginComputePass(descriptor);
    let current: GPUComputePipeline | undefined;
    for (const ready of calls) {
      if (ready.pipeline !== current) pass.setPipeline(ready.pipeline);
      current = ready.pipeline;
      pass.setBindGroup(0, ready.fixed ?? this.#group(ready, find));
      const [x, y, z] = ready.call.kernel.workgroups;
      pass.dispatchWorkgroups(x, y, z);
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
    const ranges = call.buffers.map(find);
    const key = ranges.map(({ buffer, offset }) => `${identityOf(buffer)}+${offset}`).join(' ');
    const known = ready.varies ? groups.get(key) : undefined;
    if (known) return known;
    const entries: GPUBindGroupEntry[] = ranges.map(({ buffer, offset }, binding) => ({
      binding,
      resource: { buffer, offset, size: Math.ceil(call.buffers[binding]!.bytes / 4) * 4 },
    }));
    if (ready.params && this.#params)
      entries.push({ binding: entries.length, resource: { buffer: this.#params, ...ready.params } });
    const group = this.#device.gpu.createBindGroup({ label: call.kernel.name, layout: ready.layout, entries });
    if (!ready.varies) {
      ready.fixed = group;
      return group;
    }
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
    return kind === 'argument' || kind === 'result' || (kind === 'temporary' && !keep);
  });
  return { call, pipeline, layout, params, varies, fixed: undefined, groups: new Map() };
}

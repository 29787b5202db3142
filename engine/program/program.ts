/** A program: a flat list of dispatches over planned memory, encoded into one command buffer and submitted at once. */

import { DisposedError, LimitError } from '../basics/errors.ts';
import { identityOf } from '../basics/identity.ts';
import type { Device } from '../device/device.ts';
import { BINDING_ALIGNMENT, type Storage } from '../device/memory.ts';
import type { VariableState } from '../graph/value.ts';
import { type Buffer, rootOf } from './buffer.ts';
import { type ProgramFigures, programFigures } from './figures.ts';
import { locate, type Range } from './locate.ts';
import type { Call, Lowered } from './lower.ts';
import { type Plan, planMemory } from './plan.ts';
import type { SharedSlots } from './slots.ts';

/** A prepared call: its pipeline, the range of its parameters, and cached bind groups. */
interface Ready {
  readonly call: Call;
  readonly pipeline: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
  readonly params: { offset: number; size: number } | undefined;
  /** Uses memory that may differ between runs. */
  readonly varies: boolean;
  /** If it does not vary: its bind group, valid until a variable or temporary moves. */
  fixed: GPUBindGroup | undefined;
  readonly groups: Map<string, GPUBindGroup>;
}

/** Hooks into one run (see `profile.ts`). */
export interface Probe {
  /** Descriptor of a separate pass for each dispatch; without it all dispatches share one pass. */
  readonly pass?: (dispatch: number) => GPUComputePassDescriptor;
  /** Called when all dispatches and copies are encoded; the probe may encode more. */
  encoded?(encoder: GPUCommandEncoder): void;
  /** Called when the command buffer is finished, before it is submitted. */
  finished?(): void;
}

/** Bind groups cached for each call whose memory varies. */
const GROUPS_KEPT = 8;

/** The memory of one run. */
interface Run {
  readonly results: Storage[];
  readonly slots: readonly Storage[];
  readonly find: (buffer: Buffer) => Range;
}

export class Program {
  readonly #device: Device;
  readonly #lowered: Lowered;
  readonly #plan: Plan;
  readonly #ready: readonly Ready[];
  readonly #params: GPUBuffer | undefined;
  readonly #shared: SharedSlots | undefined;
  /** The containing variable of each variable when the program was created: the program is only valid for this aliasing. */
  readonly #parts: ReadonlyMap<VariableState, VariableState['part']>;
  /** Memory of variables and temporaries at the last run, which the fixed bind groups refer to. */
  #storages: readonly Storage[] = [];
  /** Number of asynchronous operations in progress. */
  #holders = 0;
  #disposed = false;

  /**
   * `shared`: keeps the temporaries' memory between runs (compiled functions). Without it, each run allocates from the pool.
   */
  constructor(device: Device, lowered: Lowered, shared?: SharedSlots) {
    this.#device = device;
    this.#lowered = lowered;
    this.#shared = shared;
    this.#plan = planMemory(lowered);
    this.#parts = new Map(lowered.variables.map(variable => [variable, variable.part]));
    // Before creating kernels, which might not compile with such sizes.
    for (const call of lowered.calls) checkBindings(device, call);
    const words: number[] = [];
    this.#ready = lowered.calls.map(call => prepare(device, call, words, shared !== undefined));
    this.#params = words.length > 0 ? device.uniformBuffer(Uint32Array.from(words)) : undefined;
  }

  get figures(): ProgramFigures {
    return programFigures(this.#lowered, this.#plan);
  }

  /** Its calls, copies and buffers. */
  get lowered(): Lowered {
    return this.#lowered;
  }

  /** Variables it reads or writes. */
  get variables(): readonly VariableState[] {
    return this.#lowered.variables;
  }

  /** Whether its variables share memory as they did when it was created. If not, the program is outdated. */
  get isCurrent(): boolean {
    for (const [variable, part] of this.#parts) if (variable.part !== part) return false;
    return true;
  }

  /** Runs the program in one submit. The caller owns the results, which are in the order of the graph's results. */
  run(inputs: readonly Storage[], probe?: Probe): Storage[] {
    const run = this.#begin(inputs);
    try {
      this.#submit(encoder => {
        this.#clearDedicated(encoder, run.slots);
        if (probe?.pass)
          for (const [i, ready] of this.#ready.entries()) this.#encodeCalls(encoder, [ready], run.find, probe.pass(i));
        else this.#encodeCalls(encoder, this.#ready, run.find);
        this.#encodeCopies(encoder, run.find);
        probe?.encoded?.(encoder);
      }, probe);
    } catch (error) {
      for (const result of run.results) result.release();
      throw error;
    } finally {
      if (!this.#shared) for (const slot of run.slots) slot.release();
    }
    return run.results;
  }

  /**
   * Runs all dispatches one at a time, on copies of the variables and with separate temporaries, so that other calls may run
   * meanwhile and no state changes. Calls and awaits `copied` once the copies are submitted, and `submitted` after each
   * dispatch.
   */
  async rehearse(
    inputs: readonly Storage[],
    copied: () => Promise<void>,
    submitted: (dispatch: number) => Promise<void>,
  ): Promise<void> {
    const { memory } = this.#device;
    const held = this.#hold(inputs);
    let giveBack = () => {};
    try {
      const variables = new Map<VariableState, Storage>();
      for (const variable of this.variables) {
        if (variable.part) continue;
        const { storage } = variable;
        const copy = held.take(memory.allocate(storage.bytes, 'rehearsal'));
        this.#device.copy(storage, copy, storage.bytes);
        variables.set(variable, copy);
      }
      await copied();
      if (this.#disposed) throw new DisposedError('The compiled function was disposed while it was profiled.');
      const results = this.#lowered.results.map(({ bytes }) => held.take(memory.allocate(bytes, 'rehearsal')));
      const slots = this.#shared?.lend(this, this.#plan.slots) ?? this.#slotsFromPool();
      giveBack = () => {
        if (this.#shared) this.#shared.giveBack(slots);
        else for (const slot of slots) slot.release();
      };
      const find = (buffer: Buffer) => locate(buffer, inputs, results, slots, this.#plan, variables);
      this.#submit(encoder => this.#clearDedicated(encoder, slots));
      for (const [i, ready] of this.#ready.entries()) {
        const elsewhere = { ...ready, fixed: undefined, varies: true };
        this.#submit(encoder => this.#encodeCalls(encoder, [elsewhere], find));
        await submitted(i);
      }
    } finally {
      giveBack();
      held.release();
    }
  }

  /**
   * Makes the driver compile every kernel: some drivers compile on first use, which takes seconds for a large program.
   * `onKernel` reports progress. Each kernel runs one workgroup on scratch memory.
   */
  async compileKernels(onKernel: (done: number, total: number) => void): Promise<void> {
    const held = this.#hold([]);
    try {
      const kernels = [...new Map(this.#ready.map(ready => [ready.pipeline, ready])).values()];
      const most = Math.max(0, ...kernels.map(({ call }) => call.buffers.length));
      const scratch = Array.from({ length: most }, () =>
        held.take(this.#device.memory.allocate(BINDING_ALIGNMENT, 'compiling')),
      );
      for (const [i, ready] of kernels.entries()) {
        const memory = ready.call.buffers.map((_, binding) => scratch[binding]);
        this.#submit(encoder => {
          const pass = encoder.beginComputePass();
          pass.setPipeline(ready.pipeline);
          pass.setBindGroup(
            0,
            this.#bind(ready, memory, () => BINDING_ALIGNMENT),
          );
          pass.dispatchWorkgroups(1);
          pass.end();
        });
        await this.#device.finished();
        onKernel(i + 1, kernels.length);
      }
    } finally {
      held.release();
    }
  }

  #submit(encode: (encoder: GPUCommandEncoder) => void, probe?: Probe): void {
    const { gpu } = this.#device;
    this.#device.guarded(() => {
      const encoder = gpu.createCommandEncoder();
      encode(encoder);
      const commands = encoder.finish();
      probe?.finished?.();
      gpu.queue.submit([commands]);
    });
  }

  /** Keeps the inputs, the program and other storages alive across several turns of the event loop. */
  #hold(inputs: readonly Storage[]): { take(storage: Storage): Storage; release(): void } {
    const held = inputs.map(input => input.retain());
    this.#holders++;
    return {
      take(storage) {
        held.push(storage);
        return storage;
      },
      release: () => {
        for (const storage of held) storage.release();
        this.#holders--;
        if (this.#disposed && this.#holders === 0) this.#params?.destroy();
      },
    };
  }

  #begin(inputs: readonly Storage[]): Run {
    const device = this.#device;
    device.check();
    // Throws if one was disposed.
    for (const variable of this.variables) void variable.storage;
    const results: Storage[] = [];
    try {
      for (const buffer of this.#lowered.results) results.push(device.memory.allocate(buffer.bytes, 'result'));
      const slots = this.#shared?.take(this, this.#plan.slots) ?? this.#slotsFromPool();
      this.#findPlaces(slots);
      return { results, slots, find: buffer => locate(buffer, inputs, results, slots, this.#plan) };
    } catch (error) {
      for (const result of results) result.release();
      throw error;
    }
  }

  dispose(): void {
    this.#disposed = true;
    if (this.#holders === 0) this.#params?.destroy();
    this.#shared?.leave(this);
    this.#storages = [];
    for (const ready of this.#ready) ready.fixed = undefined;
  }

  #slotsFromPool(): Storage[] {
    const slots: Storage[] = [];
    try {
      for (const size of this.#plan.slots) slots.push(this.#device.memory.allocate(size, 'scratch'));
    } catch (error) {
      for (const slot of slots) slot.release();
      throw error;
    }
    return slots;
  }

  /** Drops fixed bind groups if variables or temporaries have moved. */
  #findPlaces(slots: readonly Storage[]): void {
    if (!this.#shared) return;
    const storages = [...this.variables.map(({ storage }) => storage), ...slots];
    const moved =
      storages.length !== this.#storages.length || storages.some((storage, i) => storage !== this.#storages[i]);
    if (!moved) return;
    this.#storages = storages;
    for (const ready of this.#ready) ready.fixed = undefined;
  }

  /** Clears dedicated temporaries, which must be zero: reused memory has old content. */
  #clearDedicated(encoder: GPUCommandEncoder, slots: readonly Storage[]): void {
    for (const [buffer, slot] of this.#plan.slotOf) {
      const storage = slots[slot];
      if (buffer.dedicated) encoder.clearBuffer(storage.buffer, storage.offset, Math.ceil(buffer.bytes / 4) * 4);
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
    const bind = () => this.#bind(ready, ranges, binding => Math.ceil(call.buffers[binding].bytes / 4) * 4);
    if (!ready.varies) {
      ready.fixed = bind();
      return ready.fixed;
    }
    const key = ranges.map(({ buffer, offset }) => `${identityOf(buffer)}+${offset}`).join(' ');
    const known = groups.get(key);
    if (known) return known;
    const group = bind();
    if (groups.size >= GROUPS_KEPT) groups.clear();
    groups.set(key, group);
    return group;
  }

  #bind(ready: Ready, ranges: readonly Range[], size: (binding: number) => number): GPUBindGroup {
    const entries: GPUBindGroupEntry[] = ranges.map(({ buffer, offset }, binding) => ({
      binding,
      resource: { buffer, offset, size: size(binding) },
    }));
    if (ready.params && this.#params)
      entries.push({ binding: entries.length, resource: { buffer: this.#params, ...ready.params } });
    return this.#device.gpu.createBindGroup({ label: ready.call.kernel.name, layout: ready.layout, entries });
  }
}

function checkBindings({ traits: { maxBindingBytes } }: Device, { operation, buffers }: Call): void {
  for (const { bytes } of buffers)
    if (bytes > maxBindingBytes) throw new LimitError(operation, 'maxStorageBufferBindingSize', bytes, maxBindingBytes);
}

function prepare(device: Device, call: Call, words: number[], keep: boolean): Ready {
  const { kernel } = call;
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

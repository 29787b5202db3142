/** `compile`: trace a function once, replay it as a program. */

import { DaybreakError, TraceError } from './basics/errors.ts';
import { sizeOf, type TensorSpec } from './basics/shape.ts';
import type { Device } from './device/device.ts';
import type { Storage } from './device/memory.ts';
import type { Value, VariableState } from './graph/operation.ts';
import { optimize } from './graph/optimize.ts';
import { activeTrace } from './graph/trace.ts';
import { type ProgramFigures, programFigures } from './program/figures.ts';
import { type Lowered, lower } from './program/lower.ts';
import { planMemory } from './program/plan.ts';
import { type Clock, Profiler, type RunProfile } from './program/profile.ts';
import { Program } from './program/program.ts';
import { currentDevice, Tensor } from './tensor.ts';
import { type Argument, specOf, type Traced, type Tree, traceFunction } from './traced.ts';

export type { Argument, Traced, Tree } from './traced.ts';

export interface CompileOptions {
  /** Sizes as constants in the kernels' text (default). False: as arguments, so that one text serves every image size. */
  readonly baked?: boolean;
}

export interface Compiled<T extends readonly Argument[], R extends Tree> extends Disposable {
  (...args: T): R;
  /** Figures of the programs made so far, one for each combination of argument shapes. */
  readonly programs: readonly ProgramFigures[];
  /** The program for such arguments, planned only: it takes no memory, and no kernel is made. */
  plan(args: T): Planned;
  /**
   * A call like any other that also tells how many kernels have run for the first time: drivers may take seconds to
   * compile a large program.
   */
  warmUp(args: T, onKernel: (done: number, total: number) => void): Promise<R>;
  /**
   * A call like any other, waited for, that also tells where its time went; with a `clock`, dispatch by dispatch (see
   * `profile.ts`).
   */
  profile(args: T, clock?: Clock): Promise<{ result: R; profile: RunProfile }>;
  /** Frees the programs and their memory. */
  dispose(): void;
}

/** A program that might be made. */
export interface Planned {
  readonly figures: ProgramFigures;
  readonly lowered: Lowered;
}

interface Entry {
  readonly program: Program;
  readonly profiler: Profiler;
  readonly rebuild: (results: readonly Storage[]) => Tree;
  readonly assigned: readonly VariableState[];
  readonly captured: readonly Value[];
}

/**
 * A function that is traced at its first call with arguments of new shapes and replayed afterwards: one submit a call,
 * temporaries in memory planned once, variables assigned in place, results that belong to the caller. `body` must be
 * pure apart from tensors and variables: what else it reads is fixed at the trace.
 */
export function compile<T extends readonly Argument[], R extends Tree>(
  body: (...args: Traced<T>) => R,
  options: CompileOptions = {},
): Compiled<T, R> {
  const entries = new Map<string, Entry>();
  const scalars = new Map<number, Storage>();
  let device: Device | undefined;

  const entryOf = (args: T): { entry: Entry; inputs: Storage[] } => {
    const target = deviceOf(args);
    if (device && device !== target) throw new DaybreakError('A compiled function stays on one device.');
    device = target;
    const specs = args.map(specOf);
    const key = specs.map(({ shape, dtype }) => `${dtype}${shape.join('x')}`).join('|');
    let entry = entries.get(key);
    if (!entry) {
      entry = build(target, specs, body, options.baked ?? true);
      entries.set(key, entry);
    }
    return { entry, inputs: args.map((argument, i) => storageOf(target, argument, i, scalars)) };
  };
  const finish = (entry: Entry, results: readonly Storage[]): R => {
    for (const variable of entry.assigned) variable.version++;
    return entry.rebuild(results) as R;
  };
  const call = (...args: T): R => {
    if (activeTrace()) {
      if (args.some(argument => typeof argument === 'number'))
        throw new TraceError('A compiled function called inside another takes tensors, not numbers.');
      return body(...(args as unknown as Traced<T>));
    }
    const { entry, inputs } = entryOf(args);
    return finish(entry, entry.program.run(inputs));
  };
  const plan = (args: T): Planned => {
    if (activeTrace()) throw new TraceError('plan() traces a function: it cannot be traced.');
    const { lowered: calls, captured } = lowered(deviceOf(args), args.map(specOf), body, options.baked ?? true);
    for (const value of captured) value.release();
    return { lowered: calls, figures: programFigures(calls, planMemory(calls)) };
  };
  const warmUp = async (args: T, onKernel: (done: number, total: number) => void): Promise<R> => {
    if (activeTrace()) throw new TraceError('warmUp() runs a program: it cannot be traced.');
    const { entry, inputs } = entryOf(args);
    return finish(entry, await entry.program.runSlowly(inputs, onKernel));
  };
  const profile = async (args: T, clock?: Clock): Promise<{ result: R; profile: RunProfile }> => {
    if (activeTrace()) throw new TraceError('profile() runs a program: it cannot be traced.');
    const { entry, inputs } = entryOf(args);
    const { results, profile } = await entry.profiler.run(inputs, clock);
    return { result: finish(entry, results), profile };
  };
  const dispose = () => {
    for (const { program, profiler, captured } of entries.values()) {
      profiler[Symbol.dispose]();
      program.dispose();
      for (const value of captured) value.release();
    }
    for (const storage of scalars.values()) storage.release();
    entries.clear();
    scalars.clear();
  };
  return Object.defineProperty(
    Object.assign(call, { plan, warmUp, profile, dispose, [Symbol.dispose]: dispose }),
    'programs',
    {
      get: () => [...entries.values()].map(entry => entry.program.figures),
    },
  ) as unknown as Compiled<T, R>;
}

/** What the body does, lowered. The captured values are held for the caller. */
function lowered<T extends readonly Argument[], R extends Tree>(
  device: Device,
  specs: readonly TensorSpec[],
  body: (...args: Traced<T>) => R,
  baked: boolean,
): Pick<Entry, 'rebuild' | 'assigned' | 'captured'> & { readonly lowered: Lowered } {
  const { graph, rebuild, captured } = traceFunction(device, specs, body);
  try {
    return {
      lowered: lower(optimize(graph, device.traits), baked, device.traits),
      rebuild,
      assigned: graph.assignments.map(({ variable }) => variable),
      captured,
    };
  } catch (error) {
    for (const value of captured) value.release();
    throw error;
  }
}

function build<T extends readonly Argument[], R extends Tree>(
  device: Device,
  specs: readonly TensorSpec[],
  body: (...args: Traced<T>) => R,
  baked: boolean,
): Entry {
  const { lowered: calls, ...rest } = lowered(device, specs, body, baked);
  try {
    const program = new Program(device, calls, true);
    return { program, profiler: new Profiler(device, program), ...rest };
  } catch (error) {
    for (const value of rest.captured) value.release();
    throw error;
  }
}

function deviceOf(args: readonly Argument[]): Device {
  const devices = new Set(args.flatMap(argument => (argument instanceof Tensor ? [argument.device] : [])));
  if (devices.size > 1)
    throw new DaybreakError('A compiled function takes tensors of one device; these are on several.');
  const [device = currentDevice()] = devices;
  return device;
}

/** Numbers travel in a buffer of their own for each position; the queue orders its writes with the programs. */
function storageOf(device: Device, argument: Argument, index: number, scalars: Map<number, Storage>): Storage {
  if (typeof argument !== 'number') return argument.storage;
  let storage = scalars.get(index);
  if (!storage) {
    storage = device.memory.allocate(sizeOf([]) * 4, 'scalar argument');
    scalars.set(index, storage);
  }
  device.gpu.queue.writeBuffer(storage.buffer, storage.offset, Float32Array.of(argument));
  return storage;
}

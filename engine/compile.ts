/** `compile`: traces a function once and replays it as a program. */

import { DaybreakError, nameOf, TraceError } from './basics/errors.ts';
import { LruCache } from './basics/lru-cache.ts';
import type { TensorSpec } from './basics/shape.ts';
import {
  ArgumentMemory,
  type ClaimedArgument,
  claimArguments,
  deviceOf,
  releaseArguments,
} from './compiled-arguments.ts';
import type { Device } from './device/device.ts';
import type { Storage } from './device/memory.ts';
import { optimize } from './graph/optimize.ts';
import { activeTrace, type Guard } from './graph/trace.ts';
import type { Value, VariableState } from './graph/value.ts';
import { type ProgramFigures, programFigures } from './program/figures.ts';
import { type Lowered, lower } from './program/lower.ts';
import { planMemory } from './program/plan.ts';
import { type Clock, Profiler, type RunProfile } from './program/profile.ts';
import { Program } from './program/program.ts';
import { SharedSlots } from './program/slots.ts';
import { Tensor } from './tensor.ts';
import { type Argument, specOf, type Traced, type Tree, traceFunction } from './traced.ts';

export type { Argument, Traced, Tree } from './traced.ts';

/** Options of {@link compile}. */
export interface CompileOptions {
  /** True (default): sizes are constants in the kernels. False: they are arguments, so one kernel serves every image size. */
  readonly baked?: boolean;
  /** Maximum number of cached programs, one per combination of argument shapes; default 32. Evicts the least recently used. */
  readonly programs?: number;
}

/** A compiled function: it is called like the function, which is traced at the first call with new shapes. */
export interface Compiled<T extends readonly Argument[], R extends Tree> extends Disposable {
  (...args: T): R;
  /** Statistics of the cached programs, one per combination of argument shapes. */
  readonly programs: readonly ProgramFigures[];
  /** Plans the program for these arguments, without allocating memory or compiling kernels. */
  plan(args: T): Planned;
  /**
   * Compiles every kernel, reporting progress, and then makes a normal call. Drivers may take seconds for a large program.
   * Other calls may run meanwhile.
   */
  warmUp(args: T, onKernel?: (done: number, total: number) => void): Promise<R>;
  /**
   * Makes a normal call, waits for it, and reports where the time went; with a `clock`, for each dispatch (see
   * `profile.ts`).
   */
  profile(args: T, clock?: Clock): Promise<{ result: R; profile: RunProfile }>;
  /** Frees the programs and their memory. */
  dispose(): void;
}

/** A program that was planned but not created. */
export interface Planned {
  readonly figures: ProgramFigures;
  readonly lowered: Lowered;
}

/** A cached program. */
interface Entry {
  readonly program: Program;
  readonly profiler: Profiler;
  readonly rebuild: (results: readonly Storage[]) => Tree;
  /** Variables that it assigns. */
  readonly assigned: readonly VariableState[];
  /** Tensors from outside that its body used. */
  readonly captured: readonly Value[];
  /** What it depends on beside the arguments. */
  readonly guards: ReadonlyMap<object, Guard>;
}

/** A compiled function's state on its device. */
interface DeviceState {
  readonly device: Device;
  /** By the arguments' shapes and what the guards read. */
  readonly entries: LruCache<string, Entry>;
  /** Those of all traces so far. */
  readonly guards: Map<object, Guard>;
  readonly slots: SharedSlots;
  readonly memory: ArgumentMemory;
}

/** Default of {@link CompileOptions.programs}. */
const PROGRAMS_KEPT = 32;

/**
 * Returns a function that is traced on its first call with new argument shapes and replayed afterwards: one submit per call,
 * temporaries in memory planned once, variables assigned in place. The caller owns the results. `body` must be pure apart
 * from tensors and variables: anything else it reads is fixed when it is traced, except for the mode of modules (`train()`,
 * `eval()`), of which each has its own program.
 */
export function compile<T extends readonly Argument[], R extends Tree>(
  body: (...args: Traced<T>) => R,
  { baked = true, programs = PROGRAMS_KEPT }: CompileOptions = {},
): Compiled<T, R> {
  if (typeof body !== 'function') throw new TraceError(`compile(): expected a function, got ${nameOf(body)}.`);
  if (!Number.isInteger(programs) || programs < 1)
    throw new TraceError(`compile(): expected programs to be an integer of at least 1, got ${nameOf(programs)}.`);
  let kept: DeviceState | undefined;

  const stateOn = (device: Device): DeviceState => {
    if (kept && kept.device !== device)
      throw new DaybreakError('A compiled function can only be used on one device until it is disposed.');
    kept ??= {
      device,
      entries: new LruCache(programs, free),
      guards: new Map(),
      slots: new SharedSlots(device.memory),
      memory: new ArgumentMemory(device),
    };
    return kept;
  };
  /** The cached program for these arguments, or a new one. */
  const entryFor = ({ device, entries, guards, slots }: DeviceState, specs: readonly TensorSpec[]): Entry => {
    const shapes = specs.map(({ shape, dtype }) => `${dtype}${shape.join('x')}`).join('|');
    const keyNow = () => [shapes, ...[...guards.values()].map(read => read())].join('|');
    const key = keyNow();
    const known = entries.get(key);
    if (known?.program.isCurrent) return known;
    // Variables have since moved into, or out of, another variable's memory.
    if (known) {
      entries.delete(key);
      free(known);
    }
    const entry = build(device, specs, body, baked, slots);
    // A program that was stored without a new guard is not found again: the cache evicts it.
    for (const [owner, read] of entry.guards) guards.set(owner, read);
    const own = keyNow();
    const replaced = entries.get(own);
    if (replaced) free(replaced);
    entries.set(own, entry);
    return entry;
  };
  const finish = (entry: Entry, results: readonly Storage[]): R => entry.rebuild(results) as R;
  const runNow = (mine: DeviceState, specs: readonly TensorSpec[], args: readonly ClaimedArgument[]): R => {
    const entry = entryFor(mine, specs);
    return mine.memory.with(args, entry.assigned, inputs => {
      for (const variable of entry.assigned) variable.beforeChange(mine.device);
      return finish(entry, entry.program.run(inputs));
    });
  };
  const call = (...args: T): R => {
    checkArguments(args);
    if (activeTrace()) {
      if (args.some(argument => typeof argument === 'number'))
        throw new TraceError('A compiled function called inside another expected tensors, got a number.');
      return body(...(args as unknown as Traced<T>));
    }
    const mine = stateOn(deviceOf(args));
    const held = claimArguments(args);
    try {
      return runNow(mine, args.map(specOf), held);
    } finally {
      releaseArguments(held);
    }
  };
  const plan = (args: T): Planned => {
    checkArguments(args);
    if (activeTrace()) throw new TraceError('plan() cannot be called while a function is traced.');
    const { calls, captured } = lowerBody(deviceOf(args), args.map(specOf), body, baked);
    for (const value of captured) value.release();
    return { lowered: calls, figures: programFigures(calls, planMemory(calls)) };
  };
  const warmUp = async (args: T, onKernel: (done: number, total: number) => void = () => {}): Promise<R> => {
    checkArguments(args);
    if (activeTrace()) throw new TraceError('warmUp() cannot be called while a function is traced.');
    const device = deviceOf(args);
    const specs = args.map(specOf);
    const held = claimArguments(args);
    try {
      await entryFor(stateOn(device), specs).program.compileKernels(onKernel);
      // If the function was disposed in the meantime, it is compiled again.
      return runNow(stateOn(device), specs, held);
    } finally {
      releaseArguments(held);
    }
  };
  const profile = async (args: T, clock?: Clock): Promise<{ result: R; profile: RunProfile }> => {
    checkArguments(args);
    if (activeTrace()) throw new TraceError('profile() cannot be called while a function is traced.');
    const mine = stateOn(deviceOf(args));
    const held = claimArguments(args);
    try {
      const entry = entryFor(mine, args.map(specOf));
      const { results, profile } = await mine.memory.with(held, entry.assigned, inputs => {
        for (const variable of entry.assigned) variable.beforeChange(mine.device);
        return entry.profiler.run(inputs, clock);
      });
      return { result: finish(entry, results), profile };
    } finally {
      releaseArguments(held);
    }
  };
  const dispose = () => {
    if (!kept) return;
    for (const entry of kept.entries.values()) free(entry);
    kept.memory.dispose();
    kept = undefined;
  };
  return Object.defineProperty(
    Object.assign(call, { plan, warmUp, profile, dispose, [Symbol.dispose]: dispose }),
    'programs',
    {
      get: () => [...(kept?.entries.values() ?? [])].map(entry => entry.program.figures),
    },
  ) as unknown as Compiled<T, R>;
}

/** Traces and lowers the body. The caller must release the captured values. */
function lowerBody<T extends readonly Argument[], R extends Tree>(
  device: Device,
  specs: readonly TensorSpec[],
  body: (...args: Traced<T>) => R,
  baked: boolean,
): Pick<Entry, 'rebuild' | 'assigned' | 'captured' | 'guards'> & { readonly calls: Lowered } {
  const { graph, rebuild, captured, guards } = traceFunction(device, specs, body);
  try {
    const calls = lower(optimize(graph, device.traits), baked, device.traits);
    const assigned = [...new Set(graph.assignments.map(({ variable }) => variable))];
    return { calls, rebuild, assigned, captured, guards };
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
  slots: SharedSlots,
): Entry {
  const { calls, ...rest } = lowerBody(device, specs, body, baked);
  try {
    const program = new Program(device, calls, slots);
    return { program, profiler: new Profiler(device, program), ...rest };
  } catch (error) {
    for (const value of rest.captured) value.release();
    throw error;
  }
}

function free({ program, profiler, captured }: Entry): void {
  profiler[Symbol.dispose]();
  program.dispose();
  for (const value of captured) value.release();
}

function checkArguments(args: readonly unknown[]): void {
  args.forEach((argument, i) => {
    if (argument instanceof Tensor || typeof argument === 'number') return;
    throw new DaybreakError(
      `A compiled function: expected argument ${i} to be a tensor or a number, got ${nameOf(argument)}.`,
    );
  });
}

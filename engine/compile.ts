/** `compile`: trace a function once, replay it as a program. */

import { DaybreakError, nameOf, TraceError } from './basics/errors.ts';
import { RecentMap } from './basics/recent-map.ts';
import type { TensorSpec } from './basics/shape.ts';
import { ArgumentMemory, deviceOf, type HeldArgument, hold, letGo } from './compiled-arguments.ts';
import type { Device } from './device/device.ts';
import type { Storage } from './device/memory.ts';
import { optimize } from './graph/optimize.ts';
import { activeTrace } from './graph/trace.ts';
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

export interface CompileOptions {
  /** Sizes as constants in the kernels' text (default). False: as arguments, so that one text serves every image size. */
  readonly baked?: boolean;
  /** Programs that are kept, one for each combination of argument shapes; default 32. Beyond that the one used longest ago goes. */
  readonly programs?: number;
}

export interface Compiled<T extends readonly Argument[], R extends Tree> extends Disposable {
  (...args: T): R;
  /** Figures of the programs made so far, one for each combination of argument shapes. */
  readonly programs: readonly ProgramFigures[];
  /** The program for such arguments, planned only: it takes no memory, and no kernel is made. */
  plan(args: T): Planned;
  /**
   * A call like any other, before which every kernel is compiled, telling how many are: drivers may take seconds for a
   * large program. Others may call meanwhile.
   */
  warmUp(args: T, onKernel?: (done: number, total: number) => void): Promise<R>;
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

/** A program with what belongs to it. */
interface Entry {
  readonly program: Program;
  readonly profiler: Profiler;
  readonly rebuild: (results: readonly Storage[]) => Tree;
  /** Variables that it assigns. */
  readonly assigned: readonly VariableState[];
  /** Tensors of outside that its body used. */
  readonly captured: readonly Value[];
}

/** What a compiled function keeps on a device. */
interface Kept {
  readonly device: Device;
  /** By the arguments' shapes. */
  readonly entries: RecentMap<string, Entry>;
  readonly slots: SharedSlots;
  readonly memory: ArgumentMemory;
}

/** Programs that a compiled function keeps, where nothing else is said. */
const PROGRAMS_KEPT = 32;

/**
 * A function that is traced at its first call with arguments of new shapes and replayed afterwards: one submit a call,
 * temporaries in memory planned once, variables assigned in place, results that belong to the caller. `body` must be
 * pure apart from tensors and variables: what else it reads is fixed at the trace.
 */
export function compile<T extends readonly Argument[], R extends Tree>(
  body: (...args: Traced<T>) => R,
  { baked = true, programs = PROGRAMS_KEPT }: CompileOptions = {},
): Compiled<T, R> {
  if (typeof body !== 'function') throw new TraceError(`compile() needs a function, got ${nameOf(body)}.`);
  if (!Number.isInteger(programs) || programs < 1)
    throw new TraceError(`compile(): programs must be a whole number of at least 1, got ${nameOf(programs)}.`);
  let kept: Kept | undefined;

  const keptFor = (device: Device): Kept => {
    if (kept && kept.device !== device)
      throw new DaybreakError('A compiled function stays on one device until it is disposed of.');
    kept ??= {
      device,
      entries: new RecentMap(programs, free),
      slots: new SharedSlots(device.memory),
      memory: new ArgumentMemory(device),
    };
    return kept;
  };
  /** The program for such arguments, made where there is none that fits. */
  const entryFor = ({ device, entries, slots }: Kept, specs: readonly TensorSpec[]): Entry => {
    const key = specs.map(({ shape, dtype }) => `${dtype}${shape.join('x')}`).join('|');
    const known = entries.get(key);
    if (known?.program.isCurrent) return known;
    // Variables have moved since into another one's memory, or out of it.
    if (known) {
      entries.delete(key);
      free(known);
    }
    const entry = build(device, specs, body, baked, slots);
    entries.set(key, entry);
    return entry;
  };
  const finish = (entry: Entry, results: readonly Storage[]): R => entry.rebuild(results) as R;
  const runNow = (mine: Kept, specs: readonly TensorSpec[], args: readonly HeldArgument[]): R => {
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
        throw new TraceError('A compiled function called inside another takes tensors, not numbers.');
      return body(...(args as unknown as Traced<T>));
    }
    const mine = keptFor(deviceOf(args));
    const held = hold(args);
    try {
      return runNow(mine, args.map(specOf), held);
    } finally {
      letGo(held);
    }
  };
  const plan = (args: T): Planned => {
    checkArguments(args);
    if (activeTrace()) throw new TraceError('plan() traces a function: it cannot be traced.');
    const { calls, captured } = lowerBody(deviceOf(args), args.map(specOf), body, baked);
    for (const value of captured) value.release();
    return { lowered: calls, figures: programFigures(calls, planMemory(calls)) };
  };
  const warmUp = async (args: T, onKernel: (done: number, total: number) => void = () => {}): Promise<R> => {
    checkArguments(args);
    if (activeTrace()) throw new TraceError('warmUp() runs a program: it cannot be traced.');
    const device = deviceOf(args);
    const specs = args.map(specOf);
    const held = hold(args);
    try {
      await entryFor(keptFor(device), specs).program.compileKernels(onKernel);
      // The function may have been disposed of in the meantime: then it is compiled again.
      return runNow(keptFor(device), specs, held);
    } finally {
      letGo(held);
    }
  };
  const profile = async (args: T, clock?: Clock): Promise<{ result: R; profile: RunProfile }> => {
    checkArguments(args);
    if (activeTrace()) throw new TraceError('profile() runs a program: it cannot be traced.');
    const mine = keptFor(deviceOf(args));
    const held = hold(args);
    try {
      const entry = entryFor(mine, args.map(specOf));
      const { results, profile } = await mine.memory.with(held, entry.assigned, inputs => {
        for (const variable of entry.assigned) variable.beforeChange(mine.device);
        return entry.profiler.run(inputs, clock);
      });
      return { result: finish(entry, results), profile };
    } finally {
      letGo(held);
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

/** What the body does, lowered. The captured values are held for the caller. */
function lowerBody<T extends readonly Argument[], R extends Tree>(
  device: Device,
  specs: readonly TensorSpec[],
  body: (...args: Traced<T>) => R,
  baked: boolean,
): Pick<Entry, 'rebuild' | 'assigned' | 'captured'> & { readonly calls: Lowered } {
  const { graph, rebuild, captured } = traceFunction(device, specs, body);
  try {
    const calls = lower(optimize(graph, device.traits), baked, device.traits);
    const assigned = [...new Set(graph.assignments.map(({ variable }) => variable))];
    return { calls, rebuild, assigned, captured };
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
    throw new DaybreakError(`A compiled function takes tensors and numbers; argument ${i} is ${nameOf(argument)}.`);
  });
}

/** Modules: a tree of named parameters and buffers, as in PyTorch. */

import { DaybreakError } from '../engine/basics/errors.ts';
import type { Shape } from '../engine/basics/shape.ts';
import { activeTrace } from '../engine/graph/trace.ts';
import type { Tensor } from '../engine/tensor.ts';
import { Variable } from '../engine/variable.ts';

/** Weights that do not match a network: missing, unexpected or of another shape. */
export class WeightsError extends DaybreakError {
  static override readonly name: string = 'WeightsError';
  static override readonly code: string = 'DAYBREAK_WEIGHTS';
}

/** A tensor's content on the CPU. */
export interface HostTensor {
  /** Sizes of the axes, outermost first. */
  readonly shape: Shape;
  /** Its elements, outermost axis first. */
  readonly data: Float32Array;
}

/** convIn → conv_in: state names follow PyTorch, properties TypeScript. */
const stateName = (property: string): string => property.replace(/[A-Z]/g, letter => `_${letter.toLowerCase()}`);

/** A variable or module that a module contains, with its name in the state. */
type Child = readonly [name: string, child: Variable | Module];

/**
 * Base class of layers and networks. Its state is what its properties hold: variables, modules, and arrays and plain objects
 * of them, however deep, named in snake case (`blocks.0.conv1.weight`), in the order in which they were set. TypeScript's
 * `private` properties count; JavaScript's `#private` ones cannot be seen from outside: give them to {@link register}.
 *
 *     class Scale extends Module {
 *       readonly weight = variable([1]);
 *       forward(x: Tensor): Tensor {
 *         return mul(x, this.weight);
 *       }
 *     }
 */
export abstract class Module implements Disposable {
  #training = true;
  readonly #registered: Child[] = [];

  /** Wrap several operations in a `tidy`, so that eager code frees intermediate results. */
  abstract forward(x: Tensor): Tensor;

  /**
   * Whether the module is being trained (default), which batch norm and dropout depend on. Set by {@link train} and
   * {@link eval}. Compiled functions have a program for each mode.
   */
  get training(): boolean {
    activeTrace()?.dependOn(this, () => this.#training);
    return this.#training;
  }

  /** Adds a variable or module that is not in a public property to the state, and returns it. */
  protected register<T extends Variable | Module>(name: string, child: T): T {
    this.#registered.push([name, child]);
    return child;
  }

  /** What this module contains itself. */
  #children(): Child[] {
    return [
      ...this.#registered,
      ...Object.entries(this).flatMap(([property, value]) => childrenIn(value, stateName(property))),
    ];
  }

  /** This module and all below it, each once. */
  *modules(): Generator<Module, void, undefined> {
    const seen = new Set<Module>();
    const left: Module[] = [this];
    for (let module = left.pop(); module; module = left.pop()) {
      if (seen.has(module)) continue;
      seen.add(module);
      yield module;
      const below = module.#children().flatMap(([, child]) => (child instanceof Module ? [child] : []));
      left.push(...below.reverse());
    }
  }

  /** Calls `change` with this module and all below it, and returns this module. */
  apply(change: (module: Module) => void): this {
    for (const module of this.modules()) change(module);
    return this;
  }

  /** All variables, with their names. One that is reached in two ways has two names. */
  namedVariables(prefix = ''): [string, Variable][] {
    return this.#named(prefix, []);
  }

  #named(prefix: string, above: readonly Module[]): [string, Variable][] {
    if (above.includes(this)) throw new DaybreakError(`${prefix.slice(0, -1)}: a module cannot contain itself.`);
    return this.#children().flatMap(([name, child]): [string, Variable][] =>
      child instanceof Module ? child.#named(`${prefix}${name}.`, [...above, this]) : [[prefix + name, child]],
    );
  }

  /** Variables that gradients flow to, each once, with their first names. */
  namedParameters(): [string, Variable][] {
    const seen = new Set<Variable>();
    return this.namedVariables().filter(([, variable]) => {
      if (!variable.requiresGrad || seen.has(variable)) return false;
      seen.add(variable);
      return true;
    });
  }

  /** Variables that gradients flow to. */
  parameters(): Variable[] {
    return this.namedParameters().map(([, variable]) => variable);
  }

  /** Number of trainable parameters. */
  get parameterCount(): number {
    return this.parameters().reduce((sum, variable) => sum + variable.size, 0);
  }

  /** Training mode (default): batch norm uses the batch's statistics and tracks them, and dropout drops. */
  train(training = true): this {
    const trace = activeTrace();
    for (const module of this.modules()) {
      module.#training = training;
      trace?.settle(module);
    }
    return this;
  }

  /** Evaluation mode: batch norm uses the running statistics, and dropout drops nothing. */
  eval(): this {
    return this.train(false);
  }

  #state(): [string, Variable][] {
    const named = this.namedVariables();
    for (const [name, { dtype }] of named)
      if (dtype !== 'f32') throw new WeightsError(`${name}: expected an f32 variable in a state, got ${dtype}.`);
    return named;
  }

  /** Content of all variables, read from the GPU in one copy. Throws WeightsError for a u32 variable: states hold f32 only. */
  async stateDict(): Promise<Map<string, HostTensor>> {
    const named = this.#state();
    const [first] = named;
    if (!first) return new Map();
    const bytes = await first[1].device.read(named.map(([, variable]) => variable.storage));
    return new Map(named.map(([name, { shape }], i) => [name, { shape, data: new Float32Array(bytes[i].buffer) }]));
  }

  /**
   * Replaces the content of all variables. Throws WeightsError, before changing anything, if a tensor is missing,
   * unexpected or has another shape.
   */
  loadStateDict(tensors: ReadonlyMap<string, HostTensor>): this {
    const named = this.#state();
    const names = new Set(named.map(([name]) => name));
    const missing = named.filter(([name]) => !tensors.has(name)).map(([name]) => name);
    const unknown = [...tensors.keys()].filter(name => !names.has(name));
    if (missing.length > 0) throw new WeightsError(`missing weights: ${list(missing)}.`);
    if (unknown.length > 0) throw new WeightsError(`unexpected weights: ${list(unknown)}.`);
    for (const [name, variable] of named) {
      const { shape, data } = tensors.get(name)!;
      if (shape.join() !== variable.shape.join())
        throw new WeightsError(`${name}: expected shape [${variable.shape.join(', ')}], got [${shape.join(', ')}].`);
      if (data.length !== variable.size)
        throw new WeightsError(
          `${name}: expected ${variable.size} numbers for shape [${shape.join(', ')}], got ${data.length}.`,
        );
    }
    for (const [name, variable] of named) variable.write(Float32Array.from(tensors.get(name)!.data));
    return this;
  }

  /** Releases the variables' memory. */
  dispose(): void {
    for (const [, variable] of this.namedVariables()) variable.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

/** The variables and modules in a property's value. */
function childrenIn(value: unknown, name: string, around: readonly unknown[] = []): Child[] {
  if (value instanceof Variable || value instanceof Module) return [[name, value]];
  if (!isContainer(value) || around.includes(value)) return [];
  return Object.entries(value).flatMap(([key, item]) =>
    childrenIn(item, `${name}.${Array.isArray(value) ? key : stateName(key)}`, [...around, value]),
  );
}

const isContainer = (value: unknown): value is object =>
  Array.isArray(value) ||
  (typeof value === 'object' && value !== null && [Object.prototype, null].includes(Object.getPrototypeOf(value)));

function list(names: readonly string[]): string {
  const shown = names.slice(0, 3).join(', ');
  return names.length > 3 ? `${shown} and ${names.length - 3} more` : shown;
}

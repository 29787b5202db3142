/** Modules: a tree of named parameters and buffers, as in PyTorch. */

import { DaybreakError } from '../engine/basics/errors.ts';
import type { Shape } from '../engine/basics/shape.ts';
import type { Tensor } from '../engine/tensor.ts';
import { Variable } from '../engine/variable.ts';

/** Weights that do not match a network: missing, unexpected or of another shape. */
export class WeightsError extends DaybreakError {}

/** A tensor's content on the CPU. */
export interface HostTensor {
  readonly shape: Shape;
  readonly data: Float32Array;
}

/** convIn → conv_in: state names follow PyTorch, properties TypeScript. */
const stateName = (property: string): string => property.replace(/[A-Z]/g, letter => `_${letter.toLowerCase()}`);

/**
 * Base class of layers and networks. Properties that are variables, modules or arrays of modules are its state, named in
 * snake case (`blocks.0.conv1.weight`), in the order in which they were set.
 */
export abstract class Module implements Disposable {
  /** Whether batch norm uses (and tracks) the batch's statistics. */
  training = true;

  /** Wrap several operations in a `tidy`, so that eager code frees intermediate results. */
  abstract forward(x: Tensor): Tensor;

  /** This module and all below it. */
  *modules(): Generator<Module, void, undefined> {
    yield this;
    for (const value of Object.values(this))
      for (const item of Array.isArray(value) ? value : [value]) if (item instanceof Module) yield* item.modules();
  }

  /** All variables, with their names. */
  namedVariables(prefix = ''): [string, Variable][] {
    return Object.entries(this).flatMap(([property, value]): [string, Variable][] => {
      const name = prefix + stateName(property);
      if (value instanceof Variable) return [[name, value]];
      if (value instanceof Module) return value.namedVariables(`${name}.`);
      if (Array.isArray(value))
        return value.flatMap((item, i) => (item instanceof Module ? item.namedVariables(`${name}.${i}.`) : []));
      return [];
    });
  }

  /** Variables that gradients flow to, with their names. */
  namedParameters(): [string, Variable][] {
    return this.namedVariables().filter(([, variable]) => variable.requiresGrad);
  }

  /** Variables that gradients flow to. */
  parameters(): Variable[] {
    return this.namedParameters().map(([, variable]) => variable);
  }

  /** Number of trainable parameters. */
  get parameterCount(): number {
    return this.parameters().reduce((sum, variable) => sum + variable.size, 0);
  }

  /** Training mode (default): batch norm uses the batch's statistics and tracks them. */
  train(training = true): this {
    for (const module of this.modules()) module.training = training;
    return this;
  }

  /** Evaluation mode: batch norm uses the running statistics. */
  eval(): this {
    return this.train(false);
  }

  /** Content of all variables, read from the GPU in one copy. */
  async stateDict(): Promise<Map<string, HostTensor>> {
    const named = this.namedVariables();
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
    const named = this.namedVariables();
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

function list(names: readonly string[]): string {
  const shown = names.slice(0, 3).join(', ');
  return names.length > 3 ? `${shown} and ${names.length - 3} more` : shown;
}

/** Modules: named parameters and buffers in a tree, as PyTorch has them. */

import { DaybreakError } from '../engine/basics/errors.ts';
import type { Shape } from '../engine/basics/shape.ts';
import type { Tensor } from '../engine/tensor.ts';
import { Variable } from '../engine/variable.ts';

/** Weights that do not fit a network: missing, unknown or of another shape. */
export class WeightsError extends DaybreakError {}

/** A tensor's content on the CPU. */
export interface HostTensor {
  readonly shape: Shape;
  readonly data: Float32Array;
}

/** convIn → conv_in: state names are PyTorch's, properties TypeScript's. */
const stateName = (property: string): string => property.replace(/[A-Z]/g, letter => `_${letter.toLowerCase()}`);

/**
 * Base of layers and networks. Properties that are variables, modules or arrays of modules are its state, under their
 * names in snake case (`blocks.0.conv1.weight`), in the order in which they were set.
 */
export abstract class Module implements Disposable {
  /** Whether batch norm uses (and tracks) the statistics of the batch. */
  training = true;

  /** Made of several operations? Then inside a `tidy`, so that what lies between is freed in eager code, too. */
  abstract forward(x: Tensor): Tensor;

  /** This module and all below it. */
  *modules(): Generator<Module, void, undefined> {
    yield this;
    for (const value of Object.values(this))
      for (const item of Array.isArray(value) ? value : [value]) if (item instanceof Module) yield* item.modules();
  }

  /** All variables with their names. */
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

  /** Number of trained numbers. */
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

  /** Content of all variables, read back from the GPU in one go. */
  async stateDict(): Promise<Map<string, HostTensor>> {
    const named = this.namedVariables();
    const [first] = named;
    if (!first) return new Map();
    const bytes = await first[1].device.read(named.map(([, variable]) => variable.storage));
    return new Map(named.map(([name, { shape }], i) => [name, { shape, data: new Float32Array(bytes[i].buffer) }]));
  }

  /**
   * Replaces the content of all variables. Throws WeightsError, before anything is changed, where a tensor is missing,
   * has another shape, or belongs to nothing here.
   */
  loadStateDict(tensors: ReadonlyMap<string, HostTensor>): this {
    const named = this.namedVariables();
    const names = new Set(named.map(([name]) => name));
    const missing = named.filter(([name]) => !tensors.has(name)).map(([name]) => name);
    const unknown = [...tensors.keys()].filter(name => !names.has(name));
    if (missing.length > 0) throw new WeightsError(`The weights lack ${list(missing)}.`);
    if (unknown.length > 0) throw new WeightsError(`The weights have ${list(unknown)}, which this network does not.`);
    for (const [name, variable] of named) {
      const { shape, data } = tensors.get(name)!;
      if (shape.join() !== variable.shape.join())
        throw new WeightsError(
          `${name} is [${shape.join(', ')}] in the weights, this network has [${variable.shape.join(', ')}].`,
        );
      if (data.length !== variable.size)
        throw new WeightsError(`${name} has ${data.length} numbers, [${shape.join(', ')}] needs ${variable.size}.`);
    }
    for (const [name, variable] of named) variable.write(Float32Array.from(tensors.get(name)!.data));
    return this;
  }

  /** Gives the variables' memory back. */
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

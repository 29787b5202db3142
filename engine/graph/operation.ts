/**
 * The graph: operations, the nodes that apply them and the values that flow between.
 *
 * The same classes serve a trace (values without memory, replayed later as a program) and eager work (values with
 * memory, nodes kept only as long as a gradient may ask for them).
 */

import type { TensorSpec } from '../basics/shape.ts';
import type { Storage } from '../device/memory.ts';
import type { Epilogue } from '../text/epilogue.ts';
import type { Attributes, Elementwise } from '../text/expression.ts';
import type { AdapterTraits, Lowering } from '../text/kernel.ts';

export type { Attributes, Elementwise };

/** One application of an operation, as its lowering sees it. */
export interface Problem<A> {
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  readonly attributes: A;
  /** True: sizes are constants of the text (training). False: they are arguments, so one text serves every size. */
  readonly baked: boolean;
  /** For operations that take one: what is applied to each element; its inputs follow the operation's own. */
  readonly epilogue?: Epilogue;
}

/** What the engine must know of an operation to trace, plan and run it. */
export interface Operation<A = Attributes> {
  readonly name: string;
  /** The shape rule. Throws ShapeError. */
  infer(inputs: readonly TensorSpec[], attributes: A): TensorSpec[];
  /** Kernels, as text. */
  lower(problem: Problem<A>, traits: AdapterTraits): Lowering;
  /** `[output, input]` pairs that share memory: the kernel updates the input where it lies. */
  readonly inPlace?: readonly (readonly [number, number])[];
  /** Output 0 is part of input 0, or all of it under another shape: no kernel runs. */
  readonly view?: View<A>;
  /**
   * Output 0 is all inputs side by side at these element offsets (multiples of 64). The planner lets producers write
   * straight into place; `lower` has one step for each input, run only where that was impossible.
   */
  packOffsets?(attributes: A, inputs: readonly TensorSpec[]): readonly number[];
  /** A scalar WGSL expression, if the operation is elementwise: what lets `compile` fuse chains of them. */
  readonly elementwise?: Elementwise<A>;
  /** Its kernels apply a problem's epilogue to output 0, [N, C, …], before they store it. */
  readonly takesEpilogue?: true;
  /**
   * Output 0, [N, K/f², H·f, W·f], is input 0, [N, K, H, W], shuffled by the factor f: element (c·f² + i·f + j, y, x) moves to
   * (c, y·f + i, x·f + j).
   */
  shuffle?(attributes: A): number;
  /** Present if the operation is a sum over axes. */
  readonly reduction?: Reduction<A>;
}

/** Where in input 0 a view begins, in elements; a multiple of 64 (WebGPU binds at multiples of 256 bytes). */
export interface View<A> {
  offset(attributes: A): number;
}

/** A sum over axes, as data: what lets `compile` compute its input on the fly. */
export interface Reduction<A> {
  /** Which axes of the input are summed (sorted, non-negative), and the factor of the sum. */
  describe(attributes: A, rank: number): { readonly axes: readonly number[]; readonly scale: number };
}

/** State that outlives a program: the engine's view of a Variable. */
export interface VariableState {
  readonly name: string;
  /** Where it lies now; changes when variables are gathered into one buffer. */
  storage: Storage;
  /** Set when it lies inside another variable's memory, `offset` elements from its start. */
  part?: { readonly whole: VariableState; readonly offset: number };
  /** Grows with each change of content, so that a stale gradient can be refused. */
  version: number;
}

/** Where a value without a producing node comes from. */
export type Source =
  | { readonly kind: 'argument'; readonly index: number }
  | { readonly kind: 'variable'; readonly variable: VariableState }
  | { readonly kind: 'constant'; readonly storage: Storage };

let nextValueId = 1;

/** A tensor in a graph. With `storage` it exists in GPU memory; without, it is a promise of a trace. */
export class Value {
  readonly id = nextValueId++;
  readonly spec: TensorSpec;
  /** The node that computes it, as long as gradients may flow through it. */
  node: Node | undefined;
  source: Source | undefined;
  storage: Storage | undefined;
  requiresGrad = false;
  #claims = 0;

  constructor(spec: TensorSpec, storage?: Storage) {
    this.spec = spec;
    this.storage = storage;
  }

  retain(): this {
    if (this.#claims === 0 && this.node?.recorded) this.node.outputClaimed();
    this.#claims++;
    return this;
  }

  /**
   * Gives one claim up. With the last one the memory goes, once no recorded node needs it either; and with a node its
   * claims on its inputs. Iterative: graphs are deep.
   */
  release(): void {
    const due: Value[] = [this];
    for (let value = due.pop(); value; value = due.pop()) {
      value.#claims--;
      if (value.#claims > 0) continue;
      if (value.node?.recorded) due.push(...value.node.outputReleased());
      else value.freeStorage();
    }
  }

  freeStorage(): void {
    this.storage?.release();
    this.storage = undefined;
  }
}

/** One application of an operation. */
export class Node {
  readonly operation: Operation<never>;
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  readonly attributes: Attributes;
  /** Versions of the inputs' variables when the node was recorded; undefined where an input is no variable. */
  readonly versions: readonly (number | undefined)[];
  /** Eager and kept for gradients: it holds claims on its inputs. */
  recorded = false;
  #claimedOutputs = 0;

  constructor(
    operation: Operation<never>,
    inputs: readonly Value[],
    outputs: readonly Value[],
    attributes: Attributes,
  ) {
    this.operation = operation;
    this.inputs = inputs;
    this.outputs = outputs;
    this.attributes = attributes;
    this.versions = inputs.map(value =>
      value.source?.kind === 'variable' ? value.source.variable.version : undefined,
    );
  }

  /** Keeps inputs and outputs, which nobody has claimed yet, until no output is claimed any more. */
  record(): void {
    this.recorded = true;
    for (const value of this.inputs) value.retain();
    for (const value of this.outputs) value.node = this;
  }

  outputClaimed(): void {
    this.#claimedOutputs++;
  }

  /** An output lost its last claim. Returns the inputs whose claims end with this node. */
  outputReleased(): readonly Value[] {
    this.#claimedOutputs--;
    if (this.#claimedOutputs > 0) return [];
    this.recorded = false;
    for (const value of this.outputs) value.freeStorage();
    return this.inputs;
  }
}

/** A value assigned to a variable at the end of a program. */
export interface Assignment {
  readonly variable: VariableState;
  readonly value: Value;
}

/** A traced function: nodes in an order in which they can run. */
export interface Graph {
  readonly nodes: readonly Node[];
  readonly arguments: readonly Value[];
  readonly results: readonly Value[];
  readonly assignments: readonly Assignment[];
}

/** What a node asks of its operation. */
export const problemOf = (node: Node, baked: boolean): Problem<Attributes> => ({
  inputs: node.inputs.map(value => value.spec),
  outputs: node.outputs.map(value => value.spec),
  attributes: node.attributes,
  baked,
});

/** A node's problem for the operation that made it: the one place where its attributes' type is asserted. */
export function lowerNode(node: Node, problem: Problem<Attributes>, traits: AdapterTraits): Lowering {
  return (node.operation as Operation<Attributes>).lower(problem, traits);
}

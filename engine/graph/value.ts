/**
 * The graph: nodes that apply operations, the values between them, and variables, which outlive it.
 *
 * The same classes are used by traces (values without memory, replayed later as a program) and eager code (values with
 * memory; nodes are kept only as long as a gradient may need them).
 */
import { DisposedError } from '../basics/errors.ts';
import { sizeOf, type TensorSpec } from '../basics/shape.ts';
import type { MemoryPool, Storage } from '../device/memory.ts';
import type { AdapterTraits, Lowering } from '../text/kernel.ts';
import type { Attributes, Operation, Problem } from './operation.ts';

/** The origin of a value without a producing node. */
export type Source =
  | { readonly kind: 'argument'; readonly index: number }
  | { readonly kind: 'variable'; readonly variable: VariableState }
  | { readonly kind: 'constant'; readonly storage: Storage }
  /** The variable's value before it was assigned, kept for a gradient. */
  | { readonly kind: 'former'; readonly variable: VariableState };

let nextValueId = 1;

/** A tensor in a graph. With `storage` it exists in GPU memory; without, it is symbolic, inside a trace. */
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

  /** Whether there is more than one claim. */
  get shared(): boolean {
    return this.#claims > 1;
  }

  retain(): this {
    if (this.#claims === 0 && this.node?.recorded) this.node.outputClaimed();
    this.#claims++;
    return this;
  }

  /**
   * Releases one claim. After the last one the memory is freed, unless a recorded node needs it; freeing a node releases its
   * claims on its inputs. Iterative, because graphs are deep.
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
  /** Recorded for gradients in eager code: it holds claims on its inputs. */
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
  }

  /** Keeps inputs and outputs until no output is claimed. Call it before any output is claimed. */
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

/** The parts of a device that {@link VariableState} needs. */
interface Copier {
  readonly memory: MemoryPool;
  copy(from: Storage, to: Storage, bytes: number): void;
}

/** Elements in 256 bytes: parts start at multiples of it, where WebGPU can bind them, and own the padding at their end. */
export const ROW = 64;

/** The engine's view of a Variable. */
export class VariableState {
  readonly name: string;
  /** Set while it is part of another variable's memory, `offset` elements from its start. */
  part: { readonly whole: VariableState; readonly offset: number } | undefined;
  /** Variables that are parts of this one. */
  readonly parts = new Set<VariableState>();
  #value: Value;

  /** `value`, which has memory, becomes the content. */
  constructor(name: string, value: Value) {
    this.name = name;
    this.#value = value;
    value.source = { kind: 'variable', variable: this };
  }

  /** The content. A claim on it keeps this content even when the variable is assigned. */
  get value(): Value {
    return this.#value;
  }

  get spec(): TensorSpec {
    return this.#value.spec;
  }

  /** Its memory. Throws DisposedError. */
  get storage(): Storage {
    const { storage } = this.#value;
    if (!storage?.alive) throw new DisposedError(`${this.name} was disposed: its memory was released.`);
    return storage;
  }

  /** The variable that owns the memory. */
  get root(): VariableState {
    return this.part?.whole ?? this;
  }

  /** Its elements in {@link root}, from `start` to before `end`, including padding. */
  get range(): { readonly start: number; readonly end: number } {
    const size = sizeOf(this.spec.shape);
    if (!this.part) return { start: 0, end: size };
    const { whole, offset } = this.part;
    return { start: offset, end: Math.min(offset + Math.ceil(size / ROW) * ROW, sizeOf(whole.spec.shape)) };
  }

  /** This variable and all that share its memory. */
  get aliases(): VariableState[] {
    return [this.root, ...this.root.parts].filter(other => overlap(this.range, other.range));
  }

  /** Call before changing the content: nodes recorded for gradients get a copy of the old content. */
  beforeChange(device: Copier): void {
    for (const one of this.aliases) one.#leave(device);
  }

  #leave(device: Copier): void {
    const old = this.#value;
    const current = old.storage;
    if (!old.shared || !current) return;
    const kept = device.memory.allocate(current.bytes, 'kept for a gradient');
    device.copy(current, kept, current.bytes);
    const fresh = new Value(old.spec, current);
    fresh.requiresGrad = old.requiresGrad;
    fresh.source = { kind: 'variable', variable: this };
    fresh.retain();
    old.storage = kept;
    old.source = { kind: 'former', variable: this };
    old.release();
    this.#value = fresh;
  }

  /** Moves the content out of the variable that contains it, to its own memory. No effect if no variable contains it. */
  moveOut(device: Copier): void {
    if (!this.part) return;
    const current = this.storage;
    const storage = device.memory.allocate(current.bytes, this.name);
    device.copy(current, storage, current.bytes);
    this.moveTo(storage, undefined);
  }

  /** Sets the memory to `storage`, which has the same content: a part of `part.whole`, or its own. */
  moveTo(storage: Storage, part: VariableState['part']): void {
    this.part?.whole.parts.delete(this);
    part?.whole.parts.add(this);
    this.part = part;
    const old = this.#value.storage;
    this.#value.storage = storage;
    old?.release();
  }
}

/** Whether two ranges of one variable overlap. */
export const overlap = (
  a: { readonly start: number; readonly end: number },
  b: { readonly start: number; readonly end: number },
): boolean => a.start < b.end && b.start < a.end;

/** The final value of a variable's range: `size` elements from `start` on equal those of `value` from `from` on. */
export interface Assignment {
  /** Not a part of another variable. */
  readonly variable: VariableState;
  readonly start: number;
  readonly size: number;
  readonly value: Value;
  readonly from: number;
}

/** A traced function: nodes in topological order. */
export interface Graph {
  readonly nodes: readonly Node[];
  readonly arguments: readonly Value[];
  readonly results: readonly Value[];
  readonly assignments: readonly Assignment[];
}

/** The problem that a node poses to its operation. */
export const problemOf = (node: Node, baked: boolean): Problem<Attributes> => ({
  inputs: node.inputs.map(value => value.spec),
  outputs: node.outputs.map(value => value.spec),
  attributes: node.attributes,
  baked,
});

/** A node's kernels. The cast is safe: nodes are created with attributes of their operation's type. */
export function lowerNode(node: Node, problem: Problem<Attributes>, traits: AdapterTraits): Lowering {
  return (node.operation as Operation<Attributes>).lower(problem, traits);
}

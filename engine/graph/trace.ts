/**
 * Recording: while a function is traced, applying an operation adds a node to the graph instead of running anything.
 */

import { TraceError } from '../basics/errors.ts';
import type { TensorSpec } from '../basics/shape.ts';
import type { Device } from '../device/device.ts';
import {
  type Assignment,
  type Attributes,
  type Graph,
  Node,
  type Operation,
  Value,
  type VariableState,
} from './operation.ts';

export class Trace {
  readonly device: Device;
  readonly #nodes: Node[] = [];
  readonly #arguments: Value[];
  readonly #own = new Set<Value>();
  readonly #captured = new Map<Value, Value>();
  readonly #variables = new Map<VariableState, Value>();
  readonly #assigned = new Map<VariableState, Value>();

  constructor(device: Device, specs: readonly TensorSpec[]) {
    this.device = device;
    this.#arguments = specs.map((spec, index) => {
      const value = new Value(spec);
      value.source = { kind: 'argument', index };
      // Whoever asks for the gradient of an argument gets it; nobody else pays for it.
      value.requiresGrad = true;
      this.#own.add(value);
      return value;
    });
  }

  get arguments(): readonly Value[] {
    return this.#arguments;
  }

  /** Memory that the program will keep using: captured tensors. */
  get captured(): Value[] {
    return [...this.#captured.keys()];
  }

  /** The value that stands for an existing tensor inside this trace. */
  import(value: Value): Value {
    if (this.#own.has(value)) return value;
    if (value.source?.kind === 'variable') return this.read(value.source.variable, value);
    if (!value.storage)
      throw new TraceError('A tensor of another trace was used; return it from that function instead.');
    const known = this.#captured.get(value);
    if (known) return known;
    const own = new Value(value.spec);
    own.source = { kind: 'constant', storage: value.storage };
    own.requiresGrad = value.requiresGrad;
    value.retain();
    this.#captured.set(value, own);
    this.#own.add(own);
    return own;
  }

  /** A variable's content at this point of the trace. */
  read(variable: VariableState, original: Value): Value {
    const assigned = this.#assigned.get(variable);
    if (assigned) return assigned;
    const known = this.#variables.get(variable);
    if (known) return known;
    const own = new Value(original.spec);
    own.source = { kind: 'variable', variable };
    own.requiresGrad = original.requiresGrad;
    this.#variables.set(variable, own);
    this.#own.add(own);
    return own;
  }

  assign(variable: VariableState, value: Value): void {
    this.#assigned.set(variable, this.import(value));
  }

  get assignments(): Assignment[] {
    return [...this.#assigned].map(([variable, value]) => ({ variable, value }));
  }

  /** Whether the variable has been assigned so far. */
  assigns(variable: VariableState): boolean {
    return this.#assigned.has(variable);
  }

  /** Replaces every assignment made so far by what `choose` makes of the variable's first content and the new one. */
  revise(choose: (old: Value, assigned: Value, variable: VariableState) => Value): void {
    for (const [variable, value] of this.#assigned) {
      let old = this.#variables.get(variable);
      if (!old) {
        old = new Value(value.spec);
        old.source = { kind: 'variable', variable };
        this.#variables.set(variable, old);
        this.#own.add(old);
      }
      this.#assigned.set(variable, choose(old, value, variable));
    }
  }

  append(
    operation: Operation<never>,
    inputs: readonly Value[],
    specs: readonly TensorSpec[],
    attributes: Attributes,
  ): Node {
    const outputs = specs.map(spec => new Value(spec));
    for (const value of outputs) this.#own.add(value);
    const node = new Node(operation, inputs, outputs, attributes);
    this.#nodes.push(node);
    return node;
  }

  finish(results: readonly Value[]): Graph {
    return { nodes: this.#nodes, arguments: this.#arguments, results, assignments: this.assignments };
  }
}

let active: Trace | undefined;

/** The trace being recorded, if any. */
export const activeTrace = (): Trace | undefined => active;

/** Runs `body` with `trace` recording. Traces do not nest: a compiled function called inside another becomes part of it. */
export function withTrace<T>(trace: Trace, body: () => T): T {
  const outer = active;
  active = trace;
  try {
    return body();
  } finally {
    active = outer;
  }
}

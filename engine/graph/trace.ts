/**
 * Tracing: while a function is traced, applying an operation adds a node to the graph instead of running anything.
 *
 * An assignment also adds a node. Its output is the variable's value from there on; earlier reads keep the earlier value.
 * So a graph has no side effects until its end, where `assignments` lists the final value of each variable.
 */
import { TraceError } from '../basics/errors.ts';
import { type Shape, sizeOf, type TensorSpec } from '../basics/shape.ts';
import type { Device } from '../device/device.ts';
import { assignOp, rangeOp, sideBySideOp } from './memory-operations.ts';
import type { Attributes, Operation } from './operation.ts';
import { type Assignment, type Graph, Node, overlap, Value, type VariableState } from './value.ts';
import { type Written, WrittenRanges } from './written-ranges.ts';

/** Reads something that a traced function depends on beside its arguments, such as a module's mode. */
export type Guard = () => string | number | boolean;

/** A variable that a trace has assigned. */
export interface Assigned {
  /** The whole variable if all of it was assigned, even if part by part. */
  readonly variable: VariableState;
  /** Its initial value. */
  readonly was: Value;
  /** Its current value. */
  readonly is: Value;
}

export class Trace {
  readonly device: Device;
  readonly #nodes: Node[] = [];
  readonly #arguments: Value[];
  readonly #own = new Set<Value>();
  readonly #captured = new Map<Value, Value>();
  /** Initial values of variables. */
  readonly #first = new Map<VariableState, Value>();
  /** Current values of the variables read so far. */
  readonly #now = new Map<VariableState, Value>();
  /** By variables that are not parts of others. */
  readonly #written = new Map<VariableState, WrittenRanges>();
  readonly #guards = new Map<object, Guard>();
  readonly #settled = new Set<object>();

  constructor(device: Device, specs: readonly TensorSpec[]) {
    this.device = device;
    this.#arguments = specs.map((spec, index) => {
      const value = this.#leaf(spec, { kind: 'argument', index });
      // Allows gradients of arguments; they cost nothing if unused.
      value.requiresGrad = true;
      return value;
    });
  }

  get arguments(): readonly Value[] {
    return this.#arguments;
  }

  /** Captured tensors: the program keeps using their memory. */
  get captured(): Value[] {
    return [...this.#captured.keys()];
  }

  /** What the graph depends on, one guard for each object. */
  get guards(): ReadonlyMap<object, Guard> {
    return this.#guards;
  }

  /** Declares that the graph depends on what `read` returns, which belongs to `owner`: another value needs another trace. */
  dependOn(owner: object, read: Guard): void {
    if (!this.#settled.has(owner)) this.#guards.set(owner, read);
  }

  /** Declares that the traced function itself sets what belongs to `owner`: from here on the graph does not depend on it. */
  settle(owner: object): void {
    this.#settled.add(owner);
  }

  /** The value that represents an existing tensor in this trace. */
  import(value: Value): Value {
    if (this.#own.has(value)) return value;
    if (value.source?.kind === 'variable') return this.#read(value.source.variable);
    if (!value.storage) throw new TraceError('A tensor of another trace was used; return it from that function.');
    const known = this.#captured.get(value);
    if (known) return known;
    const own = this.#leaf(value.spec, { kind: 'constant', storage: value.storage });
    own.requiresGrad = value.requiresGrad;
    value.retain();
    this.#captured.set(value, own);
    return own;
  }

  #leaf(spec: TensorSpec, source: Value['source']): Value {
    const value = new Value(spec);
    value.source = source;
    this.#own.add(value);
    return value;
  }

  /** The initial value of a variable. */
  #leafOf(variable: VariableState): Value {
    const known = this.#first.get(variable);
    if (known) return known;
    const value = this.#leaf(variable.spec, { kind: 'variable', variable });
    value.requiresGrad = variable.value.requiresGrad;
    this.#first.set(variable, value);
    return value;
  }

  /** The value of a variable at this point of the trace: the same until it is assigned. */
  #read(variable: VariableState): Value {
    const known = this.#now.get(variable);
    if (known) return known;
    const value = this.#compose(variable);
    value.requiresGrad = variable.value.requiresGrad;
    this.#now.set(variable, value);
    return value;
  }

  /** Builds a variable's content from the values written to its memory. */
  #compose(variable: VariableState): Value {
    const { range, root } = variable;
    const written = this.#written.get(root)?.within(range) ?? [];
    const [first] = written;
    if (!first) return this.#leafOf(variable);
    const { shape } = variable.spec;
    const isAll = first.start === range.start && sizeOf(first.value.spec.shape) - first.from >= sizeOf(shape);
    if (isAll && first.end === range.end) return this.#range(first.value, first.from, shape);
    const pieces: Value[] = [];
    let at = range.start;
    const untouched = (end: number) => {
      if (at < end) pieces.push(this.#range(this.#leafOf(root), at, [end - at]));
    };
    for (const { start, end, value, from } of written) {
      untouched(start);
      const size = Math.min(end - start, sizeOf(value.spec.shape) - from);
      pieces.push(this.#range(value, from, [size]));
      at = end;
    }
    untouched(range.end);
    const shapes = pieces.map(piece => piece.spec);
    const whole = this.append(sideBySideOp, pieces, sideBySideOp.infer(shapes, {}), {}).outputs[0];
    return this.#range(whole, 0, shape);
  }

  /** Elements of `value` from `offset` on, as a new value, so that no gradient flows back. */
  #range(value: Value, offset: number, shape: Shape): Value {
    const attributes = { offset, shape };
    return this.append(rangeOp, [value], rangeOp.infer([value.spec], attributes), attributes).outputs[0];
  }

  /** Assigns the current `value` to `variable` and to all variables that share its memory. */
  assign(variable: VariableState, value: Value): void {
    const held = this.append(assignOp, [this.import(value)], [variable.spec], {}).outputs[0];
    held.requiresGrad = variable.value.requiresGrad;
    const { root, range } = variable;
    let written = this.#written.get(root);
    if (!written) {
      written = new WrittenRanges();
      this.#written.set(root, written);
    }
    written.write({ ...range, value: held, from: 0, by: variable });
    for (const other of this.#now.keys())
      if (other.root === root && overlap(other.range, range)) this.#now.delete(other);
    this.#now.set(variable, held);
  }

  /** Whether the variable, or a part of it, has been assigned. */
  assigns(variable: VariableState): boolean {
    return (this.#written.get(variable.root)?.within(variable.range).length ?? 0) > 0;
  }

  /** All variables assigned so far. */
  assigned(): Assigned[] {
    return [...this.#written].flatMap(([root, { ranges }]) => {
      const variables = isCovered(root, ranges) ? [root] : [...new Set(ranges.map(({ by }) => by))];
      return variables.map(variable => ({ variable, was: this.#leafOf(variable), is: this.#read(variable) }));
    });
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
    const assignments = [...this.#written].flatMap(([variable, { ranges }]) =>
      ranges.map(({ start, end, value, from }): Assignment => {
        const size = Math.min(end - start, sizeOf(value.spec.shape) - from);
        return { variable, start, size, value, from };
      }),
    );
    return { nodes: this.#nodes, arguments: this.#arguments, results, assignments };
  }
}

/** Whether ranges, in ascending order, cover the whole variable. */
function isCovered(root: VariableState, ranges: readonly Written[]): boolean {
  let at = 0;
  for (const { start, end } of ranges) {
    if (start > at) return false;
    at = end;
  }
  return at >= root.range.end;
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

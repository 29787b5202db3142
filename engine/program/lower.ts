/** Graph → calls: every node becomes kernels over buffers that do not exist yet. */
import { TraceError } from '../basics/errors.ts';
import { sizeOf } from '../basics/shape.ts';
import { BINDING_ALIGNMENT, type Storage } from '../device/memory.ts';
import {
  type Attributes,
  type Graph,
  lowerNode,
  type Node,
  type Operation,
  type Problem,
  problemOf,
  type Value,
  type VariableState,
} from '../graph/operation.ts';
import type { AdapterTraits, Kernel } from '../text/kernel.ts';

/** A buffer of a program before it has memory. */
export interface Buffer {
  readonly bytes: number;
  /** Where its memory comes from; `temporary` ones are laid out by the planner. */
  origin:
    | { readonly kind: 'temporary' }
    | { readonly kind: 'argument'; readonly index: number }
    | { readonly kind: 'result'; readonly index: number }
    | { readonly kind: 'variable'; readonly variable: VariableState }
    | { readonly kind: 'constant'; readonly storage: Storage }
    | { readonly kind: 'part'; readonly whole: Buffer; readonly offset: number };
  /** Shares no memory with other temporaries, so that what no kernel writes stays zero. */
  dedicated: boolean;
}

/** One dispatch of a program: a kernel and a buffer for each of its bindings. */
export interface Call {
  readonly kernel: Kernel;
  readonly buffers: readonly Buffer[];
  /** The operation that asked for it, and what it was asked: for profiles. All calls of one node share the problem. */
  readonly operation: string;
  readonly problem: Problem<Attributes>;
  readonly node: Node;
}

/** A copy between buffers, after all calls. */
export interface Copy {
  readonly from: Buffer;
  readonly to: Buffer;
}

export interface Lowered {
  readonly calls: readonly Call[];
  readonly copies: readonly Copy[];
  readonly results: readonly Buffer[];
  readonly variables: readonly VariableState[];
}

const temporary = (bytes: number): Buffer => ({ bytes, origin: { kind: 'temporary' }, dedicated: false });
const bytesOf = (value: Value): number => sizeOf(value.spec.shape) * 4;

/** The buffer that has memory of its own, and where in it this one lies (bytes). */
export function rootOf(buffer: Buffer): { root: Buffer; offset: number } {
  if (buffer.origin.kind !== 'part') return { root: buffer, offset: 0 };
  const { root, offset } = rootOf(buffer.origin.whole);
  return { root, offset: offset + buffer.origin.offset };
}

export function lower(graph: Graph, baked: boolean, traits: AdapterTraits): Lowered {
  const buffers = new Map<Value, Buffer>();
  const variables = new Map<VariableState, Buffer>();
  const calls: Call[] = [];
  const updates = new Updates();

  const bufferOf = (value: Value): Buffer => {
    const known = buffers.get(value);
    if (known) return known;
    const made = leaf(value, variables);
    buffers.set(value, made);
    return made;
  };

  const read = (value: Value, reader: string): Buffer => {
    const buffer = bufferOf(value);
    updates.check(value, buffer, reader);
    return buffer;
  };

  for (const node of graph.nodes) {
    updates.enter(node);
    const { view } = node.operation as Operation;
    if (view) {
      const whole = read(node.inputs[0]!, node.operation.name);
      const bytes = bytesOf(node.outputs[0]!);
      const offset = view.offset(node.attributes) * 4;
      const same = offset === 0 && bytes === whole.bytes;
      buffers.set(
        node.outputs[0]!,
        same ? whole : { bytes, origin: { kind: 'part', whole, offset }, dedicated: false },
      );
      continue;
    }
    const inputs = node.inputs.map(value => read(value, node.operation.name));
    const outputs = node.outputs.map(value => temporary(bytesOf(value)));
    for (const [o, i] of node.operation.inPlace ?? []) {
      outputs[o] = inputs[i]!;
      updates.note(node, inputs[i]!);
    }
    node.outputs.forEach((value, i) => {
      buffers.set(value, outputs[i]!);
    });
    const problem = problemOf(node, baked);
    const lowering = lowerNode(node, problem, traits);
    const placed = placeParts(node, inputs, outputs[0]!, calls);
    const scratch = lowering.scratch.map(elements => temporary(elements * 4));
    lowering.steps.forEach((step, index) => {
      if (placed.has(index)) return;
      const operands = step.operands.map(operand => {
        if (operand.kind === 'input') return inputs[operand.index]!;
        if (operand.kind === 'output') return outputs[operand.index]!;
        return scratch[operand.index]!;
      });
      calls.push({ kernel: step.kernel, buffers: operands, operation: node.operation.name, problem, node });
    });
  }
  for (const value of graph.results) read(value, 'A result');
  for (const { variable, value } of graph.assignments) read(value, `The assignment to ${variable.name}`);
  return finish(graph, calls, bufferOf, variables);
}

/** The buffer of a value that no node computes. */
function leaf(value: Value, variables: Map<VariableState, Buffer>): Buffer {
  const { source } = value;
  if (!source) throw new TraceError('A tensor of another trace was used; return it from that function instead.');
  const bytes = bytesOf(value);
  if (source.kind === 'argument') return { bytes, origin: { kind: 'argument', index: source.index }, dedicated: false };
  if (source.kind === 'constant')
    return { bytes, origin: { kind: 'constant', storage: source.storage }, dedicated: false };
  return variableBuffer(source.variable, bytes, variables);
}

/** The buffer of a variable: its own, or a part of the variable that it lies in. */
function variableBuffer(variable: VariableState, bytes: number, variables: Map<VariableState, Buffer>): Buffer {
  const known = variables.get(variable);
  if (known) return known;
  const { part } = variable;
  const made: Buffer = part
    ? {
        bytes,
        origin: {
          kind: 'part',
          whole: variableBuffer(part.whole, part.whole.storage.bytes, variables),
          offset: part.offset * 4,
        },
        dedicated: false,
      }
    : { bytes, origin: { kind: 'variable', variable }, dedicated: false };
  variables.set(variable, made);
  return made;
}

/** Whether two buffers are the same memory. */
function samePlace(a: Buffer, b: Buffer): boolean {
  const [p, q] = [rootOf(a), rootOf(b)];
  return p.root === q.root && p.offset === q.offset && a.bytes === b.bytes;
}

/**
 * Which memory was updated in place, and when: what was read from it or made of it before means the old content, which is
 * gone. A variable that lies in another one (see `Variable.moveInto`) goes with it.
 */
class Updates {
  readonly #updated = new Map<Buffer, { readonly by: string; readonly at: number }>();
  readonly #madeAt = new Map<Value, number>();
  #now = 0;

  enter(node: Node): void {
    this.#now++;
    for (const value of node.outputs) this.#madeAt.set(value, this.#now);
  }

  note(node: Node, buffer: Buffer): void {
    this.#updated.set(rootOf(buffer).root, { by: node.operation.name, at: this.#now });
  }

  /** Throws TraceError where the content of `value` is gone. Values that no node makes are what was there at first. */
  check(value: Value, buffer: Buffer, reader: string): void {
    const update = this.#updated.get(rootOf(buffer).root);
    if (!update || (this.#madeAt.get(value) ?? 0) >= update.at) return;
    const name = value.source?.kind === 'variable' ? value.source.variable.name : 'a tensor';
    throw new TraceError(
      `${reader} needs ${name} as it was before ${update.by} updated it in place: compute it (and its gradients) earlier.`,
    );
  }
}

/**
 * Lays the inputs of a pack into its output, so that their producers write in place. Returns which inputs need no copy.
 * WebGPU forbids one buffer to be read and written in the same dispatch: an input stays where it is when a call reads it
 * (or a view of it) and writes another input, or when another input is the same memory and must be copied from it.
 */
function placeParts(node: Node, inputs: readonly Buffer[], whole: Buffer, calls: readonly Call[]): Set<number> {
  const operation = node.operation as Operation;
  const placed = new Set<number>();
  const offsets = operation.packOffsets?.(
    node.attributes,
    node.inputs.map(value => value.spec),
  );
  if (!offsets) return placed;
  whole.dedicated = true;
  const roots = inputs.map(buffer => rootOf(buffer).root);
  const candidates = new Set(roots);
  const readBeside = new Set<Buffer>();
  const produced = new Set<Buffer>();
  for (const call of calls) {
    const touched = call.buffers.map(buffer => rootOf(buffer).root);
    const written = touched.filter((_, i) => call.kernel.bindings[i] === 'write');
    for (const buffer of written) produced.add(buffer);
    if (!written.some(buffer => candidates.has(buffer))) continue;
    for (const [i, buffer] of touched.entries())
      if (call.kernel.bindings[i] === 'read' && candidates.has(buffer)) readBeside.add(buffer);
  }
  inputs.forEach((buffer, i) => {
    const offset = offsets[i]! * 4;
    const shared = roots.filter(root => root === roots[i]).length > 1;
    const free = buffer.origin.kind === 'temporary' && produced.has(buffer) && !readBeside.has(buffer) && !shared;
    if (!free || buffer.dedicated || offset % BINDING_ALIGNMENT !== 0) return;
    buffer.origin = { kind: 'part', whole, offset };
    placed.add(i);
  });
  return placed;
}

/** Results get memory of the caller's, assignments reach their variables: in place where possible, else by a copy. */
function finish(
  graph: Graph,
  calls: readonly Call[],
  bufferOf: (value: Value) => Buffer,
  variables: Map<VariableState, Buffer>,
): Lowered {
  const copies: Copy[] = [];
  const assigned = new Set<Buffer>();
  for (const { variable, value } of graph.assignments) {
    const target = variableBuffer(variable, bytesOf(value), variables);
    const from = bufferOf(value);
    if (samePlace(from, target)) continue;
    if (rootOf(from).root.origin.kind === 'variable')
      throw new TraceError(`Assigning one variable to another (${variable.name}).`);
    assigned.add(rootOf(from).root);
    copies.push({ from, to: target });
  }
  const results = graph.results.map((value, index) => {
    const buffer = bufferOf(value);
    if (buffer.origin.kind === 'temporary' && !buffer.dedicated && !assigned.has(buffer)) {
      buffer.origin = { kind: 'result', index };
      return buffer;
    }
    const own: Buffer = { bytes: bytesOf(value), origin: { kind: 'result', index }, dedicated: false };
    copies.push({ from: buffer, to: own });
    return own;
  });
  // Results before variables: a result that is the old value of a variable must leave before the new one arrives.
  copies.sort((a, b) => Number(a.to.origin.kind !== 'result') - Number(b.to.origin.kind !== 'result'));
  return { calls, copies, results, variables: [...variables.keys()] };
}

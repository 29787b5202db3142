/** Lowers a graph to calls: every node becomes kernels over virtual buffers. */
import { TraceError } from '../basics/errors.ts';
import { LruCache } from '../basics/lru-cache.ts';
import { sizeOf } from '../basics/shape.ts';
import { BINDING_ALIGNMENT } from '../device/memory.ts';
import { keyOf } from '../graph/key.ts';
import type { Attributes, Operation, Problem } from '../graph/operation.ts';
import { type Graph, lowerNode, Node, problemOf, type Value, type VariableState } from '../graph/value.ts';
import { assembleElements } from '../text/assemble.ts';
import type { AdapterTraits, Kernel, Lowering } from '../text/kernel.ts';
import { Numbers } from '../text/numbers.ts';
import { type Buffer, rangeOf, rootOf, samePlace, temporary } from './buffer.ts';
import { InPlaceUpdates } from './in-place.ts';

/** One dispatch of a program: a kernel with a buffer for each binding. */
export interface Call {
  readonly kernel: Kernel;
  readonly buffers: readonly Buffer[];
  /** The operation and its problem, for profiles. All calls of one node share the problem. */
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

const bytesOf = (value: Value): number => sizeOf(value.spec.shape) * 4;

export function lower(graph: Graph, baked: boolean, traits: AdapterTraits): Lowered {
  const buffers = new Map<Value, Buffer>();
  const variables = new Map<VariableState, Buffer>();
  const calls: Call[] = [];

  const bufferOf = (value: Value): Buffer => {
    const known = buffers.get(value);
    if (known) return known;
    const made = leaf(value, variables);
    buffers.set(value, made);
    return made;
  };

  // In-place updates must know all leaves in advance, including those that are read late.
  for (const node of graph.nodes) for (const value of node.inputs) if (value.source) bufferOf(value);
  const updates = new InPlaceUpdates(graph, buffers);

  graph.nodes.forEach((node, at) => {
    const { view } = node.operation as Operation;
    if (view) {
      const offset = view.offset(node.attributes) * 4;
      buffers.set(node.outputs[0], rangeOf(bufferOf(node.inputs[0]), offset, bytesOf(node.outputs[0])));
      return;
    }
    const inputs = node.inputs.map(bufferOf);
    const outputs = node.outputs.map(value => temporary(bytesOf(value)));
    const problem = problemOf(node, baked);
    for (const [o, i] of node.operation.inPlace ?? []) {
      if (updates.isFree(node, at, o, i)) outputs[o] = inputs[i];
      else calls.push(copyCall(inputs[i], outputs[o], traits));
    }
    node.outputs.forEach((value, i) => {
      buffers.set(value, outputs[i]);
    });
    const lowering = lowerOnce(node, problem, traits);
    const placed = placeParts(node, inputs, outputs[0], calls);
    const scratch = lowering.scratch.map(elements => temporary(elements * 4));
    lowering.steps.forEach((step, index) => {
      if (placed.has(index)) return;
      const operands = step.operands.map(operand => {
        if (operand.kind === 'input') return inputs[operand.index];
        if (operand.kind === 'output') return outputs[operand.index];
        return scratch[operand.index];
      });
      calls.push({ kernel: step.kernel, buffers: operands, operation: node.operation.name, problem, node });
    });
  });
  return finish(graph, calls, bufferOf, variables, traits);
}

/** Lowerings kept for an adapter. */
const LOWERINGS_KEPT = 512;

/** By traits, which are replaced when choices change. */
const lowerings = new WeakMap<AdapterTraits, LruCache<string, Lowering>>();

/**
 * A node's kernels. Networks repeat layers, and programs of one network repeat each other's: the same operation on the same
 * problem is lowered once, because the text of a convolution takes milliseconds.
 */
function lowerOnce(node: Node, problem: Problem<Attributes>, traits: AdapterTraits): Lowering {
  let known = lowerings.get(traits);
  if (!known) {
    known = new LruCache(LOWERINGS_KEPT);
    lowerings.set(traits, known);
  }
  const key = keyOf(node.operation, { ...problem });
  const before = known.get(key);
  if (before) return before;
  const lowering = lowerNode(node, problem, traits);
  known.set(key, lowering);
  return lowering;
}

/** A kernel call that copies words between buffers; unlike a copy command, it does not end the compute pass. */
function copyCall(from: Buffer, to: Buffer, traits: AdapterTraits): Call {
  const words = to.bytes / 4;
  const kernel = assembleElements(
    {
      name: 'copy',
      reads: ['x: array<u32>'],
      writes: ['result: array<u32>'],
      numbers: new Numbers(false, { n: words }),
      elements: words,
      count: 'n',
      body: 'result[index] = x[index];',
    },
    traits,
  );
  return { kernel, buffers: [from, to], operation: 'copy', problem: NO_PROBLEM, node: COPY };
}

/** The node of copies that belong to no operation. */
const COPY = new Node({ name: 'copy', infer: () => [], lower: () => ({ steps: [], scratch: [] }) }, [], [], {});
const NO_PROBLEM: Problem<Attributes> = { inputs: [], outputs: [], attributes: {}, baked: false };

/** The buffer of a value that no node computes. */
function leaf(value: Value, variables: Map<VariableState, Buffer>): Buffer {
  const { source } = value;
  if (!source || source.kind === 'former')
    throw new TraceError('A tensor of another trace was used; return it from that function.');
  const bytes = bytesOf(value);
  if (source.kind === 'argument') return { bytes, origin: { kind: 'argument', index: source.index }, dedicated: false };
  if (source.kind === 'constant')
    return { bytes, origin: { kind: 'constant', storage: source.storage }, dedicated: false };
  return variableBuffer(source.variable, bytes, variables);
}

/** The buffer of a variable: its own, or a part of the variable that contains it. */
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

/**
 * Places the inputs of a pack in its output, so that their producers write there directly. Returns the inputs that need no
 * copy. WebGPU does not let a dispatch read and write one buffer, so an input is not placed if a call reads it (or a view
 * of it) and writes another input, or if another input has the same memory and must be copied from it.
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
    const offset = offsets[i] * 4;
    const shared = roots.filter(root => root === roots[i]).length > 1;
    const free = buffer.origin.kind === 'temporary' && produced.has(buffer) && !readBeside.has(buffer) && !shared;
    if (!free || buffer.dedicated || offset % BINDING_ALIGNMENT !== 0) return;
    buffer.origin = { kind: 'part', whole, offset };
    placed.add(i);
  });
  return placed;
}

/** Gives results their own memory and assigns variables: in place if possible, else with a copy. */
function finish(
  graph: Graph,
  calls: Call[],
  bufferOf: (value: Value) => Buffer,
  variables: Map<VariableState, Buffer>,
  traits: AdapterTraits,
): Lowered {
  const copies: Copy[] = [];
  const assigned = new Set<Buffer>();
  const moves = graph.assignments
    .map(({ variable, start, size, value, from }) => ({
      from: rangeOf(bufferOf(value), from * 4, size * 4),
      to: rangeOf(variableBuffer(variable, variable.storage.bytes, variables), start * 4, size * 4),
    }))
    .filter(({ from, to }) => !samePlace(from, to));
  const written = new Set(moves.map(({ to }) => rootOf(to).root));
  for (const { from, to } of moves) {
    const { root } = rootOf(from);
    assigned.add(root);
    // The source may be overwritten before this copy, and WebGPU cannot copy within one buffer: copy it first.
    const source = written.has(root) ? temporary(from.bytes) : from;
    if (source !== from) calls.push(copyCall(from, source, traits));
    copies.push({ from: source, to });
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
  // Results before variables: a result that is a variable's old value must be copied before it is overwritten.
  copies.sort((a, b) => Number(a.to.origin.kind !== 'result') - Number(b.to.origin.kind !== 'result'));
  return { calls, copies, results, variables: [...variables.keys()] };
}

/** Inspects every intermediate value of a function, one at a time. */
import { apply, noGrad } from './apply.ts';
import { DaybreakError } from './basics/errors.ts';
import type { Device } from './device/device.ts';
import type { Storage } from './device/memory.ts';
import type { Attributes, Operation } from './graph/operation.ts';
import { eliminateDead } from './graph/optimize.ts';
import { type Node, Value } from './graph/value.ts';
import { Tensor } from './tensor.ts';
import { type Argument, specOf, type Traced, type Tree, traceFunction } from './traced.ts';

/** An intermediate value with its content. */
export interface Seen {
  /** Its identity in the trace: the `value` of a tensor in the function. */
  readonly value: Value;
  /** Its content, valid until `look` returns. */
  readonly content: Tensor;
  /** The node that computed it; undefined for arguments, variables and tensors from outside. */
  readonly node: Node | undefined;
  /** Content of the node's inputs. */
  readonly inputs: readonly Tensor[];
  /** Index of the node that computes or first reads it, from 0, and the number of nodes. */
  readonly index: number;
  readonly count: number;
}

/**
 * Runs `body` one operation at a time, without fusion, and calls `look` once for each value, in topological order. Stops
 * when `look` returns anything but undefined, and returns that. Assignments are computed but not applied: variables keep
 * their content. Much slower than a compiled call; values may differ in rounding, because nothing is fused.
 */
export async function inspect<T extends readonly [Tensor, ...Tensor[]], R>(
  args: T,
  body: (...args: Traced<T>) => Tree,
  look: (seen: Seen) => Promise<R | undefined>,
): Promise<R | undefined> {
  const { device } = args[0];
  if (args.some(argument => argument.device !== device))
    throw new DaybreakError('inspect(): expected tensors on one device, got several devices.');
  const untyped = body as unknown as (...args: Traced<readonly Argument[]>) => Tree;
  const { graph, captured } = traceFunction(device, args.map(specOf), untyped);
  const { nodes } = eliminateDead(graph);
  const lastUse = new Map(
    nodes.flatMap(node => [...node.outputs, ...node.inputs].map(value => [value, node] as const)),
  );
  const contents = new Map<Value, Tensor>();
  try {
    const { length: count } = nodes;
    for (const [index, node] of nodes.entries()) {
      for (const value of node.inputs) {
        if (contents.has(value)) continue;
        const content = contentOf(device, value, args);
        contents.set(value, content);
        const found = await look({ value, content, node: undefined, inputs: [], index, count });
        if (found !== undefined) return found;
      }
      const inputs = node.inputs.map(value => contents.get(value)!);
      const outputs = run(node, inputs);
      node.outputs.forEach((value, i) => {
        contents.set(value, outputs[i]);
      });
      for (const value of node.outputs) {
        const found = await look({ value, content: contents.get(value)!, node, inputs, index, count });
        if (found !== undefined) return found;
      }
      for (const value of [...node.inputs, ...node.outputs]) {
        if (lastUse.get(value) !== node) continue;
        contents.get(value)?.dispose();
        contents.delete(value);
      }
    }
    return undefined;
  } finally {
    for (const content of contents.values()) content.dispose();
    for (const value of captured) value.release();
  }
}

/** A new handle on a value that no node computes. */
function contentOf(device: Device, { spec, source }: Value, args: readonly Tensor[]): Tensor {
  if (source?.kind === 'argument') return args[source.index].alias();
  // All other node inputs are outputs of nodes.
  const { storage } = source?.kind === 'variable' ? source.variable : (source as { readonly storage: Storage });
  return new Tensor(device, new Value(spec, storage.slice(0, storage.bytes)));
}

/** Computes the node's outputs. */
const run = ({ operation, attributes }: Node, inputs: readonly Tensor[]): Tensor[] =>
  noGrad(() => apply(operation as unknown as Operation<Attributes>, inputs, attributes));

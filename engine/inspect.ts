/** Looking into a function: every value that it computes on its way, one after the other. */
import { apply, noGrad } from './apply.ts';
import { DaybreakError } from './basics/errors.ts';
import type { Device } from './device/device.ts';
import type { Storage } from './device/memory.ts';
import type { Attributes, Operation } from './graph/operation.ts';
import { eliminateDead } from './graph/optimize.ts';
import { type Node, Value } from './graph/value.ts';
import { Tensor } from './tensor.ts';
import { type Argument, specOf, type Traced, type Tree, traceFunction } from './traced.ts';

/** A value of the function, with its content. */
export interface Seen {
  /** What the trace knows it by: the `value` of a tensor that the function handled. */
  readonly value: Value;
  /** Its content, until `look` returns. */
  readonly content: Tensor;
  /** What computed it; undefined for arguments, variables and tensors of outside. */
  readonly node: Node | undefined;
  /** Contents of the node's inputs. */
  readonly inputs: readonly Tensor[];
  /** Which node it is or is for, from 0, of how many. */
  readonly index: number;
  readonly count: number;
}

/**
 * Runs `body` operation by operation, nothing fused, and shows `look` each value once, in an order in which they can be
 * computed. What `look` returns ends it, unless it is undefined. Assignments are computed but not made: variables keep
 * their content. Much slower than a compiled call; values differ from its by the rounding that fusion saves.
 */
export async function inspect<T extends readonly [Tensor, ...Tensor[]], R>(
  args: T,
  body: (...args: Traced<T>) => Tree,
  look: (seen: Seen) => Promise<R | undefined>,
): Promise<R | undefined> {
  const { device } = args[0];
  if (args.some(argument => argument.device !== device))
    throw new DaybreakError('inspect() takes tensors of one device; these are on several.');
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

/** A handle of our own on what no node computes. */
function contentOf(device: Device, { spec, source }: Value, args: readonly Tensor[]): Tensor {
  if (source?.kind === 'argument') return args[source.index].alias();
  // Nodes read nothing but what others compute and such leaves.
  const { storage } = source?.kind === 'variable' ? source.variable : (source as { readonly storage: Storage });
  return new Tensor(device, new Value(spec, storage.slice(0, storage.bytes)));
}

/** The node's outputs. */
const run = ({ operation, attributes }: Node, inputs: readonly Tensor[]): Tensor[] =>
  noGrad(() => apply(operation as unknown as Operation<Attributes>, inputs, attributes));

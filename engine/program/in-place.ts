/**
 * Decides whether a kernel may update its input in place. It may not if the old content is still needed, if the memory
 * belongs to the caller, or if WebGPU forbids it. Then it works on a copy, with the same result.
 */
import type { Operation } from '../graph/operation.ts';
import type { Graph, Node, Value, VariableState } from '../graph/value.ts';
import { type Buffer, overlaps, rootOf } from './buffer.ts';

/** The range of a variable to which a value will be assigned; `start` in elements. */
interface Home {
  readonly variable: VariableState;
  readonly start: number;
}

export class InPlaceUpdates {
  /** The last node that reads each value; infinite for values that outlive all nodes. */
  readonly #lastUse = new Map<Value, number>();
  readonly #homes = new Map<Value, Home[]>();
  readonly #buffers: ReadonlyMap<Value, Buffer>;

  /** `buffers`: those of all values so far, kept up to date by the caller. */
  constructor(graph: Graph, buffers: ReadonlyMap<Value, Buffer>) {
    this.#buffers = buffers;
    graph.nodes.forEach((node, at) => {
      for (const value of node.inputs) this.#lastUse.set(value, at);
    });
    for (const value of [...graph.results, ...graph.assignments.map(({ value }) => value)])
      this.#lastUse.set(value, Number.POSITIVE_INFINITY);
    for (const { variable, start, value, from } of graph.assignments)
      this.#addHomes(value, [{ variable, start: start - from }]);
    for (const node of graph.nodes.toReversed()) this.#passHomes(node);
  }

  #addHomes(value: Value, homes: readonly Home[]): void {
    const known = this.#homes.get(value);
    if (known) known.push(...homes);
    else this.#homes.set(value, [...homes]);
  }

  /** Propagates the destinations of a node's outputs to the inputs that share their memory. */
  #passHomes(node: Node): void {
    const { view, inPlace } = node.operation as Operation;
    if (view) {
      const offset = view.offset(node.attributes);
      const homes = this.#homes.get(node.outputs[0]) ?? [];
      this.#addHomes(
        node.inputs[0],
        homes.map(({ variable, start }) => ({ variable, start: start - offset })),
      );
    }
    for (const [o, i] of inPlace ?? []) this.#addHomes(node.inputs[i], this.#homes.get(node.outputs[o]) ?? []);
  }

  /** Whether node number `at` may compute its output `o` in the memory of its input `i`. */
  isFree(node: Node, at: number, o: number, i: number): boolean {
    const own = this.#buffers.get(node.inputs[i])!;
    const { root, offset } = rootOf(own);
    const { origin } = root;
    if (origin.kind === 'variable') {
      const homes = this.#homes.get(node.outputs[o]) ?? [];
      if (!homes.some(({ variable, start }) => variable === origin.variable && start * 4 === offset)) return false;
    } else if (origin.kind !== 'temporary') return false;
    // A dispatch cannot bind one buffer for both reading and writing, whatever the ranges.
    const beside = node.inputs.some((value, j) => j !== i && rootOf(this.#buffers.get(value)!).root === root);
    if (beside) return false;
    for (const [value, buffer] of this.#buffers)
      if ((this.#lastUse.get(value) ?? -1) > at && overlaps(buffer, own)) return false;
    return true;
  }
}

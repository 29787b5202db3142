/**
 * Whether a kernel may update its input where it lies. It may not where somebody still needs the old content, where the
 * memory belongs to the caller, or where WebGPU forbids it; then it works on a copy, and nobody sees a difference.
 */
import type { Operation } from '../graph/operation.ts';
import type { Graph, Node, Value, VariableState } from '../graph/value.ts';
import { type Buffer, overlaps, rootOf } from './buffer.ts';

/** Where in a variable's memory a value is wanted at the end; `start` in elements. */
interface Home {
  readonly variable: VariableState;
  readonly start: number;
}

export class InPlaceUpdates {
  /** By value, the last node that reads it; infinite for what outlives all nodes. */
  readonly #lastUse = new Map<Value, number>();
  readonly #homes = new Map<Value, Home[]>();
  readonly #buffers: ReadonlyMap<Value, Buffer>;

  /** `buffers`: those of all values that exist, kept up to date by the caller. */
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

  /** What is wanted of a node's outputs is wanted of the inputs that share their memory. */
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

  /** Whether node number `at` may compute its output `o` where its input `i` lies. */
  isFree(node: Node, at: number, o: number, i: number): boolean {
    const own = this.#buffers.get(node.inputs[i])!;
    const { root, offset } = rootOf(own);
    const { origin } = root;
    if (origin.kind === 'variable') {
      const homes = this.#homes.get(node.outputs[o]) ?? [];
      if (!homes.some(({ variable, start }) => variable === origin.variable && start * 4 === offset)) return false;
    } else if (origin.kind !== 'temporary') return false;
    // One buffer cannot be bound for reading and for writing at once, whatever the ranges.
    const beside = node.inputs.some((value, j) => j !== i && rootOf(this.#buffers.get(value)!).root === root);
    if (beside) return false;
    for (const [value, buffer] of this.#buffers)
      if ((this.#lastUse.get(value) ?? -1) > at && overlaps(buffer, own)) return false;
    return true;
  }
}

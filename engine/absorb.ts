/**
 * Absorption: an elementwise chain that is the only reader of a convolution's result moves into the convolution's store.
 * A pure pass over nodes.
 */
import { type Epilogue, type Reach, reachOf } from './epilogue.ts';
import type { Expression } from './expression.ts';
import type { AdapterTraits } from './kernel.ts';
import { type Attributes, Node, type Operation, type Value } from './operation.ts';
import { sameShape } from './shape.ts';

type AnyOperation = Operation<Attributes>;

interface Surroundings {
  /** What an elementwise node computes; its operands are the node's inputs. */
  readonly expressions: ReadonlyMap<Node, Expression>;
  /** Values that must be in memory for others. */
  readonly kept: ReadonlySet<Value>;
  /** Whether what `from` computes may not be computed where `to` stands. */
  readonly separated: (from: Node, to: Node) => boolean;
  readonly traits: AdapterTraits;
}

/** Operands of an epilogue beside the element: each is a binding. */
const MOST_EXTRAS = 4;

export function absorbEpilogues(nodes: readonly Node[], surroundings: Surroundings): Node[] {
  const readers = new Map<Value, Node[]>();
  for (const node of nodes)
    for (const value of new Set(node.inputs)) {
      const list = readers.get(value);
      if (list) list.push(node);
      else readers.set(value, [node]);
    }
  const absorbed = new Set<Node>();
  const grown = new Map<Node, Node>();
  for (const node of nodes) {
    const operation = node.operation as AnyOperation;
    if (!operation.takesEpilogue) continue;
    const [reader, ...others] = readers.get(node.outputs[0]!) ?? [];
    if (!reader || others.length > 0 || surroundings.kept.has(node.outputs[0]!)) continue;
    const together = join(node, reader, surroundings);
    // A chain that adds two convolutions joins the first; the other one is read.
    if (!together || grown.has(reader)) continue;
    absorbed.add(node);
    grown.set(reader, together);
  }
  return nodes.filter(node => !absorbed.has(node)).map(node => grown.get(node) ?? node);
}

/** The two as one node, which stands where the reader stood. */
function join(node: Node, reader: Node, { expressions, separated, traits }: Surroundings): Node | undefined {
  const expression = expressions.get(reader);
  const value = node.outputs[0]!;
  const output = reader.outputs[0]!.spec;
  if (!expression || !sameShape(output.shape, value.spec.shape) || separated(node, reader)) return undefined;
  const extras = [...new Set(reader.inputs)].filter(input => input !== value);
  const reaches = extras.map(input => reachOf(input.spec.shape, output.shape));
  const bindings = node.inputs.length + extras.length + 2;
  if (extras.length > MOST_EXTRAS || bindings > traits.maxStorageBuffers || reaches.includes(undefined))
    return undefined;
  const operand = (index: number) => extras.indexOf(reader.inputs[index]!) + 1;
  const epilogue: Epilogue = {
    expression: {
      steps: expression.steps.map(step => ({
        ...step,
        args: step.args.map(arg => ('operand' in arg ? { operand: operand(arg.operand) } : arg)),
      })),
    },
    extras: reaches as Reach[],
  };
  return new Node(withEpilogue(node, reader, epilogue), [...node.inputs, ...extras], reader.outputs, node.attributes);
}

function withEpilogue(node: Node, reader: Node, epilogue: Epilogue): Operation<never> {
  const operation = node.operation as AnyOperation;
  return {
    name: `${operation.name}+${reader.operation.name}`,
    infer: () => reader.outputs.map(value => value.spec),
    lower: (problem, traits) => operation.lower({ ...problem, epilogue }, traits),
  };
}

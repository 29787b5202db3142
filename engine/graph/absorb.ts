/**
 * Absorption: a pixel shuffle and an elementwise chain that are the only readers of a convolution's result move into the
 * convolution's store. A pure pass over nodes.
 */

import { isInteger, sameShape } from '../basics/shape.ts';
import { type Epilogue, NOTHING, type Reach, reachOf } from '../text/epilogue.ts';
import { type Expression, identity } from '../text/expression.ts';
import type { AdapterTraits } from '../text/kernel.ts';
import type { Attributes, Operation } from './operation.ts';
import { Node, type Value } from './value.ts';

type AnyOperation = Operation<Attributes>;

interface Surroundings {
  /** Expressions of elementwise nodes; their operands are the node's inputs. */
  readonly expressions: ReadonlyMap<Node, Expression>;
  /** Values that must be stored in memory. */
  readonly kept: ReadonlySet<Value>;
  /** Whether the computation of `from` may not move to the position of `to`. */
  readonly separated: (from: Node, to: Node) => boolean;
  readonly traits: AdapterTraits;
}

/** Maximum extra operands of an epilogue: each is a binding. */
const MOST_EXTRAS = 4;

export function absorbEpilogues(nodes: readonly Node[], surroundings: Surroundings): Node[] {
  const readers = new Map<Value, Node[]>();
  for (const node of nodes)
    for (const value of new Set(node.inputs)) {
      const list = readers.get(value);
      if (list) list.push(node);
      else readers.set(value, [node]);
    }
  const gone = new Set<Node>();
  const grown = new Map<Node, Node>();
  for (const node of nodes) {
    if (!(node.operation as AnyOperation).takesEpilogue) continue;
    let growth: Growth = { node, last: node, extras: [], epilogue: NOTHING };
    for (;;) {
      const value = growth.last.outputs[0];
      const [reader, ...others] = readers.get(value) ?? [];
      // A chain that adds two convolutions is absorbed by the first, and reads the other.
      if (!reader || others.length > 0 || surroundings.kept.has(value) || grown.has(reader)) break;
      const next = grow(growth, reader, surroundings);
      if (!next) break;
      gone.add(growth.last);
      growth = next;
    }
    if (growth.last !== node) grown.set(growth.last, together(growth));
  }
  return nodes.filter(node => !gone.has(node)).map(node => grown.get(node) ?? node);
}

/** A convolution with the nodes it has absorbed: it takes the position of `last` and computes that node's result. */
interface Growth {
  readonly node: Node;
  readonly last: Node;
  readonly extras: readonly Value[];
  readonly epilogue: Epilogue;
}

function grow(growth: Growth, reader: Node, surroundings: Surroundings): Growth | undefined {
  const { expressions, separated, traits } = surroundings;
  // At most one chain, after the shuffle if any: the chain's inputs have the layout of its result.
  if (growth.epilogue.expression !== identity || separated(growth.node, reader)) return undefined;
  const operation = reader.operation as AnyOperation;
  if (operation.shuffle)
    return growth.last === growth.node
      ? { ...growth, last: reader, epilogue: { ...NOTHING, shuffle: operation.shuffle(reader.attributes) } }
      : undefined;
  const expression = expressions.get(reader);
  const value = growth.last.outputs[0];
  const { shape, dtype } = reader.outputs[0].spec;
  if (!expression || !sameShape(shape, value.spec.shape)) return undefined;
  if (isInteger(dtype) || reader.inputs.some(({ spec }) => isInteger(spec.dtype))) return undefined;
  const extras = [...new Set(reader.inputs)].filter(input => input !== value);
  const reaches = extras.map(input => reachOf(input.spec.shape, shape));
  const bindings = growth.node.inputs.length + extras.length + 2;
  if (extras.length > MOST_EXTRAS || bindings > traits.maxStorageBuffers || reaches.includes(undefined))
    return undefined;
  const operand = (index: number) => extras.indexOf(reader.inputs[index]) + 1;
  const steps = expression.steps.map(step => ({
    ...step,
    args: step.args.map(arg => ('operand' in arg ? { operand: operand(arg.operand) } : arg)),
  }));
  const epilogue = { ...growth.epilogue, expression: { steps }, extras: reaches as Reach[] };
  return { ...growth, last: reader, extras, epilogue };
}

function together({ node, last, extras, epilogue }: Growth): Node {
  const operation = node.operation as AnyOperation;
  const names = [
    operation.name,
    ...(epilogue.shuffle > 1 ? ['shuffle'] : []),
    ...(epilogue.expression === identity ? [] : [last.operation.name]),
  ];
  const made: Operation<never> = {
    name: names.join('+'),
    infer: () => last.outputs.map(value => value.spec),
    lower: (problem, traits) => operation.lower({ ...problem, epilogue }, traits),
  };
  return new Node(made, [...node.inputs, ...extras], last.outputs, node.attributes);
}

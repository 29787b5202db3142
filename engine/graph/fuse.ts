/**
 * Fusion: elementwise operations are computed inside the kernels of the elementwise operations and sums that use them,
 * instead of storing their results in memory. A pure graph-to-graph pass.
 */

import { sameShape, sizeOf, type TensorSpec } from '../basics/shape.ts';
import { lowerElementwise } from '../text/elementwise.ts';
import { type Expression, type ExpressionStep, type Reference, single } from '../text/expression.ts';
import type { AdapterTraits } from '../text/kernel.ts';
import { lowerReduction } from '../text/reduction.ts';
import { absorbEpilogues } from './absorb.ts';
import { integersAmong } from './element-types.ts';
import type { Attributes, Operation, Problem } from './operation.ts';
import { type Graph, Node, type Value } from './value.ts';

/** A chain of fused operations: its expression, and the values it reads from memory. */
interface Chain {
  readonly leaves: readonly Value[];
  readonly steps: readonly (Omit<ExpressionStep, 'args'> & { readonly args: readonly (Value | number)[] })[];
  readonly names: readonly string[];
  readonly expensive: boolean;
}

/**
 * Larger results are not fused but stored in memory, where the adapter's limits reject them: a kernel over more elements
 * could not index them with an i32, with room for a last stride beyond the end.
 */
const MOST_ELEMENTS = 2 ** 30;

/** Longer chains are stored in memory: kernel text must not grow without bound when results are used twice. */
const LONGEST_CHAIN = 24;

type AnyOperation = Operation<Attributes>;
const operationOf = (node: Node): AnyOperation => node.operation as AnyOperation;
const outputOf = (node: Node): Value => node.outputs[0];
const integersOf = (node: Node) => integersAmong(node.inputs.map(({ spec }) => spec));

export function fuse(graph: Graph, traits: AdapterTraits): Graph {
  const consumers = consumersOf(graph);
  const kept = new Set<Value>([...graph.results, ...graph.assignments.map(({ value }) => value)]);
  const position = new Map(graph.nodes.map((node, index) => [node, index]));
  const updates = graph.nodes.flatMap((node, index) => (node.operation.inPlace ? [index] : []));
  const inlined = new Map<Value, Chain>();
  const expressions = new Map<Node, Expression>();
  const nodes: Node[] = [];

  /** A computation must not move past a node that overwrites memory which it may read. */
  const separated = (from: Node, to: Node) => updates.some(at => at > position.get(from)! && at <= position.get(to)!);

  for (const node of graph.nodes) {
    const operation = operationOf(node);
    if (!operation.elementwise && !operation.reduction) {
      nodes.push(node);
      continue;
    }
    const chain = chainOf(node, inlined);
    const users = consumers.get(outputOf(node)) ?? [];
    const possible =
      operation.elementwise !== undefined &&
      !kept.has(outputOf(node)) &&
      sizeOf(outputOf(node).spec.shape) <= MOST_ELEMENTS &&
      users.length > 0 &&
      users.every(user => takes(user, outputOf(node)) && !separated(node, user)) &&
      // A reduction's kernel reads something; constants alone are elementwise.
      (chain.leaves.length > 0 || users.every(user => operationOf(user).elementwise));
    if (possible && worthwhile(node, chain, users, inlined, traits)) inlined.set(outputOf(node), chain);
    else {
      const expression = expressionOf(chain);
      const made = chain.steps.length > (operation.elementwise ? 1 : 0) ? fusedNode(node, chain, expression) : node;
      position.set(made, position.get(node)!);
      // An unfused node keeps its operands in the original order, possibly with duplicates.
      if (operation.elementwise)
        expressions.set(
          made,
          made === node
            ? single(operation.elementwise, node.attributes, node.inputs.length, integersOf(node))
            : expression,
        );
      nodes.push(made);
    }
  }
  return { ...graph, nodes: absorbEpilogues(nodes, { expressions, kept, separated, traits }) };
}

function consumersOf(graph: Graph): Map<Value, Node[]> {
  const consumers = new Map<Value, Node[]>();
  for (const node of graph.nodes)
    for (const value of new Set(node.inputs)) {
      const list = consumers.get(value);
      if (list) list.push(node);
      else consumers.set(value, [node]);
    }
  return consumers;
}

/** Whether `user` can compute `value` on the fly, because it iterates over the same elements. */
function takes(user: Node, value: Value): boolean {
  const operation = operationOf(user);
  if (operation.reduction) return true;
  return operation.elementwise !== undefined && sameShape(outputOf(user).spec.shape, value.spec.shape);
}

/** The chain that ends with `node`: inlined inputs are included, others are leaves. */
function chainOf(node: Node, inlined: ReadonlyMap<Value, Chain>): Chain {
  const operation = operationOf(node);
  const leaves = new Set<Value>();
  const steps: Chain['steps'][number][] = [];
  const names: string[] = [];
  const results = new Map<Value, Value | number>();
  let expensive = operation.elementwise?.expensive ?? false;
  for (const value of new Set(node.inputs)) {
    const chain = inlined.get(value);
    if (!chain) {
      leaves.add(value);
      results.set(value, value);
      continue;
    }
    for (const leaf of chain.leaves) leaves.add(leaf);
    const offset = steps.length;
    for (const step of chain.steps)
      steps.push({ ...step, args: step.args.map(arg => (typeof arg === 'number' ? arg + offset : arg)) });
    names.push(...chain.names);
    expensive ||= chain.expensive;
    results.set(value, steps.length - 1);
  }
  if (operation.elementwise) {
    const args = node.inputs.map(value => results.get(value)!);
    steps.push({ elementwise: operation.elementwise, attributes: node.attributes, args, integers: integersOf(node) });
  }
  names.push(operation.name);
  return { leaves: [...leaves], steps, names, expensive };
}

/** Compares loads and stores with and without storing `node`; broadcast operands count a quarter. */
function worthwhile(
  node: Node,
  chain: Chain,
  users: readonly Node[],
  inlined: ReadonlyMap<Value, Chain>,
  traits: AdapterTraits,
): boolean {
  const value = outputOf(node);
  const full = sizeOf(value.spec.shape);
  const cost = (leaves: Iterable<Value>) => {
    let sum = 0;
    for (const leaf of leaves) sum += sizeOf(leaf.spec.shape) === full ? 1 : 0.25;
    return sum;
  };
  if ((users.length > 1 && chain.expensive) || chain.steps.length > LONGEST_CHAIN) return false;
  let separate = cost(chain.leaves) + 1;
  let together = 0;
  for (const user of users) {
    const others = new Set<Value>();
    for (const input of user.inputs)
      if (input !== value) for (const leaf of inlined.get(input)?.leaves ?? [input]) others.add(leaf);
    const joined = new Set([...others, ...chain.leaves]);
    // One binding for the result; a kernel whose sizes are arguments needs a uniform, which does not count here.
    if (joined.size + 1 > Math.min(traits.maxStorageBuffers, 12)) return false;
    separate += cost(others) + 1;
    together += cost(joined);
  }
  return together <= separate;
}

/** The chain's steps over its leaves. */
function expressionOf(chain: Chain): Expression {
  const leafIndex = new Map(chain.leaves.map((leaf, index) => [leaf, index]));
  return {
    steps: chain.steps.map(step => ({
      ...step,
      args: step.args.map(
        (arg): Reference => (typeof arg === 'number' ? { step: arg } : { operand: leafIndex.get(arg)! }),
      ),
    })),
  };
}

function fusedNode(node: Node, chain: Chain, expression: Expression): Node {
  const name = [...new Set(chain.names)].join('+');
  return new Node(fusedOperation(name, node, expression), chain.leaves, node.outputs, node.attributes);
}

function fusedOperation(name: string, node: Node, expression: Expression): Operation<never> {
  const { reduction } = operationOf(node);
  const domain = node.inputs[0].spec.shape;
  const specs: TensorSpec[] = node.outputs.map(value => value.spec);
  return {
    name,
    infer: () => specs,
    lower(problem: Problem<never>, traits) {
      const shapes = { name, expression, inputs: problem.inputs, baked: problem.baked };
      if (!reduction) return lowerElementwise({ ...shapes, output: specs[0] }, traits);
      return lowerReduction({ ...shapes, domain, ...reduction.describe(node.attributes, domain.length) }, traits);
    },
  };
}

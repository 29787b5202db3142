/** Graph-to-graph passes that remove redundant work and do not change results. Pure functions. */

import type { AdapterTraits } from '../text/kernel.ts';
import { fuse } from './fuse.ts';
import { keyOf } from './key.ts';
import { type Graph, Node, type Value } from './value.ts';

/** Removes every node that no result or assignment depends on. */
export function eliminateDead(graph: Graph): Graph {
  const needed = new Set<Value>([...graph.results, ...graph.assignments.map(assignment => assignment.value)]);
  const kept: Node[] = [];
  for (let i = graph.nodes.length - 1; i >= 0; i--) {
    const node = graph.nodes[i];
    if (!node.outputs.some(value => needed.has(value))) continue;
    for (const value of node.inputs) needed.add(value);
    kept.push(node);
  }
  return { ...graph, nodes: kept.reverse() };
}

/** Computes equal expressions once: same operation, same attributes, same inputs. */
export function eliminateCommon(graph: Graph): Graph {
  const replaced = new Map<Value, Value>();
  const current = (value: Value) => replaced.get(value) ?? value;
  const seen = new Map<string, Node>();
  const nodes: Node[] = [];
  for (const node of graph.nodes) {
    const inputs = node.inputs.map(current);
    const key = `${keyOf(node.operation, node.attributes)}|${inputs.map(value => value.id).join(',')}`;
    const earlier = node.operation.inPlace ? undefined : seen.get(key);
    if (earlier) {
      node.outputs.forEach((value, i) => {
        replaced.set(value, earlier.outputs[i]);
      });
      continue;
    }
    const changed = inputs.some((value, i) => value !== node.inputs[i]);
    const same = changed ? new Node(node.operation, inputs, node.outputs, node.attributes) : node;
    seen.set(key, same);
    nodes.push(same);
  }
  return {
    nodes,
    arguments: graph.arguments,
    results: graph.results.map(current),
    assignments: graph.assignments.map(one => ({ ...one, value: current(one.value) })),
  };
}

export const optimize = (graph: Graph, traits: AdapterTraits): Graph =>
  fuse(eliminateDead(eliminateCommon(graph)), traits);

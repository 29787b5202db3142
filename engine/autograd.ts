/** Reverse-mode automatic differentiation: visits the recorded nodes backwards from the loss and applies gradient rules. */
import { noGrad } from './apply.ts';
import { GradientError, ShapeError } from './basics/errors.ts';
import { formatShape, sameShape } from './basics/shape.ts';
import { gradientRule } from './define.ts';
import { activeTrace } from './graph/trace.ts';
import type { Node, Value } from './graph/value.ts';
import { Tensor, tidy } from './tensor.ts';
import { Variable } from './variable.ts';

/** The two operations that differentiation itself needs (the engine contains no operations). */
export interface GradientArithmetic {
  add(a: Tensor, b: Tensor): Tensor;
  onesLike(a: Tensor): Tensor;
}

/** Options of {@link grad}. */
export interface GradientOptions {
  /** Record the computation of the gradient, so that it can be differentiated again if its operations allow. */
  readonly createGraph?: boolean;
}

/**
 * Gradients of a scalar `loss` with respect to each tensor in `wrt`, in that order, with the same shapes.
 * Throws GradientError if the loss does not depend on one of them, or an operation in between has no gradient.
 */
export function backward(
  loss: Tensor,
  wrt: readonly Tensor[],
  arithmetic: GradientArithmetic,
  options: GradientOptions = {},
): Tensor[] {
  if (loss.size !== 1)
    throw new ShapeError('grad', `expected a loss with one element, got shape ${formatShape(loss.shape)}.`);
  const run = () => tidy(() => walk(loss, wrt, arithmetic));
  return options.createGraph ? run() : noGrad(run);
}

function walk(loss: Tensor, wrt: readonly Tensor[], { add, onesLike }: GradientArithmetic): Tensor[] {
  const trace = activeTrace();
  const { device } = loss;
  const own = (handle: Tensor): Value => (trace ? trace.import(handle.value) : handle.value);
  const targets = wrt.map(own);
  const grads = new Map<Value, Tensor>();
  grads.set(
    own(loss),
    noGrad(() => onesLike(loss)),
  );
  const order = nodesBefore(own(loss));
  const wanted = dependents(order, new Set(targets));

  for (let i = order.length - 1; i >= 0; i--) {
    const node = order[i];
    if (!wanted.has(node) || !node.outputs.some(value => grads.has(value))) continue;
    const rule = gradientRule(node.operation);
    if (!rule)
      throw new GradientError(
        `${node.operation.name} has no gradient. (Some gradient operations have no second derivative.)`,
      );
    const needs = node.inputs.map(
      value => targets.includes(value) || (value.node !== undefined && wanted.has(value.node)),
    );
    const results = rule({
      inputs: node.inputs.map(value => new Tensor(device, value)),
      outputs: node.outputs.map(value => new Tensor(device, value)),
      grads: node.outputs.map(value => grads.get(value)),
      needs,
      attributes: node.attributes,
    });
    node.inputs.forEach((value, index) => {
      const gradient = results[index];
      if (!needs[index] || gradient === null) return;
      if (!gradient) throw new GradientError(`${node.operation.name} returned no gradient for input ${index}.`);
      if (!sameShape(gradient.shape, value.spec.shape))
        throw new GradientError(
          `${node.operation.name}: expected the gradient of input ${index} to have shape ${formatShape(value.spec.shape)}, got ${formatShape(gradient.shape)}.`,
        );
      const sofar = grads.get(value);
      grads.set(value, sofar ? add(sofar, gradient) : gradient);
    });
  }
  const given = new Set<Tensor>();
  return targets.map((value, index) => {
    const gradient = grads.get(value);
    if (gradient) {
      // One handle each, even for equal gradients: each is disposed separately.
      const own = given.has(gradient) ? gradient.alias() : gradient;
      given.add(own);
      return own;
    }
    const handle = wrt[index];
    const name = handle instanceof Variable ? handle.name : `tensor ${index} of shape ${formatShape(handle.shape)}`;
    if (handle instanceof Variable && (trace ? trace.assigns(handle.state) : usedBefore(order, handle)))
      throw new GradientError(
        `${name} was assigned before grad() computed its gradient: call grad() first, then assign.`,
      );
    throw new GradientError(
      `The loss does not depend on ${name}, or the computation was not recorded: create it with { requiresGrad: true }, ` +
        `compute the loss outside noGrad(), and use { createGraph: true } for gradients of gradients.`,
    );
  });
}

/** Whether nodes used the value of `variable` from before it was assigned. */
const usedBefore = (order: readonly Node[], { state }: Variable): boolean =>
  order.some(({ inputs }) => inputs.some(({ source }) => source?.kind === 'former' && source.variable === state));

/** Recorded nodes that `value` depends on, in topological order. Iterative, because graphs are deep. */
function nodesBefore(value: Value): Node[] {
  const order: Node[] = [];
  const seen = new Set<Node>();
  const stack: { node: Node; next: number }[] = [];
  const visit = (node: Node | undefined) => {
    if (!node || seen.has(node)) return;
    seen.add(node);
    stack.push({ node, next: 0 });
  };
  visit(value.node);
  while (stack.length > 0) {
    const top = stack.at(-1)!;
    if (top.next < top.node.inputs.length) visit(top.node.inputs[top.next++].node);
    else {
      order.push(top.node);
      stack.pop();
    }
  }
  return order;
}

/** The nodes through which a gradient must pass to reach one of `targets`. */
function dependents(order: readonly Node[], targets: ReadonlySet<Value>): Set<Node> {
  const wanted = new Set<Node>();
  for (const node of order)
    if (node.inputs.some(value => targets.has(value) || (value.node !== undefined && wanted.has(value.node))))
      wanted.add(node);
  return wanted;
}

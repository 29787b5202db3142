/** SGD's update of all parameters in one dispatch (PyTorch's order of operations). */
import { apply } from '../../engine/apply.ts';
import { sizeOf } from '../../engine/basics/shape.ts';
import { type Declaration, defineOp } from '../../engine/define.ts';
import { specify } from '../../engine/specify.ts';
import type { Tensor } from '../../engine/tensor.ts';
import { assembleElements } from '../../engine/text/assemble.ts';
import { input, output } from '../../engine/text/kernel.ts';
import { Numbers } from '../../engine/text/numbers.ts';

export type SgdAttributes = {
  readonly momentum: number;
  readonly weightDecay: number;
  /** θ; 0: no limit. */
  readonly theta: number;
  /** Whether the step looks ahead by the momentum: g + momentum · b. Default: false. */
  readonly nesterov?: boolean;
};

/**
 * Inputs: parameters, momentum, gradients and factors of the learning rate [n]; the learning rate and a flag (one element
 * each). Updates the first two in place, unless the flag is not 0: g ← clamp(g, ±θ / rate) + decay · p; b ← momentum · b + g;
 * p ← p − rate · factor · b.
 */
export const sgdOp: Declaration<SgdAttributes> = /* @__PURE__ */ defineOp<SgdAttributes>({
  name: 'sgd',
  infer: ([p, b]) => [p, b],
  inPlace: [
    [0, 0],
    [1, 1],
  ],
  lower({ inputs, attributes: { momentum, weightDecay, theta, nesterov = false }, baked }, traits) {
    const count = sizeOf(inputs[0].shape);
    const numbers = new Numbers(baked, { n: count });
    const { float } = numbers;
    const limited = theta > 0 ? 'clamp(g[index], -most, most)' : 'g[index]';
    const kernel = assembleElements(
      {
        name: 'sgd',
        reads: ['g', 'factor', 'rate', 'bad'],
        writes: ['p', 'b'],
        numbers,
        elements: count,
        count: 'n',
        before: `if (bad[0] != 0.0) { return; }
  let most = ${float(theta)} / rate[0];`,
        body: `let gradient = ${limited} + ${float(weightDecay)} * p[index];
    let next = ${float(momentum)} * b[index] + gradient;
    b[index] = next;
    p[index] -= rate[0] * factor[index] * ${nesterov ? `(gradient + ${float(momentum)} * next)` : 'next'};`,
      },
      traits,
    );
    const operands = [input(2), input(3), input(4), input(5), output(0), output(1)];
    return { steps: [{ kernel, operands }], scratch: [] };
  },
});

/* @__PURE__ */ specify(sgdOp, () => ({
  summary: 'One step of SGD with momentum, weight decay and limited gradients for all parameters at once, in place.',
  reference([p, b, g, factor, rate, bad], _, { momentum, weightDecay, theta, nesterov = false }) {
    if (bad[0] !== 0) return [p.slice(), b.slice()];
    const most = theta > 0 ? theta / rate[0] : Number.POSITIVE_INFINITY;
    const gradient = g.map((value, i) => Math.min(most, Math.max(-most, value)) + weightDecay * p[i]);
    const next = b.map((value, i) => momentum * value + gradient[i]);
    const direction = nesterov ? gradient.map((value, i) => value + momentum * next[i]) : next;
    return [p.map((value, i) => value - rate[0] * factor[i] * direction[i]), next];
  },
  samples: [sgdSample(130, 0.05, 0), sgdSample(7, 0, 0), sgdSample(9, 0.05, 1), sgdSample(9, 0.05, 0, true)],
  random: choose => sgdSample(choose.pick([1, 63, 130]), choose.pick([0, 0.01, 0.1]), 0),
}));

function sgdSample(n: number, theta: number, bad: number, nesterov = false) {
  const shape = [n];
  const one = (value: number) => ({ shape: [1], values: [value], fixed: true });
  return {
    inputs: [{ shape }, { shape }, { shape }, { shape, range: [0.1, 1] as const }, one(0.125), one(bad)],
    attributes: { momentum: 0.9, weightDecay: 0.01, theta, nesterov },
  };
}

/** Updates parameters and momentum in place; see {@link sgdOp} for the inputs. */
export function sgd(
  inputs: readonly [Tensor, Tensor, Tensor, Tensor, Tensor, Tensor],
  attributes: SgdAttributes,
): { parameters: Tensor; momentum: Tensor } {
  const [parameters, momentum] = apply(sgdOp, inputs, attributes);
  return { parameters, momentum };
}

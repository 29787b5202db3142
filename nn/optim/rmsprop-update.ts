/** RMSprop's update of all parameters in one dispatch (Hinton 2012, lecture 6e; Graves 2013; PyTorch's order of operations). */
import { apply } from '../../engine/apply.ts';
import { sizeOf } from '../../engine/basics/shape.ts';
import { type Declaration, defineOp } from '../../engine/define.ts';
import { specify } from '../../engine/specify.ts';
import type { Tensor } from '../../engine/tensor.ts';
import { assembleElements } from '../../engine/text/assemble.ts';
import { input, output } from '../../engine/text/kernel.ts';
import { Numbers } from '../../engine/text/numbers.ts';

export type RmspropAttributes = {
  readonly alpha: number;
  readonly eps: number;
  readonly momentum: number;
  readonly weightDecay: number;
  /** Whether the mean of the gradients is subtracted, so that the root is that of their variance. */
  readonly centered: boolean;
};

/**
 * Inputs: parameters, means of squares, momentum, means of gradients and gradients [n]; the learning rate and a flag (one
 * element each). Updates the first four in place, unless the flag is not 0.
 */
export const rmspropOp: Declaration<RmspropAttributes> = /* @__PURE__ */ defineOp<RmspropAttributes>({
  name: 'rmsprop',
  infer: ([p, s, b, a]) => [p, s, b, a],
  inPlace: [
    [0, 0],
    [1, 1],
    [2, 2],
    [3, 3],
  ],
  lower({ inputs, attributes: { alpha, eps, momentum, weightDecay, centered }, baked }, traits) {
    const count = sizeOf(inputs[0].shape);
    const numbers = new Numbers(baked, { n: count });
    const { float } = numbers;
    const average = centered
      ? `let average = ${float(alpha)} * a[index] + ${float(1 - alpha)} * gradient;
    a[index] = average;
    let spread = square - average * average;`
      : 'let spread = square;';
    const kernel = assembleElements(
      {
        name: 'rmsprop',
        reads: ['g', 'rate', 'bad'],
        writes: ['p', 's', 'b', 'a'],
        numbers,
        elements: count,
        count: 'n',
        before: 'if (bad[0] != 0.0) { return; }',
        body: `let gradient = g[index] + ${float(weightDecay)} * p[index];
    let square = ${float(alpha)} * s[index] + ${float(1 - alpha)} * gradient * gradient;
    s[index] = square;
    ${average}
    let next = ${float(momentum)} * b[index] + gradient / (sqrt(spread) + ${float(eps)});
    b[index] = next;
    p[index] -= rate[0] * next;`,
      },
      traits,
    );
    const operands = [input(4), input(5), input(6), output(0), output(1), output(2), output(3)];
    return { steps: [{ kernel, operands }], scratch: [] };
  },
});

/* @__PURE__ */ specify(rmspropOp, () => ({
  summary: 'One step of RMSprop for all parameters at once, in place.',
  reference([p, s, b, a, g, rate, bad], _, { alpha, eps, momentum, weightDecay, centered }) {
    if (bad[0] !== 0) return [p.slice(), s.slice(), b.slice(), a.slice()];
    const gradient = g.map((value, i) => value + weightDecay * p[i]);
    const square = s.map((value, i) => alpha * value + (1 - alpha) * gradient[i] ** 2);
    const average = centered ? a.map((value, i) => alpha * value + (1 - alpha) * gradient[i]) : a.slice();
    const spread = centered ? square.map((value, i) => value - average[i] ** 2) : square;
    const next = b.map((value, i) => momentum * value + gradient[i] / (Math.sqrt(spread[i]) + eps));
    return [p.map((value, i) => value - rate[0] * next[i]), square, next, average];
  },
  samples: [rmspropSample(130, 0), rmspropSample(7, 0, { centered: true, momentum: 0.9 }), rmspropSample(9, 1)],
  random: choose => rmspropSample(choose.pick([1, 63, 130]), 0, { centered: choose.pick([true, false]) }),
}));

function rmspropSample(n: number, bad: number, attributes: Partial<RmspropAttributes> = {}) {
  const shape = [n];
  const one = (value: number) => ({ shape: [1], values: [value], fixed: true });
  return {
    inputs: [
      { shape },
      { shape, range: [1, 2] as const },
      { shape },
      { shape, range: [-0.5, 0.5] as const },
      { shape },
      one(0.125),
      one(bad),
    ],
    attributes: { alpha: 0.99, eps: 1e-8, momentum: 0, weightDecay: 0.01, centered: false, ...attributes },
  };
}

/** Updates the first four inputs in place and returns them; see {@link rmspropOp}. */
export const rmsprop = (
  inputs: readonly [Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor],
  attributes: RmspropAttributes,
): readonly Tensor[] => apply(rmspropOp, inputs, attributes);

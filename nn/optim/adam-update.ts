/** Adam's update of all parameters in one dispatch (Kingma and Ba 2015, algorithm 1; PyTorch's order of operations). */
import { apply } from '../../engine/apply.ts';
import { sizeOf } from '../../engine/basics/shape.ts';
import { type Declaration, defineOp } from '../../engine/define.ts';
import { specify } from '../../engine/specify.ts';
import type { Tensor } from '../../engine/tensor.ts';
import { assembleElements } from '../../engine/text/assemble.ts';
import { input, output } from '../../engine/text/kernel.ts';
import { Numbers } from '../../engine/text/numbers.ts';

export type AdamAttributes = {
  readonly beta1: number;
  readonly beta2: number;
  readonly eps: number;
  /** λ: g ← g + λ · p (L2 penalty), or p ← p − rate · λ · p beside the update if `decoupled`. Default: 0. */
  readonly weightDecay?: number;
  readonly decoupled?: boolean;
};

/** 1 − βᵗ without cancellation, which would affect the first steps with β = 0.999 in float32. */
const oneMinusPower = `fn oneMinusPower(t: f32, logBeta: f32) -> f32 {
  let y = t * logBeta;
  // -expm1(y): use its series near 0, where 1 - exp(y) cancels.
  let series = -y * (1.0 + y / 2.0 * (1.0 + y / 3.0 * (1.0 + y / 4.0 * (1.0 + y / 5.0 * (1.0 + y / 6.0 * (1.0 + y / 7.0 * (1.0 + y / 8.0)))))));
  return select(1.0 - exp(y), series, y > -0.5);
}`;

/** log β. WGSL has no infinity, so log 0 is replaced by a number for which βᵗ is still 0. */
const logarithm = (beta: number): number => Math.max(Math.log(beta), -1000);

/**
 * Inputs: parameters, first and second moments and gradients [n]; the number of earlier steps, the learning rate and a
 * flag (one element each). Updates the first three in place, unless the flag is not 0.
 */
export const adamOp: Declaration<AdamAttributes> = /* @__PURE__ */ defineOp<AdamAttributes>({
  name: 'adam',
  infer: ([p, m, v]) => [p, m, v],
  inPlace: [
    [0, 0],
    [1, 1],
    [2, 2],
  ],
  lower({ inputs, attributes: { beta1, beta2, eps, weightDecay = 0, decoupled = false }, baked }, traits) {
    const count = sizeOf(inputs[0].shape);
    const numbers = new Numbers(baked, { n: count });
    const { float } = numbers;
    const penalty = weightDecay > 0 && !decoupled ? ` + ${float(weightDecay)} * p[index]` : '';
    const decay = weightDecay > 0 && decoupled ? `p[index] *= 1.0 - rate[0] * ${float(weightDecay)};\n    ` : '';
    const kernel = assembleElements(
      {
        name: 'adam',
        reads: ['g', 'steps', 'rate', 'bad'],
        writes: ['p', 'm', 'v'],
        numbers,
        declarations: oneMinusPower,
        elements: count,
        count: 'n',
        before: `if (bad[0] != 0.0) { return; }
  let t = steps[0] + 1.0;
  let size = rate[0] / oneMinusPower(t, ${float(logarithm(beta1))});
  let root = sqrt(oneMinusPower(t, ${float(logarithm(beta2))}));`,
        body: `${decay}let gradient = g[index]${penalty};
    let first = ${float(beta1)} * m[index] + ${float(1 - beta1)} * gradient;
    let second = ${float(beta2)} * v[index] + ${float(1 - beta2)} * gradient * gradient;
    m[index] = first;
    v[index] = second;
    p[index] -= size * first / (sqrt(second) / root + ${float(eps)});`,
      },
      traits,
    );
    const operands = [input(3), input(4), input(5), input(6), output(0), output(1), output(2)];
    return { steps: [{ kernel, operands }], scratch: [] };
  },
});

/* @__PURE__ */ specify(adamOp, () => ({
  summary: 'One step of Adam for all parameters at once, in place.',
  reference([given, m, v, gradient, steps, rate, bad], _, { beta1, beta2, eps, weightDecay = 0, decoupled = false }) {
    if (bad[0] !== 0) return [given.slice(), m.slice(), v.slice()];
    const p = decoupled ? given.map(value => value * (1 - rate[0] * weightDecay)) : given;
    const g = decoupled ? gradient : gradient.map((value, i) => value + weightDecay * given[i]);
    const t = steps[0] + 1;
    const first = m.map((value, i) => beta1 * value + (1 - beta1) * g[i]);
    const second = v.map((value, i) => beta2 * value + (1 - beta2) * g[i] ** 2);
    const size = rate[0] / (1 - beta1 ** t);
    const root = Math.sqrt(1 - beta2 ** t);
    return [p.map((value, i) => value - (size * first[i]) / (Math.sqrt(second[i]) / root + eps)), first, second];
  },
  samples: [
    adamSample(130, 0, 0),
    adamSample(7, 1, 0),
    adamSample(64, 1000, 0),
    adamSample(9, 3, 1),
    adamSample(5, 2, 0, { weightDecay: 0.1 }),
    adamSample(5, 2, 0, { weightDecay: 0.1, decoupled: true }),
  ],
  random: choose => adamSample(choose.pick([1, 63, 130]), choose.pick([0, 1, 2, 10, 100, 5000]), 0),
}));

function adamSample(n: number, steps: number, bad: number, decay: Partial<AdamAttributes> = {}) {
  const shape = [n];
  const one = (value: number) => ({ shape: [1], values: [value], fixed: true });
  return {
    inputs: [{ shape }, { shape }, { shape, range: [0.01, 1] as const }, { shape }, one(steps), one(0.125), one(bad)],
    attributes: { beta1: 0.9, beta2: 0.999, eps: 1e-8, ...decay },
  };
}

/** Updates parameters and moments in place; see {@link adamOp} for the inputs. */
export function adam(
  inputs: readonly [Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor],
  attributes: AdamAttributes,
) {
  const [parameters, first, second] = apply(adamOp, inputs, attributes);
  return { parameters: parameters, first: first, second: second };
}

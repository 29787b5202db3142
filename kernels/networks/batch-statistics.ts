/** Processes a batch's statistics for batch norm, in one small kernel instead of three. */
import { apply } from '../../engine/apply.ts';
import { sizeOf } from '../../engine/basics/shape.ts';
import { type Declaration, defineOp } from '../../engine/define.ts';
import { specify } from '../../engine/specify.ts';
import type { Tensor } from '../../engine/tensor.ts';
import { assembleElements } from '../../engine/text/assemble.ts';
import { input, output } from '../../engine/text/kernel.ts';
import { Numbers } from '../../engine/text/numbers.ts';
import { add, mul, square } from '../elementwise/arithmetic.ts';
import { reshape } from '../movement/reshape.ts';

export type BatchStatisticsAttributes = {
  readonly eps: number;
  /** Weight of the batch in the running statistics. */
  readonly momentum: number;
  /** Factor from the batch's biased variance to the unbiased one: M / (M − 1) for M elements per channel. */
  readonly correction: number;
};

/**
 * Inputs, C elements each: mean and variance of the batch, running mean and variance. Outputs: 1 / √(variance + eps) in
 * the variance's shape, then the running statistics after the batch.
 */
export const batchStatisticsOp: Declaration<BatchStatisticsAttributes> =
  /* @__PURE__ */ defineOp<BatchStatisticsAttributes>({
    name: 'batchStatistics',
    infer: ([, variance, runningMean, runningVariance]) => [variance, runningMean, runningVariance],
    lower({ inputs, attributes: { eps, momentum, correction } }, traits) {
      const n = sizeOf(inputs[1].shape);
      const numbers = new Numbers(false, { n });
      const [tiny, old, share, unbiased] = [eps, 1 - momentum, momentum, momentum * correction].map(numbers.float);
      const kernel = assembleElements(
        {
          name: 'batchStatistics',
          reads: ['average', 'variance', 'oldMean', 'oldVariance'],
          writes: ['inverse', 'newMean', 'newVariance'],
          numbers,
          elements: n,
          count: 'n',
          body: `let v = variance[index];
    inverse[index] = 1.0 / sqrt(v + ${tiny});
    newMean[index] = oldMean[index] * ${old} + average[index] * ${share};
    newVariance[index] = oldVariance[index] * ${old} + v * ${unbiased};`,
        },
        traits,
      );
      return { steps: [{ kernel, operands: [0, 1, 2, 3].map(input).concat([0, 1, 2].map(output)) }], scratch: [] };
    },
    gradient({ inputs, outputs: [inverse], grads: [g, gMean, gVariance], attributes: { momentum, correction } }) {
      /** The sum of the gradients that flow to input `i`, if any. */
      const flowing = (i: number, parts: readonly (Tensor | undefined)[]): Tensor | null => {
        const present = parts.flatMap(part => (part ? [reshape(part, inputs[i].shape)] : []));
        return present.length > 0 ? present.reduce((a, b) => add(a, b)) : null;
      };
      const slope = g && mul(mul(mul(square(inverse), inverse), g), -0.5);
      return [
        flowing(0, [gMean && mul(gMean, momentum)]),
        flowing(1, [slope, gVariance && mul(gVariance, momentum * correction)]),
        flowing(2, [gMean && mul(gMean, 1 - momentum)]),
        flowing(3, [gVariance && mul(gVariance, 1 - momentum)]),
      ];
    },
  });

/* @__PURE__ */ specify(batchStatisticsOp, () => ({
  summary: '1 / √(variance + eps), and running statistics after a batch.',
  reference([average, variance, oldMean, oldVariance], _, { eps, momentum, correction }) {
    return [
      variance.map(v => 1 / Math.sqrt(v + eps)),
      oldMean.map((old, i) => old * (1 - momentum) + average[i] * momentum),
      oldVariance.map((old, i) => old * (1 - momentum) + variance[i] * momentum * correction),
    ];
  },
  samples: [sampleOf(3, 8), sampleOf(70, 1.5)],
  random: choose => sampleOf(choose.pick([1, 17, 64]), choose.pick([1, 1.01, 2])),
}));

function sampleOf(channels: number, correction: number) {
  const mean = { shape: [channels] };
  const variance = { shape: [channels], range: [0.5, 2] as const };
  return { inputs: [mean, variance, mean, variance], attributes: { eps: 1e-5, momentum: 0.1, correction } };
}

/** See {@link batchStatisticsOp}. */
export function batchStatistics(
  statistics: readonly [mean: Tensor, variance: Tensor, runningMean: Tensor, runningVariance: Tensor],
  attributes: BatchStatisticsAttributes,
): { readonly inverse: Tensor; readonly runningMean: Tensor; readonly runningVariance: Tensor } {
  const [inverse, runningMean, runningVariance] = apply(batchStatisticsOp, statistics, attributes);
  return { inverse: inverse, runningMean: runningMean, runningVariance: runningVariance };
}

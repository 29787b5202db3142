/** The list of operations: adding one adds one line here. Tests, the docs' table and the kernel benchmark walk it. */
import { apply } from '../engine/apply.ts';
import { type Declaration, gradientRule, type Listed } from '../engine/define.ts';
import type { Attributes } from '../engine/graph/operation.ts';
import { adamOp } from '../train/kernels/adam-update.ts';
import { replaceUnlessOp } from '../train/kernels/guard.ts';
import * as activations from './elementwise/activations.ts';
import * as arithmetic from './elementwise/arithmetic.ts';
import * as functions from './elementwise/functions.ts';
import { notFiniteOp, whereOp } from './elementwise/selection.ts';
import { fullLikeOp } from './grad.ts';
import { concatOp } from './movement/concat.ts';
import { packOp, partOp } from './movement/pack.ts';
import { padOp, padReflectGradientOp, sliceOp } from './movement/pad.ts';
import { reshapeOp } from './movement/reshape.ts';
import { permuteOp, pixelShuffleOp, pixelUnshuffleOp } from './movement/strided.ts';
import { batchNormListing } from './networks/batch-norm.ts';
import { batchStatisticsOp } from './networks/batch-statistics.ts';
import { bceGradientOp, bceOp, lossListings, totalVariationListing } from './networks/losses.ts';
import * as pool from './networks/pool.ts';
import { conv2dInputGradientOp, conv2dOp, conv2dWeightGradientOp } from './products/conv2d/index.ts';
import { linearListing, matmulOp } from './products/matmul/index.ts';
import { broadcastOp, sumOp } from './reductions/sum.ts';

/** A kernel's declaration as tests see it. */
function list<A extends Attributes>(operation: Declaration<A>): Listed {
  const listed: Listed<A> = {
    name: operation.name,
    summary: operation.summary,
    call: (inputs, attributes) => apply(operation, inputs, attributes),
    reference: (inputs, shapes, attributes) =>
      operation.reference(
        inputs,
        shapes.map(shape => ({ shape, dtype: 'f32' as const })),
        attributes,
      ),
    samples: operation.samples,
    random: choose => operation.random(choose),
    differentiable: gradientRule(operation) !== undefined,
    ...(operation.tolerance !== undefined && { tolerance: operation.tolerance }),
  };
  return listed as unknown as Listed;
}

/** Every operation. */
export const listings: readonly Listed[] = [
  list(arithmetic.addOp),
  list(arithmetic.subOp),
  list(arithmetic.mulOp),
  list(arithmetic.divOp),
  list(arithmetic.negOp),
  list(arithmetic.squareOp),
  list(arithmetic.addScalarOp),
  list(arithmetic.mulScalarOp),
  list(functions.expOp),
  list(functions.logOp),
  list(functions.log1pOp),
  list(functions.sqrtOp),
  list(functions.signOp),
  list(functions.absOp),
  list(functions.clampOp),
  list(functions.clampGradientOp),
  list(functions.powOp),
  list(activations.leakyReluOp),
  list(activations.leakyReluGradientOp),
  list(activations.preluOp),
  list(activations.preluInputGradientOp),
  activations.preluListing,
  list(activations.tanhOp),
  list(activations.sigmoidOp),
  list(activations.softplusOp),
  list(whereOp),
  list(notFiniteOp),
  list(fullLikeOp),
  list(sumOp),
  list(broadcastOp),
  list(reshapeOp),
  list(permuteOp),
  list(pixelShuffleOp),
  list(pixelUnshuffleOp),
  list(sliceOp),
  list(padOp),
  list(padReflectGradientOp),
  list(concatOp),
  list(packOp),
  list(partOp),
  list(adamOp),
  list(replaceUnlessOp),
  list(pool.maxPool2dOp),
  list(pool.maxPool2dGradientOp),
  list(pool.avgPool2dOp),
  list(pool.avgPool2dGradientOp),
  pool.globalAvgPool2dListing,
  list(matmulOp),
  linearListing,
  list(conv2dOp),
  list(conv2dInputGradientOp),
  list(conv2dWeightGradientOp),
  batchNormListing as unknown as Listed,
  list(batchStatisticsOp),
  ...lossListings,
  list(bceOp),
  list(bceGradientOp),
  totalVariationListing as unknown as Listed,
];

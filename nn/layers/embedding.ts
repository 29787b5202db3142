/** Vectors for indices. */
import type { Tensor } from '../../engine/tensor.ts';
import type { Variable } from '../../engine/variable.ts';
import { embedding } from '../../kernels/index.ts';
import { Module } from '../module.ts';
import { standardNormal, type WeightsOptions } from './weights.ts';

/** Indices of any shape to vectors, […, size]: weight [count, size], which starts normal with variance 1. */
export class Embedding extends Module {
  /** One vector a row, [count, size]. */
  readonly weight: Variable;

  constructor(count: number, size: number, weights: WeightsOptions = {}) {
    super();
    this.weight = standardNormal([count, size], { name: 'embedding weight', ...weights });
  }

  forward(index: Tensor): Tensor {
    return embedding(this.weight, index);
  }
}

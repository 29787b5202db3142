/** Dense layers. */
import type { Tensor } from '../../engine/tensor.ts';
import type { Variable } from '../../engine/variable.ts';
import { linear } from '../../kernels/index.ts';
import { Module } from '../module.ts';
import { fanInUniform, type WeightsOptions } from './weights.ts';

/** Options of {@link Linear}. */
export interface LinearOptions extends WeightsOptions {
  /** Default: true. */
  readonly bias?: boolean;
}

/** A dense layer, […, in] to […, out]: weight [out, in], bias [out] unless `bias: false`. Starts uniform in ±1/√in. */
export class Linear extends Module {
  /** [out, in]. */
  readonly weight: Variable;
  /** [out]; undefined with `bias: false`. */
  readonly bias: Variable | undefined;

  constructor(inputs: number, outputs: number, { bias = true, ...weights }: LinearOptions = {}) {
    super();
    this.weight = fanInUniform([outputs, inputs], inputs, { name: 'linear weight', ...weights });
    this.bias = bias ? fanInUniform([outputs], inputs, { name: 'linear bias', ...weights }) : undefined;
  }

  forward(x: Tensor): Tensor {
    return linear(x, this.weight, this.bias);
  }
}

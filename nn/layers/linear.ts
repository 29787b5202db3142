/** Dense layers. */
import { type Tensor, tidy } from '../../engine/tensor.ts';
import type { Variable } from '../../engine/variable.ts';
import { linear, reshape } from '../../kernels/index.ts';
import { Module } from '../module.ts';
import { fanInUniform, type WeightsOptions } from './weights.ts';

export interface LinearOptions extends WeightsOptions {
  /** Default: true. */
  readonly bias?: boolean;
}

/** A dense layer, […, in] to […, out]: weight [out, in], bias [out] unless `bias: false`. Starts uniform in ±1/√in. */
export class Linear extends Module {
  readonly weight: Variable;
  readonly bias: Variable | undefined;

  constructor(inputs: number, outputs: number, { bias = true, ...weights }: LinearOptions = {}) {
    super();
    this.weight = fanInUniform([outputs, inputs], inputs, { name: 'linear weight', ...weights });
    this.bias = bias ? fanInUniform([outputs], inputs, { name: 'linear bias', ...weights }) : undefined;
  }

  forward(x: Tensor): Tensor {
    if (x.shape.length === 2) return linear(x, this.weight, this.bias);
    const [outputs, inputs] = this.weight.shape;
    const outer = x.shape.slice(0, -1);
    return tidy(() => {
      const rows = reshape(x, [Math.floor(x.size / inputs), x.shape.at(-1) ?? 1]);
      return reshape(linear(rows, this.weight, this.bias), [...outer, outputs]);
    });
  }
}

/** Adam: "Adam: A Method for Stochastic Optimization", Kingma and Ba 2015, with PyTorch's formula. */

import type { Tensor } from '../engine/tensor.ts';
import type { Variable } from '../engine/variable.ts';
import { type AdamAttributes, adam } from './kernels/adam-update.ts';
import { Optimizer } from './optimizer.ts';

export interface AdamOptions {
  /** Learning rate α. Default: 1e-4, the paper's. */
  readonly lr?: number;
  /** Decay rate of the first moment. Default: 0.9, the paper's. */
  readonly beta1?: number;
  /** Decay rate of the second moment. Default: 0.999. */
  readonly beta2?: number;
  /** Added to the square root of the second moment. Default: 1e-8. */
  readonly eps?: number;
  /**
   * Largest L2 norm of all gradients together. Default: 0, no limit. Gradients are multiplied by
   * min(1, clipNorm / (norm + 1e-6)), like PyTorch's `clip_grad_norm_` (Pascanu et al. 2013, algorithm 1).
   */
  readonly clipNorm?: number;
}

/**
 * Adam for a list of parameters. Packs them into one buffer, so that a step is one dispatch. Its state is the first and
 * second moments, in the layout of the parameters, and the number of steps.
 */
export class Adam extends Optimizer {
  readonly name = 'adam';
  readonly first: Variable;
  readonly second: Variable;
  readonly slots;
  readonly #attributes: AdamAttributes;

  constructor(
    parameters: readonly Variable[],
    { lr = 1e-4, beta1 = 0.9, beta2 = 0.999, eps = 1e-8, clipNorm = 0 }: AdamOptions = {},
  ) {
    super('Adam', parameters, { lr, clipNorm });
    this.#attributes = { beta1, beta2, eps };
    this.first = this.zeros('first moments');
    this.second = this.zeros('second moments');
    this.slots = {
      first: { values: this.first, stored: 'exp_avg' },
      second: { values: this.second, stored: 'exp_avg_sq' },
    };
  }

  protected record(gradient: Tensor, rate: Tensor, flag: Tensor): void {
    const { whole } = this.gathered;
    const { parameters, first, second } = adam(
      [whole, this.first, this.second, gradient, this.steps, rate, flag],
      this.#attributes,
    );
    whole.assign(parameters);
    this.first.assign(first);
    this.second.assign(second);
  }
}

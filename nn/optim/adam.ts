/** Adam and AdamW, with PyTorch's formulas. */

import type { Tensor } from '../../engine/tensor.ts';
import type { Variable } from '../../engine/variable.ts';
import { type AdamAttributes, adam } from './adam-update.ts';
import { type ClippingOptions, Optimizer } from './optimizer.ts';

/** Options of {@link Adam} and {@link AdamW}. */
export interface AdamOptions extends ClippingOptions {
  /** Learning rate α. Default: 1e-3. */
  readonly lr?: number;
  /** Decay rate of the first moment. Default: 0.9. */
  readonly beta1?: number;
  /** Decay rate of the second moment. Default: 0.999. */
  readonly beta2?: number;
  /** Added to the square root of the second moment. Default: 1e-8. */
  readonly eps?: number;
  /** λ. Adam adds λ · parameter to the gradient; AdamW subtracts lr · λ · parameter. Default: 0 for Adam, 0.01 for AdamW. */
  readonly weightDecay?: number;
}

/**
 * Adam (Kingma and Ba 2015) for a list of parameters. Packs them into one buffer, so that a step is one dispatch. Its state is
 * the first and second moments, in the layout of the parameters, and the number of steps.
 */
export class Adam extends Optimizer {
  readonly name: string = 'adam';
  /** Means of the gradients, for all parameters in one buffer. */
  readonly first: Variable;
  /** Means of the squared gradients, in the same layout. */
  readonly second: Variable;
  readonly slots;
  readonly #attributes: AdamAttributes;

  constructor(parameters: readonly Variable[], options: AdamOptions = {}) {
    const { lr = 1e-3, beta1 = 0.9, beta2 = 0.999, eps = 1e-8, weightDecay = 0, ...clipping } = options;
    super('Adam', parameters, { lr, ...clipping });
    this.#attributes = { beta1, beta2, eps, ...(weightDecay === 0 ? {} : { weightDecay, decoupled: this.decoupled }) };
    this.first = this.zeros('first moments');
    this.second = this.zeros('second moments');
    this.slots = {
      first: { values: this.first, stored: 'exp_avg' },
      second: { values: this.second, stored: 'exp_avg_sq' },
    };
  }

  /** Whether weight decay acts beside the update instead of through the gradient. */
  protected get decoupled(): boolean {
    return false;
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

/** Adam with decoupled weight decay (Loshchilov and Hutter, "Decoupled Weight Decay Regularization", 2019). */
export class AdamW extends Adam {
  override readonly name = 'adamw';

  constructor(parameters: readonly Variable[], { weightDecay = 0.01, ...options }: AdamOptions = {}) {
    super(parameters, { weightDecay, ...options });
  }

  protected override get decoupled(): boolean {
    return true;
  }
}

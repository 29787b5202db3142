/** Stochastic gradient descent with momentum (Polyak 1964), weight decay and limited gradients, with PyTorch's formula. */

import { DaybreakError } from '../../engine/basics/errors.ts';
import type { Tensor } from '../../engine/tensor.ts';
import type { Variable } from '../../engine/variable.ts';
import { type ClippingOptions, Optimizer } from './optimizer.ts';
import { type SgdAttributes, sgd } from './sgd-update.ts';

/** Options of {@link SGD}. */
export interface SGDOptions extends ClippingOptions {
  /** Learning rate. Default: 1e-3. */
  readonly lr?: number;
  /** Factor of the previous steps' sum. Default: 0. */
  readonly momentum?: number;
  /** Whether the step looks ahead by the momentum (Sutskever et al. 2013). Needs momentum. Default: false. */
  readonly nesterov?: boolean;
  /** Factor of the parameters that is added to the gradients. Default: 0. */
  readonly weightDecay?: number;
  /**
   * θ: gradients are limited to ±θ / learning rate (Kim et al. 2016, "adjustable gradient clipping"), before weight decay
   * and after the other limits. Default: 0, no limit.
   */
  readonly theta?: number;
  /** Factors of the learning rate, one per parameter. Default: 1. */
  readonly factors?: readonly number[];
}

/** SGD for a list of parameters, one dispatch per step. Its state is the momentum, in the layout of the parameters. */
export class SGD extends Optimizer {
  readonly name = 'sgd';
  /** Sums of the previous steps, for all parameters in one buffer. */
  readonly momentum: Variable;
  readonly slots;
  readonly #factors: Variable;
  readonly #attributes: SgdAttributes;

  /** Throws DaybreakError for another number of factors than parameters, and for `nesterov` without momentum. */
  constructor(parameters: readonly Variable[], options: SGDOptions = {}) {
    const { lr = 1e-3, momentum = 0, nesterov = false, weightDecay = 0, theta = 0, factors, ...clipping } = options;
    if (nesterov && momentum <= 0) throw new DaybreakError('SGD: nesterov needs a momentum above 0.');
    super('SGD', parameters, { lr, ...clipping });
    if (factors && factors.length !== parameters.length)
      throw new DaybreakError(`SGD: expected ${parameters.length} factors, one per parameter, got ${factors.length}.`);
    this.#attributes = { momentum, weightDecay, theta, nesterov };
    this.momentum = this.zeros('momentum');
    this.slots = { momentum: { values: this.momentum, stored: 'momentum_buffer' } };
    this.#factors = this.zeros('learning rate factors');
    const each = new Float32Array(this.#factors.size).fill(1);
    parameters.forEach(({ size }, i) => {
      const offset = this.gathered.offset(i);
      each.fill(factors?.[i] ?? 1, offset, offset + size);
    });
    this.#factors.write(each);
  }

  protected record(gradient: Tensor, rate: Tensor, flag: Tensor): void {
    const { whole } = this.gathered;
    const next = sgd([whole, this.momentum, gradient, this.#factors, rate, flag], this.#attributes);
    whole.assign(next.parameters);
    this.momentum.assign(next.momentum);
  }

  override dispose(): void {
    super.dispose();
    this.#factors.dispose();
  }
}

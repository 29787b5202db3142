/** RMSprop, with PyTorch's formula. */

import type { Tensor } from '../../engine/tensor.ts';
import type { Variable } from '../../engine/variable.ts';
import { type ClippingOptions, Optimizer } from './optimizer.ts';
import { type RmspropAttributes, rmsprop } from './rmsprop-update.ts';

/** Options of {@link RMSprop}. */
export interface RMSpropOptions extends ClippingOptions {
  /** Learning rate. Default: 0.01. */
  readonly lr?: number;
  /** Decay rate of the mean of squares. Default: 0.99. */
  readonly alpha?: number;
  /** Added to the root of the mean of squares. Default: 1e-8. */
  readonly eps?: number;
  /** Factor of the previous steps' sum. Default: 0. */
  readonly momentum?: number;
  /** Factor of the parameters that is added to the gradients. Default: 0. */
  readonly weightDecay?: number;
  /** Divide by the root of the gradients' variance instead of their mean square (Graves 2013). Default: false. */
  readonly centered?: boolean;
}

/**
 * RMSprop for a list of parameters, one dispatch per step. Its state is the mean of squares, the momentum and the mean of the
 * gradients, in the layout of the parameters.
 */
export class RMSprop extends Optimizer {
  readonly name = 'rmsprop';
  readonly slots;
  readonly #state: readonly [Variable, Variable, Variable];
  readonly #attributes: RmspropAttributes;

  constructor(parameters: readonly Variable[], options: RMSpropOptions = {}) {
    const {
      lr = 0.01,
      alpha = 0.99,
      eps = 1e-8,
      momentum = 0,
      weightDecay = 0,
      centered = false,
      ...clipping
    } = options;
    super('RMSprop', parameters, { lr, ...clipping });
    this.#attributes = { alpha, eps, momentum, weightDecay, centered };
    const [square, buffer, average] = ['mean of squares', 'momentum', 'mean of gradients'].map(name =>
      this.zeros(name),
    );
    this.#state = [square, buffer, average];
    this.slots = {
      square: { values: square, stored: 'square_avg' },
      momentum: { values: buffer, stored: 'momentum_buffer' },
      average: { values: average, stored: 'grad_avg' },
    };
  }

  protected record(gradient: Tensor, rate: Tensor, flag: Tensor): void {
    const { whole } = this.gathered;
    const [parameters, ...state] = rmsprop([whole, ...this.#state, gradient, rate, flag], this.#attributes);
    whole.assign(parameters);
    state.forEach((next, i) => {
      this.#state[i].assign(next);
    });
  }
}

/** Adam: "Adam: A Method for Stochastic Optimization", Kingma and Ba 2015, with PyTorch's formula. */

import { DaybreakError, ShapeError } from '../engine/basics/errors.ts';
import { formatShape, sameShape } from '../engine/basics/shape.ts';
import { type Compiled, compile } from '../engine/compile.ts';
import { activeTrace } from '../engine/graph/trace.ts';
import { type Tensor, tensor } from '../engine/tensor.ts';
import { type Variable, variable } from '../engine/variable.ts';
import { add, clamp, div, fullLike, mul, reshape, sqrt, square, sum, where } from '../kernels/index.ts';
import { pack } from '../kernels/movement/pack.ts';
import { Gathered } from './gathered.ts';
import { type AdamAttributes, adam } from './kernels/adam-update.ts';

export interface AdamOptions {
  /** Learning rate α; default 1e-4, the paper's. */
  readonly lr?: number;
  /** Decay of the first moment; default 0.9, the paper's. */
  readonly beta1?: number;
  /** Decay of the second moment; default 0.999. */
  readonly beta2?: number;
  /** Added to the root of the second moment; default 1e-8. */
  readonly eps?: number;
  /**
   * Largest L2 norm of all gradients together; default 0, no limit. Larger ones are multiplied by
   * min(1, clipNorm / (norm + 1e-6)), as PyTorch's `clip_grad_norm_` does (Pascanu et al. 2013, algorithm 1).
   */
  readonly clipNorm?: number;
}

export interface UpdateOptions {
  /** A learning rate for this step, one element, instead of the optimizer's. */
  readonly lr?: Tensor;
  /** One element; where it is not 0, nothing changes. */
  readonly skip?: Tensor;
}

/** Added to a norm before it divides, as PyTorch does. */
const NORM_EPSILON = 1e-6;

/** The L2 norm of all gradients together, one element. Not finite where one of them is not, or their squares overflow. */
export const gradientNorm = (gradients: readonly Tensor[]): Tensor => reshape(sqrt(sum(square(pack(gradients)))), [1]);

/**
 * The optimizer of some parameters, which it gathers into one buffer, so that a step is one dispatch. Its state: first
 * and second moments, laid out like the parameters, and the number of steps made.
 */
export class Adam implements Disposable {
  readonly parameters: readonly Variable[];
  readonly first: Variable;
  readonly second: Variable;
  /** Steps made, one element. */
  readonly steps: Variable;
  /** The parameters, side by side. */
  readonly gathered: Gathered;
  readonly #attributes: AdamAttributes;
  readonly #lr: number;
  /** Largest L2 norm of the gradients; 0: no limit. */
  readonly clipNorm: number;
  #eager: Compiled<readonly Tensor[], undefined> | undefined;

  constructor(
    parameters: readonly Variable[],
    { lr = 1e-4, beta1 = 0.9, beta2 = 0.999, eps = 1e-8, clipNorm = 0 }: AdamOptions = {},
  ) {
    const [first] = parameters;
    if (!first) throw new DaybreakError('Adam: needs at least one parameter.');
    if (new Set(parameters).size < parameters.length) throw new DaybreakError('Adam: a parameter is given twice.');
    const taken = parameters.find(({ state }) => state.part);
    if (taken) throw new DaybreakError(`Adam: ${taken.name} belongs to another optimizer already: one optimizer each.`);
    const { device } = first;
    this.parameters = parameters;
    this.gathered = new Gathered(parameters, 'parameters');
    const { size } = this.gathered;
    const zeros = (name: string) => variable(new Float32Array(size), [size], { device, name, trainable: false });
    this.#attributes = { beta1, beta2, eps };
    this.#lr = lr;
    this.clipNorm = clipNorm;
    this.first = zeros('first moments');
    this.second = zeros('second moments');
    this.steps = variable(Float32Array.of(0), [1], { device, name: 'steps', trainable: false });
  }

  /** One step along `gradients`, in the order of the parameters. Inside `compile` it becomes part of the program. */
  update(gradients: readonly Tensor[], options: UpdateOptions = {}): void {
    if (gradients.length !== this.parameters.length)
      throw new DaybreakError(
        `Adam: ${this.parameters.length} parameters need as many gradients, got ${gradients.length}.`,
      );
    this.parameters.forEach(({ shape }, i) => {
      if (!sameShape(shape, gradients[i].shape))
        throw new ShapeError(
          'Adam',
          `the gradient of parameter ${i} has shape ${formatShape(gradients[i].shape)}, the parameter ${formatShape(shape)}.`,
        );
    });
    if (activeTrace()) {
      this.#record(gradients, options);
      return;
    }
    if (options.lr || options.skip) throw new DaybreakError('Adam: lr and skip of update() need a compiled step.');
    this.#eager ??= compile<readonly Tensor[], undefined>((...inputs) => {
      this.#record(inputs, {});
      return undefined;
    });
    this.#eager(...gradients);
  }

  #record(gradients: readonly Tensor[], { lr, skip }: UpdateOptions): void {
    const rate = lr ?? tensor([this.#lr]);
    const flag = skip ?? tensor([0]);
    const { parameters, first, second } = adam(
      [this.gathered.whole, this.first, this.second, this.#clipped(gradients), this.steps, rate, flag],
      this.#attributes,
    );
    this.gathered.whole.assign(parameters);
    this.first.assign(first);
    this.second.assign(second);
    this.steps.assign(skip ? where(skip, this.steps, add(this.steps, 1)) : add(this.steps, 1));
  }

  #clipped(gradients: readonly Tensor[]): Tensor {
    const whole = pack(gradients);
    if (this.clipNorm === 0) return whole;
    const factor = div(fullLike(this.steps, this.clipNorm), add(gradientNorm(gradients), NORM_EPSILON));
    return mul(whole, clamp(factor, 0, 1));
  }

  /** Moments of each parameter and the number of steps, read from the GPU. */
  async state(): Promise<{ steps: number; moments: { first: Float32Array; second: Float32Array }[] }> {
    const [first, second, steps] = await this.first.device.read([
      this.first.storage,
      this.second.storage,
      this.steps.storage,
    ]);
    const numbers = [first, second].map(bytes => new Float32Array(bytes.buffer));
    const moments = this.parameters.map(({ size }, i) => {
      const offset = this.gathered.offset(i);
      return { first: numbers[0].slice(offset, offset + size), second: numbers[1].slice(offset, offset + size) };
    });
    return { steps: new Float32Array(steps.buffer)[0], moments };
  }

  /** Restores what {@link state} gave. Throws DaybreakError, before anything is changed, where it does not fit. */
  load({ steps, moments }: { steps: number; moments: readonly { first: Float32Array; second: Float32Array }[] }): void {
    if (moments.length !== this.parameters.length)
      throw new DaybreakError(
        `Adam: ${this.parameters.length} parameters need as many moments, got ${moments.length}.`,
      );
    this.parameters.forEach(({ shape, size }, i) => {
      const { first, second } = moments[i];
      if (first.length !== size || second.length !== size)
        throw new DaybreakError(
          `Adam: moments of ${first.length} and ${second.length} numbers do not fit parameter ${i} of shape ${formatShape(shape)}.`,
        );
    });
    const first = new Float32Array(this.first.size);
    const second = new Float32Array(this.second.size);
    moments.forEach((moment, i) => {
      first.set(moment.first, this.gathered.offset(i));
      second.set(moment.second, this.gathered.offset(i));
    });
    this.first.write(first);
    this.second.write(second);
    this.steps.write(Float32Array.of(steps));
  }

  /** Gives the moments' memory back. The parameters stay, and may get another optimizer. */
  dispose(): void {
    this.#eager?.dispose();
    for (const one of [this.first, this.second, this.steps, this.gathered]) one.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

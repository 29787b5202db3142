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

export interface UpdateOptions {
  /** Learning rate of this step, one element. Default: the optimizer's. */
  readonly lr?: Tensor;
  /** One element; if nonzero, nothing changes. */
  readonly skip?: Tensor;
}

/** Added to a norm before dividing by it, as in PyTorch. */
const NORM_EPSILON = 1e-6;

/** The L2 norm of all gradients together, one element. NaN or infinite if a gradient is, or if the squares overflow. */
export const gradientNorm = (gradients: readonly Tensor[]): Tensor => reshape(sqrt(sum(square(pack(gradients)))), [1]);

/**
 * Adam for a list of parameters. Packs them into one buffer, so that a step is one dispatch. Its state is the first and
 * second moments, in the layout of the parameters, and the number of steps.
 */
export class Adam implements Disposable {
  readonly parameters: readonly Variable[];
  readonly first: Variable;
  readonly second: Variable;
  /** Number of steps, one element. */
  readonly steps: Variable;
  /** The parameters in one buffer. */
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
    if (!first) throw new DaybreakError('Adam: expected at least one parameter, got none.');
    if (new Set(parameters).size < parameters.length)
      throw new DaybreakError('Adam: expected different parameters, got one twice.');
    const taken = parameters.find(({ state }) => state.part);
    if (taken) throw new DaybreakError(`Adam: ${taken.name} belongs to another optimizer already.`);
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

  /** Makes one step. `gradients` are in the order of the parameters. Inside `compile` the step becomes part of the program. */
  update(gradients: readonly Tensor[], options: UpdateOptions = {}): void {
    if (gradients.length !== this.parameters.length)
      throw new DaybreakError(
        `Adam: expected ${this.parameters.length} gradients, one per parameter, got ${gradients.length}.`,
      );
    this.parameters.forEach(({ shape }, i) => {
      if (!sameShape(shape, gradients[i].shape))
        throw new ShapeError(
          'Adam',
          `expected a gradient of shape ${formatShape(shape)} for parameter ${i}, got ${formatShape(gradients[i].shape)}.`,
        );
    });
    if (activeTrace()) {
      this.#record(gradients, options);
      return;
    }
    if (options.lr || options.skip)
      throw new DaybreakError('Adam: lr and skip of update() can only be used inside compile().');
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

  /** Reads the moments of each parameter and the number of steps from the GPU. */
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

  /** Restores the result of {@link state}. @throws DaybreakError if it does not fit; nothing has changed then. */
  load({ steps, moments }: { steps: number; moments: readonly { first: Float32Array; second: Float32Array }[] }): void {
    if (moments.length !== this.parameters.length)
      throw new DaybreakError(`Adam: expected moments of ${this.parameters.length} parameters, got ${moments.length}.`);
    this.parameters.forEach(({ shape, size }, i) => {
      const { first, second } = moments[i];
      if (first.length !== size || second.length !== size)
        throw new DaybreakError(
          `Adam: expected moments of ${size} elements for parameter ${i} of shape ${formatShape(shape)}, got ${first.length} and ${second.length}.`,
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

  /** Frees the moments' memory. The parameters stay and can get another optimizer. */
  dispose(): void {
    this.#eager?.dispose();
    for (const one of [this.first, this.second, this.steps, this.gathered]) one.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

/** What all optimizers share: parameters and state in packed buffers, so that a step is one dispatch. */

import { DaybreakError, ShapeError } from '../../engine/basics/errors.ts';
import { formatShape, sameShape } from '../../engine/basics/shape.ts';
import { type Compiled, compile } from '../../engine/compile.ts';
import { activeTrace } from '../../engine/graph/trace.ts';
import { type Tensor, tensor, tidy, upload } from '../../engine/tensor.ts';
import { Variable, variable } from '../../engine/variable.ts';
import { add, clamp, div, fullLike, grad, mul, reshape, sqrt, square, sum, where } from '../../kernels/index.ts';
import { pack } from '../../kernels/movement/pack.ts';
import { Gathered } from './gathered.ts';

/** Options of a single step. */
export interface UpdateOptions {
  /** Learning rate of this step, one element. Default: the optimizer's. */
  readonly lr?: Tensor;
  /** One element; if nonzero, nothing changes. */
  readonly skip?: Tensor;
}

/** State of one parameter, by the names of the optimizer's slots. */
export type ParameterState = Readonly<Record<string, Float32Array>>;

/** State to store. */
export interface OptimizerState {
  /** Steps so far. */
  readonly steps: number;
  /** In the order of the parameters. */
  readonly moments: readonly ParameterState[];
}

/** Limits of the gradients, for every optimizer. */
export interface ClippingOptions {
  /**
   * Largest L2 norm of all gradients together. Default: 0, no limit. Gradients are multiplied by
   * min(1, clipNorm / (norm + 1e-6)), like PyTorch's `clip_grad_norm_` (Pascanu et al. 2013, algorithm 1).
   */
  readonly clipNorm?: number;
  /** Each element of the gradients is clamped to ±clipValue, after `clipNorm`. Default: 0, no limit. */
  readonly clipValue?: number;
}

/** Added to a norm before dividing by it, as in PyTorch. */
const NORM_EPSILON = 1e-6;

/** The L2 norm of all gradients together, one element. NaN or infinite if a gradient is, or if the squares overflow. */
export const gradientNorm = (gradients: readonly Tensor[]): Tensor => reshape(sqrt(sum(square(pack(gradients)))), [1]);

/** An optimizer for a list of parameters. Its state is some numbers per element of the parameters, and the number of steps. */
export abstract class Optimizer implements Disposable {
  /** For messages: "Adam". */
  readonly label: string;
  /** What it updates, in the order of the gradients. */
  readonly parameters: readonly Variable[];
  /** The parameters in one buffer. */
  readonly gathered: Gathered;
  /** Number of steps, one element. */
  readonly steps: Variable;
  /** Largest L2 norm of the gradients; 0: no limit. */
  readonly clipNorm: number;
  /** Largest absolute value of the gradients; 0: no limit. */
  readonly clipValue: number;
  /** The learning rate on the GPU, from the first step on that uses it. */
  #rate: Variable | undefined;
  #lr: number;
  #eager: Compiled<readonly Tensor[], undefined> | undefined;

  constructor(
    label: string,
    parameters: readonly Variable[],
    { lr, clipNorm = 0, clipValue = 0 }: ClippingOptions & { readonly lr: number },
  ) {
    const [first] = parameters;
    if (!first) throw new DaybreakError(`${label}: expected at least one parameter, got none.`);
    if (new Set(parameters).size < parameters.length)
      throw new DaybreakError(`${label}: expected different parameters, got one twice.`);
    const taken = parameters.find(({ state }) => state.part);
    if (taken) throw new DaybreakError(`${label}: ${taken.name} belongs to another optimizer already.`);
    this.label = label;
    this.parameters = parameters;
    this.gathered = new Gathered(parameters, 'parameters');
    this.clipNorm = clipNorm;
    this.clipValue = clipValue;
    this.#lr = lr;
    this.steps = variable(Float32Array.of(0), [1], { device: first.device, name: 'steps', trainable: false });
  }

  /** In files: `adam`. */
  abstract readonly name: string;
  /** State per element in the layout of the gathered parameters, by name: `first`; and its name in files: `exp_avg`. */
  abstract readonly slots: Readonly<Record<string, { readonly values: Variable; readonly stored: string }>>;

  /** Records one step. `gradient`: packed. All other inputs have one element. */
  protected abstract record(gradient: Tensor, rate: Tensor, flag: Tensor): void;

  /** The learning rate. Setting it changes the next steps, of compiled functions too. */
  get lr(): number {
    return this.#lr;
  }

  set lr(lr: number) {
    this.#rate?.write(Float32Array.of(lr));
    this.#lr = lr;
  }

  /** Zeros in the layout of the parameters. */
  protected zeros(name: string): Variable {
    const { size, whole } = this.gathered;
    return variable(new Float32Array(size), [size], { device: whole.device, name, trainable: false });
  }

  /** Makes one step. `gradients` are in the order of the parameters. Inside `compile` the step becomes part of the program. */
  update(gradients: readonly Tensor[], options: UpdateOptions = {}): void {
    const { label } = this;
    if (gradients.length !== this.parameters.length)
      throw new DaybreakError(
        `${label}: expected ${this.parameters.length} gradients, one per parameter, got ${gradients.length}.`,
      );
    this.parameters.forEach(({ shape }, i) => {
      if (!sameShape(shape, gradients[i].shape))
        throw new ShapeError(
          label,
          `expected a gradient of shape ${formatShape(shape)} for parameter ${i}, got ${formatShape(gradients[i].shape)}.`,
        );
    });
    if (activeTrace()) {
      this.#record(gradients, options);
      return;
    }
    if (options.lr || options.skip)
      throw new DaybreakError(`${label}: lr and skip of update() can only be used inside compile().`);
    this.#eager ??= compile<readonly Tensor[], undefined>((...inputs) => {
      this.#record(inputs, {});
      return undefined;
    });
    this.#eager(...gradients);
  }

  /** Computes the gradients of `loss` (one element) and makes one step. */
  minimize(loss: Tensor, options: UpdateOptions = {}): void {
    tidy(() => {
      this.update(grad(loss, this.parameters), options);
    });
  }

  #record(gradients: readonly Tensor[], { lr, skip }: UpdateOptions): void {
    const rate = lr ?? this.#ownRate();
    const flag = skip ?? tensor([0]);
    this.record(this.#clipped(gradients), rate, flag);
    this.steps.assign(skip ? where(skip, this.steps, add(this.steps, 1)) : add(this.steps, 1));
  }

  #ownRate(): Variable {
    if (this.#rate) return this.#rate;
    const { device } = this.steps;
    // Not by `variable`, which refuses to run in a trace, where the first step may be.
    this.#rate = new Variable(device, 'learning rate', upload(device, 'learning rate', Float32Array.of(this.#lr), [1]));
    return this.#rate;
  }

  #clipped(gradients: readonly Tensor[]): Tensor {
    let whole = pack(gradients);
    if (this.clipNorm !== 0) {
      const factor = div(fullLike(this.steps, this.clipNorm), add(gradientNorm(gradients), NORM_EPSILON));
      whole = mul(whole, clamp(factor, 0, 1));
    }
    return this.clipValue === 0 ? whole : clamp(whole, -this.clipValue, this.clipValue);
  }

  /** Reads the state of each parameter and the number of steps from the GPU. */
  async state(): Promise<OptimizerState> {
    const slots = Object.entries(this.slots);
    const variables = [...slots.map(([, { values }]) => values), this.steps];
    const bytes = await this.steps.device.read(variables.map(({ storage }) => storage));
    const numbers = bytes.map(({ buffer }) => new Float32Array(buffer));
    const moments = this.parameters.map(({ size }, i) => {
      const offset = this.gathered.offset(i);
      return Object.fromEntries(slots.map(([name], k) => [name, numbers[k].slice(offset, offset + size)]));
    });
    return { steps: numbers.at(-1)![0], moments };
  }

  /** Restores the result of {@link state}. @throws DaybreakError if it does not fit; nothing has changed then. */
  load({ steps, moments }: OptimizerState): void {
    const { label } = this;
    const slots = Object.entries(this.slots);
    if (moments.length !== this.parameters.length)
      throw new DaybreakError(
        `${label}: expected moments of ${this.parameters.length} parameters, got ${moments.length}.`,
      );
    this.parameters.forEach(({ shape, size }, i) => {
      const lengths = slots.map(([name]) => moments[i][name]?.length ?? 0);
      if (lengths.some(length => length !== size))
        throw new DaybreakError(
          `${label}: expected moments of ${size} elements for parameter ${i} of shape ${formatShape(shape)}, got ${lengths.join(' and ')}.`,
        );
    });
    for (const [name, { values }] of slots) {
      const whole = new Float32Array(values.size);
      moments.forEach((moment, i) => {
        whole.set(moment[name], this.gathered.offset(i));
      });
      values.write(whole);
    }
    this.steps.write(Float32Array.of(steps));
  }

  /** Frees the state's memory. The parameters stay and can get another optimizer. */
  dispose(): void {
    this.#eager?.dispose();
    for (const { values } of Object.values(this.slots)) values.dispose();
    this.steps.dispose();
    this.#rate?.dispose();
    this.gathered.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

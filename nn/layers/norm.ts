/** Normalization. */
import { type Tensor, tidy } from '../../engine/tensor.ts';
import type { Variable } from '../../engine/variable.ts';
import { batchNorm, groupNorm, instanceNorm, layerNorm } from '../../kernels/index.ts';
import { batchNormTracking } from '../../kernels/networks/batch-norm.ts';
import { Module } from '../module.ts';
import { filled } from './weights.ts';

/**
 * Batch normalization of [N, C, H, W] with running statistics (Ioffe and Szegedy 2015): PyTorch's BatchNorm2d. In training
 * it uses the batch's statistics and tracks them, otherwise the running ones.
 */
export class BatchNorm2d extends Module {
  /** Factor of each channel, [C]; starts at 1. */
  readonly weight: Variable;
  /** Added to each channel, [C]; starts at 0. */
  readonly bias: Variable;
  /** Mean of each channel for evaluation, [C]. */
  readonly runningMean: Variable;
  /** Variance of each channel for evaluation, [C]. */
  readonly runningVar: Variable;
  readonly #eps: number;
  /** Weight of a batch's statistics in the running ones. */
  readonly momentum: number;

  /**
   * @param options.eps added to the variance; default 1e-5.
   * @param options.momentum weight of a batch's statistics in the running ones; default 0.1.
   */
  constructor(channels: number, { eps = 1e-5, momentum = 0.1 } = {}) {
    super();
    this.weight = filled([channels], 1, 'bn weight');
    this.bias = filled([channels], 0, 'bn bias');
    this.runningMean = filled([channels], 0, 'bn running_mean', false);
    this.runningVar = filled([channels], 1, 'bn running_var', false);
    this.#eps = eps;
    this.momentum = momentum;
  }

  forward(x: Tensor): Tensor {
    const { weight, bias, runningMean, runningVar } = this;
    if (!this.training) return batchNorm(x, weight, bias, runningMean, runningVar, this.#eps);
    const running = { mean: runningMean, variance: runningVar };
    return tidy(() => {
      const tracked = batchNormTracking(x, weight, bias, running, { eps: this.#eps, momentum: this.momentum });
      runningMean.assign(tracked.runningMean);
      runningVar.assign(tracked.runningVariance);
      return tracked.output;
    });
  }
}

/** Options of {@link LayerNorm}, {@link GroupNorm} and {@link InstanceNorm2d}. */
export interface NormOptions {
  /** Added to the variance. Default: 1e-5. */
  readonly eps?: number;
  /** Whether there are a weight, which starts with 1, and a bias, which starts with 0. */
  readonly affine?: boolean;
}

/** A norm with an optional weight and bias. */
abstract class AffineNorm extends Module {
  readonly weight: Variable | undefined;
  readonly bias: Variable | undefined;
  readonly #eps: number;

  constructor(shape: readonly number[], eps: number, affine: boolean, name: string) {
    super();
    this.weight = affine ? filled(shape, 1, `${name} weight`) : undefined;
    this.bias = affine ? filled(shape, 0, `${name} bias`) : undefined;
    this.#eps = eps;
  }

  protected get options() {
    const { weight, bias } = this;
    return { eps: this.#eps, ...(weight ? { weight } : {}), ...(bias ? { bias } : {}) };
  }
}

/** Layer normalization over the last axes (Ba et al. 2016): weight and bias have their shape unless `affine: false`. */
export class LayerNorm extends AffineNorm {
  readonly #shape: readonly number[];

  /** @param shape sizes of the last axes, or the size of the last one. */
  constructor(shape: number | readonly number[], { eps = 1e-5, affine = true }: NormOptions = {}) {
    const axes = typeof shape === 'number' ? [shape] : shape;
    super(axes, eps, affine, 'layer norm');
    this.#shape = axes;
  }

  forward(x: Tensor): Tensor {
    return layerNorm(x, this.#shape, this.options);
  }
}

/** Group normalization of [N, C, …] (Wu and He 2018): weight and bias are [C] unless `affine: false`. */
export class GroupNorm extends AffineNorm {
  readonly #groups: number;

  constructor(groups: number, channels: number, { eps = 1e-5, affine = true }: NormOptions = {}) {
    super([channels], eps, affine, 'group norm');
    this.#groups = groups;
  }

  forward(x: Tensor): Tensor {
    return groupNorm(x, this.#groups, this.options);
  }
}

/** Instance normalization of [N, C, H, W] (Ulyanov et al. 2016): no weight and bias unless `affine: true`. */
export class InstanceNorm2d extends AffineNorm {
  constructor(channels: number, { eps = 1e-5, affine = false }: NormOptions = {}) {
    super([channels], eps, affine, 'instance norm');
  }

  forward(x: Tensor): Tensor {
    return instanceNorm(x, this.options);
  }
}

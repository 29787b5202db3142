/** Sub-pixel convolution. */
import { type Tensor, tidy } from '../../engine/tensor.ts';
import { pixelShuffle } from '../../kernels/index.ts';
import { Module } from '../module.ts';
import { PReLU } from './activation.ts';
import { Conv2d } from './conv.ts';
import type { WeightsOptions } from './weights.ts';

/** Options of {@link SubPixel}. */
export interface SubPixelOptions extends Pick<WeightsOptions, 'random'> {
  /** Slopes of the PReLU: one per channel (default) or 1. */
  readonly slopes?: number;
  /**
   * The four channels that the shuffle merges into one start with equal weights (ICNR, Aitken et al. 2017), so the initial
   * output is that of a convolution enlarged by nearest neighbour, without a checkerboard.
   */
  readonly icnr?: boolean;
}

/** Doubles the size: convolution to four times the channels, pixel shuffle, PReLU (Shi et al. 2016). */
export class SubPixel extends Module {
  /** To four times the channels, 3x3. */
  readonly conv: Conv2d;
  /** After the shuffle. */
  readonly prelu: PReLU;

  constructor(channels: number, { slopes = channels, icnr = false, random }: SubPixelOptions = {}) {
    super();
    this.conv = new Conv2d(channels, 4 * channels, 3, { padding: 1, random, alike: icnr ? 4 : 1 });
    this.prelu = new PReLU(slopes);
  }

  forward(x: Tensor): Tensor {
    return tidy(() => this.prelu.forward(pixelShuffle(this.conv.forward(x), 2)));
  }
}

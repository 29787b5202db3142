/** The losses of Ledig et al. (2017), equations 2 to 6, on images in [-1, 1] and on logits of the discriminator. */
import { type Tensor, tidy } from '../engine/tensor.ts';
import {
  add,
  bceWithLogits,
  div,
  fullLike,
  l1Loss,
  mean,
  mseLoss,
  mul,
  square,
  sub,
  totalVariation,
} from '../kernels/index.ts';
import { VGG_RESCALE } from './variants.ts';

/** A term of the generator's loss that compares pictures. */
export interface ContentTerm {
  /** What metrics call it: mse, l1, vgg54, tv. */
  readonly name: string;
  /** What it is multiplied by in the generator's loss; reports have it without. */
  readonly weight: number;
  /** SR and HR [N, 3, H, W] in [-1, 1] to a scalar. */
  readonly loss: (sr: Tensor, hr: Tensor) => Tensor;
}

/** Equation 4: the mean squared error over all pixels and channels. */
export const contentMse = (weight = 1): ContentTerm => ({ name: 'mse', weight, loss: mseLoss });

/**
 * The mean absolute difference over all pixels and channels, instead of equation 4 (Zhao, Gallo, Frosio and Kautz 2017,
 * "Loss Functions for Image Restoration With Neural Networks"). Its gradient is 0 where pixels are equal.
 */
export const contentL1 = (weight = 1): ContentTerm => ({ name: 'l1', weight, loss: l1Loss });

/** Features of a loss network, as `VGG19` gives them: φ(i,j) of a batch in [-1, 1]. */
export interface FeatureNetwork {
  phi(image: Tensor, i: number, j: number): Tensor;
  /** Half the range that the network's weights are used to. */
  readonly featureScale: number;
}

/**
 * What the sum of equation 5 is divided by: `mean` by all elements, as mean squared errors are; `area` by W·H alone, the
 * equation to the letter, which adds channels up and so is 128 (φ2,2) or 512 times larger (φ5,4).
 */
export type VggDivisor = 'mean' | 'area';

export interface VggTermOptions {
  /** The paper's i: the layer lies before the i-th max pool. */
  readonly i: number;
  /** The paper's j: the j-th convolution there. */
  readonly j: number;
  readonly weight?: number;
  /** What features are multiplied by; the paper's 1/12.75 ("rescaled by a factor of 1/12.75", §3.2). */
  readonly rescale?: number;
  /** What features are divided by before, so that they are as of images in [-1, 1]; default: the network's `featureScale`. */
  readonly scale?: number;
  readonly divisor?: VggDivisor;
}

/** Equation 5: the squared distance of rescaled features φ(i,j). */
export function vggTerm(
  vgg: FeatureNetwork,
  { i, j, weight = 1, rescale = VGG_RESCALE, scale = vgg.featureScale, divisor = 'mean' }: VggTermOptions,
): ContentTerm {
  const factor = (rescale / scale) ** 2;
  return {
    name: `vgg${i}${j}`,
    weight,
    loss(sr, hr) {
      return tidy(() => {
        const [of, wanted] = [vgg.phi(sr, i, j), vgg.phi(hr, i, j)];
        const channels = divisor === 'area' ? of.shape[1] : 1;
        return mul(mean(square(sub(of, wanted))), factor * channels);
      });
    },
  };
}

/** Total variation (§3.4: weight 2·10⁻⁸): absolute differences of neighbours, summed over an image, mean of the batch. */
export const variationTerm = (weight = 2e-8): ContentTerm => ({
  name: 'tv',
  weight,
  loss: sr => tidy(() => div(totalVariation(sr), sr.shape[0])),
});

/** Equation 6 as a mean over the batch: −log D(G(I^LR)), on logits. */
export const adversarialLoss = (fake: Tensor): Tensor => tidy(() => bceWithLogits(fake, fullLike(fake, 1)));

/** What D minimises for equation 2: −log D(I^HR) − log(1 − D(G(I^LR))), each a mean, on logits. No label smoothing. */
export const discriminatorLoss = (real: Tensor, fake: Tensor): Tensor =>
  tidy(() => add(bceWithLogits(real, fullLike(real, 1)), bceWithLogits(fake, fullLike(fake, 0))));

/** The losses of Ledig et al. (2017), equations 2 to 6, for images in [-1, 1] and logits of the discriminator. */
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

/** A term of the generator's content loss. */
export interface ContentTerm {
  /** Name in the metrics: mse, l1, vgg54, tv. */
  readonly name: string;
  /** Factor in the generator's loss. Logged terms do not include it. */
  readonly weight: number;
  /** Maps SR and HR [N, 3, H, W] in [-1, 1] to a scalar. */
  readonly loss: (sr: Tensor, hr: Tensor) => Tensor;
}

/** Equation 4: the mean squared error over all pixels and channels. */
export const contentMse = (weight = 1): ContentTerm => ({ name: 'mse', weight, loss: mseLoss });

/** Half the squared error, summed over each image and averaged over the batch: Caffe's Euclidean loss. */
export const contentSquares = (weight = 1): ContentTerm => ({
  name: 'squares',
  weight,
  loss: (sr, hr) => tidy(() => mul(mseLoss(sr, hr), (sr.size / sr.shape[0]) * 0.5)),
});

/**
 * The mean absolute difference over all pixels and channels, instead of equation 4 (Zhao, Gallo, Frosio and Kautz 2017,
 * "Loss Functions for Image Restoration With Neural Networks"). Its gradient is 0 where pixels are equal.
 */
export const contentL1 = (weight = 1): ContentTerm => ({ name: 'l1', weight, loss: l1Loss });

/** A loss network such as `VGG19`: computes φ(i,j) of a batch in [-1, 1]. */
export interface FeatureNetwork {
  /** Features of RGB images [N, 3, H, W] in [-1, 1]: φᵢⱼ of the paper, after the activation of convolution j of stage i. */
  phi(image: Tensor, i: number, j: number): Tensor;
  /** Half the input range that the network's weights were trained with. */
  readonly featureScale: number;
}

/**
 * Divisor of the sum in equation 5. `mean`: the number of elements, as in a mean squared error. `area`: W·H, as the equation
 * is written, which sums over channels and is 128 (φ2,2) to 512 (φ5,4) times larger.
 */
export type VggDivisor = 'mean' | 'area';

/** Options of {@link vggTerm}. */
export interface VggTermOptions {
  /** The paper's i: the layer lies before the i-th max pool. */
  readonly i: number;
  /** The paper's j: the j-th convolution there. */
  readonly j: number;
  /** Factor of the term in the loss. Default: 1. */
  readonly weight?: number;
  /** Factor of the features. Default: the paper's 1/12.75 ("rescaled by a factor of 1/12.75", §3.2). */
  readonly rescale?: number;
  /** Divisor of the features, applied first, which makes them features of images in [-1, 1]. Default: `featureScale`. */
  readonly scale?: number;
  /** Divisor of the sum of squares. Default: `mean`. */
  readonly divisor?: VggDivisor;
}

/** Equation 5: the squared distance between rescaled features φ(i,j). */
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
        const [actual, target] = [vgg.phi(sr, i, j), vgg.phi(hr, i, j)];
        const channels = divisor === 'area' ? actual.shape[1] : 1;
        return mul(mean(square(sub(actual, target))), factor * channels);
      });
    },
  };
}

/** Total variation (§3.4: weight 2·10⁻⁸): absolute differences of neighbours, summed over each image, mean over the batch. */
export const variationTerm = (weight = 2e-8): ContentTerm => ({
  name: 'tv',
  weight,
  loss: sr => tidy(() => div(totalVariation(sr), sr.shape[0])),
});

/** Equation 6 as a mean over the batch: −log D(G(I^LR)), from logits. */
export const adversarialLoss = (fake: Tensor): Tensor => tidy(() => bceWithLogits(fake, fullLike(fake, 1)));

/** The discriminator's loss, from equation 2: −log D(I^HR) − log(1 − D(G(I^LR))), means over the batch, from logits. No label smoothing. */
export const discriminatorLoss = (real: Tensor, fake: Tensor): Tensor =>
  tidy(() => add(bceWithLogits(real, fullLike(real, 1)), bceWithLogits(fake, fullLike(fake, 0))));

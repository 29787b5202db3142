/**
 * Trainable variants, named as in Ledig et al. (2017): table 1's SRResNet-MSE … SRGAN-VGG54, the other layers of VGG19, and
 * the sum of all losses that slides and tensorlayer's srgan use.
 */

import type { UpscalingNetwork } from '../models/network.ts';
import { UPSCALERS } from '../models/networks.ts';
import { srresnetNetwork } from '../models/srresnet.ts';

/** φ(i,j): the activation after the j-th convolution before the i-th max pooling layer of VGG19. */
export interface VggLayer {
  /** Its stage, from 1: the number of max pools before it, plus 1. */
  readonly i: number;
  /** Its number within the stage, from 1. */
  readonly j: number;
}

/** §3.2: "rescaled by a factor of 1/12.75". */
export const VGG_RESCALE = 1 / 12.75;
/** Equation 3. */
export const ADVERSARIAL_WEIGHT = 1e-3;

export interface Variant {
  /** Argument of `daybreak train`: "srgan-vgg54". */
  readonly name: string;
  /** Second name: the paper's short one ("srgan"), or one that names the default layer ("srgan-slides-vgg44"). */
  readonly alias: string | undefined;
  /** Name in the paper's tables: "SRGAN-VGG22". */
  readonly label: string;
  /** The network that is trained. */
  readonly network: UpscalingNetwork;
  /** Whether it is trained against a discriminator. */
  readonly adversarial: boolean;
  /** Whether the loss includes the mean squared error. */
  readonly mse: boolean;
  /** The layer of VGG19 in the loss, if any. */
  readonly vgg: VggLayer | undefined;
  /** Whether the loss is the slides' sum: mse + 2·10⁻⁶ vgg + 10⁻³ adversarial, with VGG features of images in 0…255. */
  readonly slides: boolean;
  /** Default factor of the features. */
  readonly rescale: number;
  /** Default weight of the total variation; 0: no such term. */
  readonly variation: number;
  /** One-line description. */
  readonly summary: string;
}

/** §3.4: only SRResNet-VGG22 has a total variation term. */
const VARIATION = 2e-8;

const layerName = ({ i, j }: VggLayer): string => `vgg${i}${j}`;
/** All φ(i,j) of VGG19. Listed here so that names do not need the network. */
const LAYERS: readonly VggLayer[] = [2, 2, 4, 4, 4].flatMap((convolutions, stage) =>
  Array.from({ length: convolutions }, (_, j) => ({ i: stage + 1, j: j + 1 })),
);

const mseVariant = (family: 'srresnet' | 'srgan'): Variant => {
  const adversarial = family === 'srgan';
  return {
    name: `${family}-mse`,
    alias: adversarial ? undefined : 'srresnet',
    label: adversarial ? 'SRGAN-MSE' : 'SRResNet',
    network: srresnetNetwork,
    adversarial,
    mse: true,
    vgg: undefined,
    slides: false,
    rescale: VGG_RESCALE,
    variation: 0,
    summary: adversarial
      ? 'mean squared error and a discriminator'
      : 'SRResNet with the mean squared error; SRGAN starts from it',
  };
};

function vggVariant(family: 'srresnet' | 'srgan', layer: VggLayer): Variant {
  const adversarial = family === 'srgan';
  const suffix = layerName(layer);
  const isPaper = adversarial && suffix === 'vgg54';
  return {
    name: `${family}-${suffix}`,
    alias: isPaper ? 'srgan' : undefined,
    label: isPaper ? 'SRGAN' : `${adversarial ? 'SRGAN' : 'SRResNet'}-${suffix.toUpperCase()}`,
    network: srresnetNetwork,
    adversarial,
    mse: false,
    vgg: layer,
    slides: false,
    rescale: VGG_RESCALE,
    variation: !adversarial && suffix === 'vgg22' ? VARIATION : 0,
    summary: `features φ(${layer.i},${layer.j}) of VGG19${adversarial ? ' and a discriminator' : ' instead'}`,
  };
}

/** The slides use the output of the 4th max pooling layer; φ(4,4) is its input. */
const SLIDES: VggLayer = { i: 4, j: 4 };

function slidesVariant(layer: VggLayer): Variant {
  const isDefault = layer.i === SLIDES.i && layer.j === SLIDES.j;
  return {
    name: isDefault ? 'srgan-slides' : `srgan-slides-${layerName(layer)}`,
    alias: isDefault ? `srgan-slides-${layerName(layer)}` : undefined,
    label: isDefault ? 'SRGAN (slides)' : `SRGAN (slides, ${layerName(layer).toUpperCase()})`,
    network: srresnetNetwork,
    adversarial: true,
    mse: true,
    vgg: layer,
    slides: true,
    rescale: 1,
    variation: 0,
    summary: `mse + 2e-6 · features φ(${layer.i},${layer.j}) of 0…255 + 1e-3 · adversarial`,
  };
}

/** Another network with the recipe of its declaration. */
const recipeVariant = (network: UpscalingNetwork): Variant => ({
  name: network.name,
  alias: undefined,
  label: network.label,
  network,
  adversarial: false,
  mse: true,
  vgg: undefined,
  slides: false,
  rescale: VGG_RESCALE,
  variation: 0,
  summary: `${network.label} with the squared error, as in its paper`,
});

/** Networks that are compared with SRResNet. */
const OTHERS = UPSCALERS.filter(network => network !== srresnetNetwork).map(recipeVariant);

/** All variants, in each family the paper's first. */
export const VARIANTS: readonly Variant[] = [
  mseVariant('srresnet'),
  ...LAYERS.map(layer => vggVariant('srresnet', layer)),
  mseVariant('srgan'),
  ...LAYERS.map(layer => vggVariant('srgan', layer)),
  ...LAYERS.map(slidesVariant),
  ...OTHERS,
];

/** Names shown in lists. The others follow their pattern. */
const SHOWN = ['srresnet-mse', 'srresnet-vgg22', 'srgan-mse', 'srgan-vgg22', 'srgan-vgg54', 'srgan-slides'];

/** The variants of the paper's table 1, the slides' sum, and the other networks. */
export const SHOWN_VARIANTS: readonly Variant[] = [
  ...SHOWN.map(name => VARIANTS.find(variant => variant.name === name)!),
  ...OTHERS,
];

/** For error messages. */
export const VARIANT_NAMES =
  'srresnet-mse (or srresnet), srresnet-vgg22, srgan-mse, srgan-vgg22, srgan-vgg54 (or srgan), srgan-slides, ' +
  `${OTHERS.map(({ name }) => name).join(', ')}, or another -vggIJ from vgg11 to vgg54`;

/** Finds a variant by name or alias. */
export function variantOf(name: string): Variant | undefined {
  return VARIANTS.find(variant => variant.name === name || variant.alias === name);
}

/** The shorter of a variant's names, for command lines. */
export function shortName({ name, alias }: Variant): string {
  return alias !== undefined && alias.length < name.length ? alias : name;
}

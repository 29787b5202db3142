/**
 * What can be trained, by the names of Ledig et al. (2017): table 1's SRResNet-MSE … SRGAN-VGG54, the layers of VGG19
 * that it does not try, and the sum of all losses that circulates in slides and in tensorlayer's srgan.
 */

/** φ(i,j): after the activation of the j-th convolution before the i-th max pool of VGG19. */
export interface VggPlace {
  readonly i: number;
  readonly j: number;
}

/** §3.2: "rescaled by a factor of 1/12.75". */
export const VGG_RESCALE = 1 / 12.75;
/** Equation 3. */
export const ADVERSARIAL_WEIGHT = 1e-3;

export interface Variant {
  /** As an argument of `daybreak train`: "srgan-vgg54". */
  readonly name: string;
  /** Another name: the paper's shorter one ("srgan"), or with the layer that is usual ("srgan-slides-vgg44"). */
  readonly alias: string | undefined;
  /** As in the paper's tables: "SRGAN-VGG22". */
  readonly label: string;
  /** Trained against a discriminator. */
  readonly adversarial: boolean;
  /** Whether the mean squared error is a part of the loss. */
  readonly mse: boolean;
  /** The features that are a part of the loss. */
  readonly vgg: VggPlace | undefined;
  /** The weighted sum of the slides: mse + 2·10⁻⁶ vgg + 10⁻³ adversarial, on VGG features of 0…255. */
  readonly slides: boolean;
  /** What features are multiplied by where nothing else is said. */
  readonly rescale: number;
  /** Weight of the total variation where nothing else is said; 0: no such term. */
  readonly variation: number;
  /** One line for lists. */
  readonly summary: string;
}

/** §3.4: SRResNet-VGG22 alone has a total variation term. */
const VARIATION = 2e-8;

const placeName = ({ i, j }: VggPlace): string => `vgg${i}${j}`;
/** Convolutions of VGG19 before each max pool. Not taken from the network: names should not wait for an engine. */
const PLACES: readonly VggPlace[] = [2, 2, 4, 4, 4].flatMap((convolutions, stage) =>
  Array.from({ length: convolutions }, (_, j) => ({ i: stage + 1, j: j + 1 })),
);

const mseVariant = (family: 'srresnet' | 'srgan'): Variant => {
  const adversarial = family === 'srgan';
  return {
    name: `${family}-mse`,
    alias: adversarial ? undefined : 'srresnet',
    label: adversarial ? 'SRGAN-MSE' : 'SRResNet',
    adversarial,
    mse: true,
    vgg: undefined,
    slides: false,
    rescale: VGG_RESCALE,
    variation: 0,
    summary: adversarial
      ? 'mean squared error and a discriminator'
      : 'SRResNet on the mean squared error: where SRGAN starts from',
  };
};

function vggVariant(family: 'srresnet' | 'srgan', place: VggPlace): Variant {
  const adversarial = family === 'srgan';
  const layer = placeName(place);
  const whole = adversarial && layer === 'vgg54';
  return {
    name: `${family}-${layer}`,
    alias: whole ? 'srgan' : undefined,
    label: whole ? 'SRGAN' : `${adversarial ? 'SRGAN' : 'SRResNet'}-${layer.toUpperCase()}`,
    adversarial,
    mse: false,
    vgg: place,
    slides: false,
    rescale: VGG_RESCALE,
    variation: !adversarial && layer === 'vgg22' ? VARIATION : 0,
    summary: `features φ(${place.i},${place.j}) of VGG19${adversarial ? ' and a discriminator' : ' instead'}`,
  };
}

/** The slides take what the 4th max pool gives; φ(4,4) is what lies before it. */
const SLIDES: VggPlace = { i: 4, j: 4 };

function slidesVariant(place: VggPlace): Variant {
  const usual = place.i === SLIDES.i && place.j === SLIDES.j;
  return {
    name: usual ? 'srgan-slides' : `srgan-slides-${placeName(place)}`,
    alias: usual ? `srgan-slides-${placeName(place)}` : undefined,
    label: usual ? 'SRGAN (slides)' : `SRGAN (slides, ${placeName(place).toUpperCase()})`,
    adversarial: true,
    mse: true,
    vgg: place,
    slides: true,
    rescale: 1,
    variation: 0,
    summary: `mse + 2e-6 · features φ(${place.i},${place.j}) of 0…255 + 1e-3 · adversarial`,
  };
}

/** All of them, those of the paper first in each family. */
export const VARIANTS: readonly Variant[] = [
  mseVariant('srresnet'),
  ...PLACES.map(place => vggVariant('srresnet', place)),
  mseVariant('srgan'),
  ...PLACES.map(place => vggVariant('srgan', place)),
  ...PLACES.map(slidesVariant),
];

/** Names that lists show; the others follow their pattern. */
const SHOWN = ['srresnet-mse', 'srresnet-vgg22', 'srgan-mse', 'srgan-vgg22', 'srgan-vgg54', 'srgan-slides'];

/** The variants of the paper's table 1, and that of the slides. */
export const SHOWN_VARIANTS: readonly Variant[] = SHOWN.map(name => VARIANTS.find(variant => variant.name === name)!);

/** For error messages. */
export const VARIANT_NAMES =
  'srresnet-mse (or srresnet), srresnet-vgg22, srgan-mse, srgan-vgg22, srgan-vgg54 (or srgan), srgan-slides, ' +
  'or another -vggIJ from vgg11 to vgg54';

/** The variant of a name or an alias; undefined where there is none. */
export function variantOf(name: string): Variant | undefined {
  return VARIANTS.find(variant => variant.name === name || variant.alias === name);
}

/** What a command line calls a variant: its alias where that is shorter. */
export function shortName({ name, alias }: Variant): string {
  return alias !== undefined && alias.length < name.length ? alias : name;
}

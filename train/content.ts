/** The terms of a variant's content loss, with the numbers that a configuration gives them. */
import type { VGG19 } from '../models/vgg19.ts';
import { VGG_INPUTS, type VggNormalization } from '../models/vgg19-input.ts';
import { ConfigError } from './errors.ts';
import {
  type ContentTerm,
  contentL1,
  contentMse,
  type FeatureNetwork,
  type VggDivisor,
  variationTerm,
  vggTerm,
} from './loss-terms.ts';
import { type Variant, VGG_RESCALE, type VggPlace } from './variants.ts';

/** Numbers of the content loss that differ from the variant's own. */
export interface ContentOptions {
  /** What the pixels' difference is measured by; default mse. */
  readonly pixelLoss?: 'mse' | 'l1' | undefined;
  /** What features are multiplied by; default 1/12.75 (§3.2), 1 for the slides' sum. */
  readonly vggRescale?: number | undefined;
  /** What features are divided by before; default: what makes them as of images in [-1, 1] (0…255 for the slides' sum). */
  readonly vggScale?: number | undefined;
  readonly vggDivisor?: VggDivisor | undefined;
  /** Weight of the total variation; 0: no such term. */
  readonly tvWeight?: number | undefined;
}

/** Weight of the VGG term in the slides' sum. */
const SLIDES_WEIGHT = 2e-6;
/** Half the range of the images whose features the slides' sum was tuned for. */
const SLIDES_RANGE = 127.5;

/** Features over `scale`, times `rescale`. */
export interface VggFactors {
  readonly place: VggPlace;
  readonly weight: number;
  readonly rescale: number;
  readonly scale: number;
  readonly divisor: VggDivisor;
}

/** How the VGG term of a variant is computed; undefined where it has none. */
export function vggFactors(
  { vgg: place, slides, rescale }: Variant,
  { featureScale }: Pick<FeatureNetwork, 'featureScale'>,
  { vggRescale, vggScale, vggDivisor = 'mean' }: ContentOptions = {},
): VggFactors | undefined {
  if (!place) return undefined;
  return {
    place,
    weight: slides ? SLIDES_WEIGHT : 1,
    rescale: vggRescale ?? rescale,
    scale: vggScale ?? (slides ? featureScale / SLIDES_RANGE : featureScale),
    divisor: vggDivisor,
  };
}

/**
 * The terms of equation 3's l_X. `vgg` is the loss network where the variant has one.
 * @throws ConfigError where a variant's loss network is missing.
 */
export function contentOf(variant: Variant, vgg: FeatureNetwork | undefined, options: ContentOptions = {}) {
  const terms: ContentTerm[] = [];
  if (variant.mse) terms.push(options.pixelLoss === 'l1' ? contentL1() : contentMse());
  if (variant.vgg) {
    if (!vgg) throw new ConfigError(`${variant.name} needs a VGG19.`, 'vgg');
    const { place, ...factors } = vggFactors(variant, vgg, options)!;
    terms.push(vggTerm(vgg, { ...place, ...factors }));
  }
  const variation = options.tvWeight ?? variant.variation;
  if (variation > 0) terms.push(variationTerm(variation));
  return terms;
}

/**
 * "vgg54: features × 1/12.75 / 127.5 (range of the weights' input), squared, mean over all elements; input caffe, padding
 * zeros (assumed, the file does not say)".
 */
export function explained(
  { place, weight, rescale, scale, divisor }: VggFactors,
  { featureScale, input, paddingMode, assumed }: Pick<VGG19, 'featureScale' | 'input' | 'paddingMode' | 'assumed'>,
): string {
  const figure = (value: number) => String(Number(value.toPrecision(6)));
  const times = rescale === 1 ? '' : ` × ${rescale === VGG_RESCALE ? '1/12.75' : figure(rescale)}`;
  const over = scale === 1 ? '' : ` / ${figure(scale)}`;
  const why = scale === featureScale && scale !== 1 ? " (range of the weights' input)" : '';
  const mean = divisor === 'mean' ? 'mean over all elements' : 'sum over channels, mean over positions (W·H)';
  const loss = weight === 1 ? '' : `, times ${weight.toExponential().replace('e+', 'e')}`;
  const since = (isAssumed: boolean) => (isAssumed ? ' (assumed, the file does not say)' : '');
  const taken = `input ${inputName(input)}${since(assumed.input)}, padding ${paddingMode}${since(assumed.padding)}`;
  return `vgg${place.i}${place.j}: features${times}${over}${why}, squared, ${mean}${loss}; ${taken}`;
}

/** The convention's name, or its numbers. */
function inputName(input: VggNormalization): string {
  const { max, mean, std } = input;
  const text = ({ max, mean, std }: VggNormalization) => JSON.stringify([max, mean, std]);
  const named = Object.entries(VGG_INPUTS).find(([, one]) => text(one) === text(input));
  return named?.[0] ?? `0…${max} minus ${mean.join(', ')} over ${std.join(', ')}`;
}

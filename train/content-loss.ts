/** The content loss of a variant, with the options of a configuration. */
import type { VGG19 } from '../models/vgg19.ts';
import { VGG_INPUTS, type VggNormalization } from '../models/vgg19-input.ts';
import { ConfigError } from './errors.ts';
import {
  type ContentTerm,
  contentL1,
  contentMse,
  contentSquares,
  type FeatureNetwork,
  type VggDivisor,
  variationTerm,
  vggTerm,
} from './loss-terms.ts';
import { type Variant, VGG_RESCALE, type VggLayer } from './variants.ts';

/** Options that override the variant's content loss. */
export interface ContentOptions {
  /** Pixel loss. Default: mse. */
  readonly pixelLoss?: 'mse' | 'l1' | undefined;
  /** Factor of the features. Default: 1/12.75 (§3.2), 1 for the slides' sum. */
  readonly vggRescale?: number | undefined;
  /** Divisor of the features, applied first. Default: makes them features of images in [-1, 1] (0…255 for the slides' sum). */
  readonly vggScale?: number | undefined;
  readonly vggDivisor?: VggDivisor | undefined;
  /** Weight of the total variation; 0: no such term. */
  readonly tvWeight?: number | undefined;
}

/** Weight of the VGG term in the slides' sum. */
const SLIDES_WEIGHT = 2e-6;
/** Half the image range that the slides' weights were tuned for. */
const SLIDES_RANGE = 127.5;

/** The VGG term: features / `scale` · `rescale`. */
export interface VggFactors {
  readonly layer: VggLayer;
  readonly weight: number;
  readonly rescale: number;
  readonly scale: number;
  readonly divisor: VggDivisor;
}

/** How the VGG term of a variant is computed; undefined if it has none. */
export function vggFactors(
  { vgg: layer, slides, rescale }: Variant,
  { featureScale }: Pick<FeatureNetwork, 'featureScale'>,
  { vggRescale, vggScale, vggDivisor = 'mean' }: ContentOptions = {},
): VggFactors | undefined {
  if (!layer) return undefined;
  return {
    layer,
    weight: slides ? SLIDES_WEIGHT : 1,
    rescale: vggRescale ?? rescale,
    scale: vggScale ?? (slides ? featureScale / SLIDES_RANGE : featureScale),
    divisor: vggDivisor,
  };
}

/**
 * The terms of l_X in equation 3.
 * @param vgg the loss network, if the variant has one.
 * @throws ConfigError if the loss network is missing.
 */
export function contentTerms(variant: Variant, vgg: FeatureNetwork | undefined, options: ContentOptions = {}) {
  const terms: ContentTerm[] = [];
  if (variant.network.recipe.summed) terms.push(contentSquares());
  else if (variant.mse) terms.push(options.pixelLoss === 'l1' ? contentL1() : contentMse());
  if (variant.vgg) {
    if (!vgg) throw new ConfigError(`--vgg: missing; ${variant.name} needs the weights of VGG19`, 'vgg');
    const { layer, ...factors } = vggFactors(variant, vgg, options)!;
    terms.push(vggTerm(vgg, { ...layer, ...factors }));
  }
  const variation = options.tvWeight ?? variant.variation;
  if (variation > 0) terms.push(variationTerm(variation));
  return terms;
}

/**
 * Describes the VGG term: "vgg54: features × 1/12.75 / 127.5 (range of the weights' input), squared, mean over all elements;
 * input caffe, padding zeros (assumed, the file does not say)".
 */
export function describeVggTerm(
  { layer, weight, rescale, scale, divisor }: VggFactors,
  { featureScale, input, paddingMode, assumed }: Pick<VGG19, 'featureScale' | 'input' | 'paddingMode' | 'assumed'>,
): string {
  const figure = (value: number) => String(Number(value.toPrecision(6)));
  const times = rescale === 1 ? '' : ` × ${rescale === VGG_RESCALE ? '1/12.75' : figure(rescale)}`;
  const over = scale === 1 ? '' : ` / ${figure(scale)}`;
  const why = scale === featureScale && scale !== 1 ? " (range of the weights' input)" : '';
  const mean = divisor === 'mean' ? 'mean over all elements' : 'sum over channels, mean over positions (W·H)';
  const loss = weight === 1 ? '' : `, times ${weight.toExponential().replace('e+', 'e')}`;
  const source = (isAssumed: boolean) => (isAssumed ? ' (assumed, the file does not say)' : '');
  const weights = `input ${inputName(input)}${source(assumed.input)}, padding ${paddingMode}${source(assumed.padding)}`;
  return `vgg${layer.i}${layer.j}: features${times}${over}${why}, squared, ${mean}${loss}; ${weights}`;
}

/** Name of the input convention, or its numbers. */
function inputName(input: VggNormalization): string {
  const { max, mean, std } = input;
  const text = ({ max, mean, std }: VggNormalization) => JSON.stringify([max, mean, std]);
  const named = Object.entries(VGG_INPUTS).find(([, one]) => text(one) === text(input));
  return named?.[0] ?? `0…${max} minus ${mean.join(', ')} over ${std.join(', ')}`;
}

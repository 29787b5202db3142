import { describe, expect, test } from 'vitest';
import { UPSCALERS } from '../../models/networks.ts';
import type { VggAssumptions } from '../../models/vgg19.ts';
import { VGG19_LAYERS } from '../../models/vgg19.ts';
import { VGG_INPUTS, type VggNormalization } from '../../models/vgg19-input.ts';
import { contentTerms, describeVggTerm, vggFactors } from '../../train/content-loss.ts';
import { ConfigError } from '../../train/errors.ts';
import type { FeatureNetwork } from '../../train/loss-terms.ts';
import { SHOWN_VARIANTS, shortName, VARIANT_NAMES, VARIANTS, variantOf } from '../../train/variants.ts';

const network = (featureScale: number): FeatureNetwork => ({
  featureScale,
  phi: () => {
    throw new Error('only its scale is asked for here');
  },
});
const CAFFE = network(127.5);
const of = (name: string) => variantOf(name)!;
/** Names and weights of the terms of a variant's content loss. */
const termsOf = (name: string, options = {}) =>
  contentTerms(of(name), CAFFE, options).map(({ name: term, weight }) => [term, weight]);

describe('names', () => {
  test('are those of the paper, for every layer of VGG19', () => {
    for (const { i, j } of VGG19_LAYERS)
      for (const family of ['srresnet', 'srgan', 'srgan-slides'])
        expect(of(`${family}-vgg${i}${j}`)).toMatchObject({ vgg: { i, j }, adversarial: family !== 'srresnet' });
    expect(VARIANTS).toHaveLength(2 + 3 * VGG19_LAYERS.length + UPSCALERS.length - 1);
    const all = VARIANTS.flatMap(({ name, alias }) => [name, alias ?? name]);
    expect(new Set(all).size).toBe(new Set(VARIANTS.map(({ name }) => name)).size + 3);
  });

  test('have the aliases of the paper', () => {
    expect(of('srresnet')).toBe(of('srresnet-mse'));
    expect(of('srgan')).toBe(of('srgan-vgg54'));
    expect(of('srgan-slides-vgg44')).toBe(of('srgan-slides'));
    const shorts = ['srresnet-mse', 'srgan-vgg54', 'srgan-slides', 'srgan-vgg22'].map(name => shortName(of(name)));
    expect(shorts).toEqual(['srresnet', 'srgan', 'srgan-slides', 'srgan-vgg22']);
  });

  test.each(['', 'srgan-vgg', 'srgan-vgg23', 'srgan-vgg60', 'SRGAN', 'mse', 'constructor'])(
    '%j is not a name',
    name => {
      expect(variantOf(name)).toBeUndefined();
    },
  );

  test('errors list all shown variants', () => {
    for (const { name } of SHOWN_VARIANTS) expect(VARIANT_NAMES).toContain(name);
    expect(SHOWN_VARIANTS.map(({ label }) => label)).toEqual([
      'SRResNet',
      'SRResNet-VGG22',
      'SRGAN-MSE',
      'SRGAN-VGG22',
      'SRGAN',
      'SRGAN (slides)',
      ...UPSCALERS.slice(1).map(({ label }) => label),
    ]);
  });
});

describe('the content loss', () => {
  test('has the terms of table 1 and of the slides; only SRResNet-VGG22 has total variation', () => {
    expect(termsOf('srresnet')).toEqual([['mse', 1]]);
    expect(termsOf('srresnet-vgg22')).toEqual([
      ['vgg22', 1],
      ['tv', 2e-8],
    ]);
    expect(termsOf('srresnet-vgg34')).toEqual([['vgg34', 1]]);
    expect(termsOf('srgan-mse')).toEqual([['mse', 1]]);
    expect(termsOf('srgan-vgg22')).toEqual([['vgg22', 1]]);
    expect(termsOf('srgan')).toEqual([['vgg54', 1]]);
    expect(termsOf('srgan-slides')).toEqual([
      ['mse', 1],
      ['vgg44', 2e-6],
    ]);
    expect(termsOf('srgan', { tvWeight: 1e-6 })).toEqual([
      ['vgg54', 1],
      ['tv', 1e-6],
    ]);
    expect(termsOf('srresnet-vgg22', { tvWeight: 0 })).toEqual([['vgg22', 1]]);
  });

  test('of a VGG variant requires the network', () => {
    expect(() => contentTerms(of('srgan'), undefined)).toThrow(ConfigError);
  });

  test('scales features to inputs in [-1, 1], for the slides in 0…255, for any weights', () => {
    for (const featureScale of [127.5, 1, 0.5]) {
      expect(vggFactors(of('srgan'), network(featureScale))).toMatchObject({
        rescale: 1 / 12.75,
        scale: featureScale,
        weight: 1,
      });
      const slides = vggFactors(of('srgan-slides'), network(featureScale))!;
      // Features of weights for [0, 1] are 1/255 of those for 0…255.
      expect([slides.rescale / slides.scale, slides.weight]).toEqual([127.5 / featureScale, 2e-6]);
    }
    expect(vggFactors(of('srgan-mse'), CAFFE)).toBeUndefined();
    expect(vggFactors(of('srgan'), CAFFE, { vggScale: 3, vggRescale: 0.5, vggDivisor: 'area' })).toMatchObject({
      rescale: 0.5,
      scale: 3,
      divisor: 'area',
    });
  });

  const said = { input: false, padding: false };
  const zeros = { paddingMode: 'zeros' } as const;
  const caffe = { featureScale: 127.5, input: VGG_INPUTS.caffe, ...zeros };
  const signed = { featureScale: 1, input: VGG_INPUTS.signed, ...zeros };
  test.each([
    [
      'srgan',
      caffe,
      {},
      "vgg54: features × 1/12.75 / 127.5 (range of the weights' input), squared, mean over all elements; input caffe, padding zeros",
    ],
    [
      'srgan-vgg22',
      signed,
      {},
      'vgg22: features × 1/12.75, squared, mean over all elements; input signed, padding zeros',
    ],
    [
      'srgan-slides',
      caffe,
      {},
      'vgg44: features, squared, mean over all elements, times 2e-6; input caffe, padding zeros',
    ],
    [
      'srgan',
      caffe,
      { vggScale: 2, vggDivisor: 'area' },
      'vgg54: features × 1/12.75 / 2, squared, sum over channels, mean over positions (W·H); input caffe, padding zeros',
    ],
  ] as const)('%s with a network of %j and %j is explained', (name, vgg, options, text) => {
    expect(describeVggTerm(vggFactors(of(name), network(vgg.featureScale), options)!, { ...vgg, assumed: said })).toBe(
      text,
    );
  });

  test('describes its assumptions, and numbers without a name', () => {
    const factors = vggFactors(of('srgan'), network(2))!;
    const text = (input: VggNormalization, assumed: VggAssumptions) =>
      describeVggTerm(factors, { featureScale: 2, input, paddingMode: 'reflect', assumed }).split('; ')[1];
    expect(text({ ...VGG_INPUTS.imagenet }, { input: true, padding: true })).toBe(
      'input imagenet (assumed, the file does not say), padding reflect (assumed, the file does not say)',
    );
    expect(text({ ...VGG_INPUTS.imagenet, max: 2 }, said)).toBe(
      'input 0…2 minus 0.485, 0.456, 0.406 over 0.229, 0.224, 0.225, padding reflect',
    );
  });
});

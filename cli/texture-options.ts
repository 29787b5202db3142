/** `--rgb`, `--niqe`, `--texture`, `--vgg` and its options: scores beside PSNR and SSIM on luma. */

import { type Command, InvalidArgumentError, Option } from 'commander';
import type { Measure } from '../eval/evaluate.ts';
import { niqe } from '../eval/niqe.ts';
import { rgbPsnr } from '../eval/protocols.ts';
import { textureRatio } from '../eval/texture.ts';
import type { Picture } from '../image/picture.ts';
import type { VggOptions } from '../models/vgg19.ts';
import { VGG_INPUTS, type VggInput } from '../models/vgg19-input.ts';
import type { PaddingMode } from '../nn/index.ts';
import type { Gpu } from './open-method.ts';

/** The values of the options. */
export interface TextureOptions {
  readonly rgb?: boolean;
  readonly niqe?: boolean;
  readonly texture?: boolean;
  readonly vgg?: string;
  readonly vggLayer: readonly [i: number, j: number];
  readonly vggInput?: VggInput;
  readonly vggPadding?: PaddingMode;
}

/** Adds the options that `openMeasure` reads. */
export function addTextureOptions(command: Command): Command {
  return command
    .option('--rgb', 'add the PSNR of R, G and B together')
    .option('--niqe', 'add NIQE: naturalness without an original, less is more natural')
    .option('--texture', "add the energy of fine texture, over the original's")
    .option('--vgg <FILE>', 'add the distance to the original in features of this VGG19')
    .addOption(
      new Option('--vgg-layer <IJ>', 'which features: φ(i,j) of Ledig et al.').argParser(layerOf).default([2, 2], '22'),
    )
    .addOption(
      new Option('--vgg-input <NAME>', 'range of its input images (default: from the file, else imagenet)').choices(
        Object.keys(VGG_INPUTS),
      ),
    )
    .addOption(
      new Option('--vgg-padding <NAME>', 'its padding (default: from the file, else zeros)').choices([
        'zeros',
        'reflect',
      ]),
    );
}

function layerOf(text: string): readonly [number, number] {
  if (!/^[1-5][1-4]$/.test(text)) throw new InvalidArgumentError('expected two digits, from 11 to 54.');
  return [Number(text[0]), Number(text[1])];
}

/** The requested measure, and the meaning of its VGG distance; undefined if no option requests one. */
export async function openMeasure(
  { rgb, niqe: asksNiqe, texture, vgg, vggLayer: [i, j], vggInput: input, vggPadding: paddingMode }: TextureOptions,
  gpu: Gpu,
): Promise<{ readonly measure: Measure; readonly distance: string } | undefined> {
  if (!rgb && !asksNiqe && !texture && vgg === undefined) return undefined;
  const options = { ...(input && { input }), ...(paddingMode && { paddingMode }) };
  const distanceOf = vgg === undefined ? undefined : await openDistance(vgg, options, i, j, gpu);
  return {
    measure: async (result, original) => ({
      ...(rgb && { psnr_rgb: rgbPsnr(result, original) }),
      ...(asksNiqe && niqeOf(result)),
      ...(texture && { texture: textureRatio(result, original) }),
      ...(distanceOf && { vgg_distance: await distanceOf(result, original) }),
    }),
    distance: `squared difference of features φ${i}${j} of ${vgg} over the original's mean square: 0 for the original`,
  };
}

/** Nothing for a picture that is too small. */
function niqeOf(result: Picture): { readonly niqe?: number } {
  const value = niqe(result);
  return value === undefined ? {} : { niqe: value };
}

async function openDistance(path: string, options: VggOptions, i: number, j: number, gpu: Gpu) {
  const { loadVgg19 } = await import('../models/vgg19.node.ts');
  const { vggDistance } = await import('../eval/vgg-distance.ts');
  await gpu();
  return vggDistance(await loadVgg19(path, options), i, j);
}

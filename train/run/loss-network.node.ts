/** The loss network of a run: the VGG19 that its configuration names. */

import { sha256Of } from '../../common/files/digest.node.ts';
import { readVgg19 } from '../../models/vgg19.node.ts';
import type { VGG19 } from '../../models/vgg19.ts';
import { decodeVgg19 } from '../../models/vgg19-file.ts';
import { type TrainConfig, variantOfConfig } from '../config/config.ts';
import { ConfigError } from '../errors.ts';

export interface LossNetwork {
  readonly vgg: VGG19;
  /** Of its file. */
  readonly sha256: string;
}

/**
 * Loads it onto the current device; undefined for variants without.
 * @throws VggError for a file that is missing, is no VGG19 or ends before the features asked for; ConfigError for
 * another file than the configuration was used with, and for crops that its padding cannot work on.
 */
export async function openLossNetwork(config: TrainConfig): Promise<LossNetwork | undefined> {
  const { vgg: place, name } = variantOfConfig(config);
  if (!place) return undefined;
  const { vgg: path, vggInput: input, vggPadding: paddingMode, vggSha256: expected } = config;
  const bytes = await readVgg19(path);
  const vgg = decodeVgg19(bytes, path, { input, paddingMode });
  try {
    vgg.require(place.i, place.j);
    // Reflection by one needs two pixels of what the max pools leave.
    if (vgg.paddingMode === 'reflect' && config.crop < 2 ** place.i)
      throw new ConfigError(
        `--crop: given ${config.crop}, expected at least ${2 ** place.i} for ${name} with reflecting padding: ` +
          'max pools leave a single pixel of less',
        'crop',
      );
    const sha256 = sha256Of(bytes);
    if (expected !== undefined && expected !== sha256)
      throw new ConfigError(
        `--vgg: ${path} is not the file that this configuration was used with: its SHA-256 is ${sha256}, not ${expected}`,
        'vgg',
      );
    return { vgg, sha256 };
  } catch (error) {
    vgg.dispose();
    throw error;
  }
}

/** Loads the loss network of a run: the VGG19 file that its configuration names. */

import { sha256Of } from '../../files/digest.node.ts';
import { readVgg19 } from '../../models/vgg19.node.ts';
import type { VGG19 } from '../../models/vgg19.ts';
import { decodeVgg19 } from '../../models/vgg19-file.ts';
import { type TrainConfig, variantOfConfig } from '../config/config.ts';
import { ConfigError } from '../errors.ts';

export interface LossNetwork {
  readonly vgg: VGG19;
  /** SHA-256 of its file, in hexadecimal. */
  readonly sha256: string;
}

/**
 * Loads the loss network onto the current device. Undefined for variants without one.
 * @throws VggError if the file is missing, is not a VGG19 or lacks the layers needed; ConfigError if it is not the file that
 *   the run was started with, or if crops are too small for its padding.
 */
export async function openLossNetwork(config: TrainConfig): Promise<LossNetwork | undefined> {
  const { vgg: layer, name } = variantOfConfig(config);
  if (!layer) return undefined;
  const { vgg: path, vggInput: input, vggPadding: paddingMode, vggSha256: expected } = config;
  const bytes = await readVgg19(path);
  const vgg = decodeVgg19(bytes, path, { input, paddingMode });
  try {
    vgg.require(layer.i, layer.j);
    // Reflecting padding by one pixel needs two pixels after the max pooling layers.
    if (vgg.paddingMode === 'reflect' && config.crop < 2 ** layer.i)
      throw new ConfigError(
        `--crop: expected at least ${2 ** layer.i} for ${name} with reflecting padding, got ${config.crop}: ` +
          'max pooling leaves a single pixel of smaller crops',
        'crop',
      );
    const sha256 = sha256Of(bytes);
    if (expected !== undefined && expected !== sha256)
      throw new ConfigError(
        `--vgg: expected the file that this run was started with, SHA-256 ${expected}, got ${path}, SHA-256 ${sha256}`,
        'vgg',
      );
    return { vgg, sha256 };
  } catch (error) {
    vgg.dispose();
    throw error;
  }
}

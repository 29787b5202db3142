/** The loss network of a run: the VGG19 that its configuration names. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { loadVgg19 } from '../models/vgg19.node.ts';
import type { VGG19 } from '../models/vgg19.ts';
import { type TrainConfig, variantOfConfig } from './config.ts';
import { ConfigError } from './errors.ts';

/**
 * Loads it onto the current device; undefined for variants without. `sha256` is that of its file.
 * @throws VggError for a file that is missing, is no VGG19 or ends before the features asked for; ConfigError for
 * another file than the configuration was used with.
 */
export async function openLossNetwork(
  config: TrainConfig,
): Promise<{ readonly vgg: VGG19; readonly sha256: string } | undefined> {
  const { vgg: place } = variantOfConfig(config);
  if (!place) return undefined;
  const { vgg: path, vggInput: input, vggPadding: paddingMode, vggSha256: expected } = config;
  const vgg = await loadVgg19(path, { ...(input && { input }), ...(paddingMode && { paddingMode }) });
  try {
    vgg.require(place.i, place.j);
    const sha256 = await sha256Of(path!);
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

async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

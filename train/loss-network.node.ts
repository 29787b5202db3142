/** The loss network of a run: the VGG19 that its configuration names. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { loadVgg19 } from '../models/vgg19.node.ts';
import type { VGG19 } from '../models/vgg19.ts';
import { statedNormalization } from '../models/vgg19-input.ts';
import { type TrainConfig, variantOfConfig } from './config.ts';
import type { VggAssumptions } from './content.ts';
import { ConfigError } from './errors.ts';

export interface LossNetwork {
  readonly vgg: VGG19;
  /** Of its file. */
  readonly sha256: string;
  readonly assumed: VggAssumptions;
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
  const vgg = await loadVgg19(path, { ...(input && { input }), ...(paddingMode && { paddingMode }) });
  try {
    vgg.require(place.i, place.j);
    // Reflection by one needs two pixels of what the max pools leave.
    if (vgg.paddingMode === 'reflect' && config.crop < 2 ** place.i)
      throw new ConfigError(
        `--crop: given ${config.crop}, expected at least ${2 ** place.i} for ${name} with reflecting padding: ` +
          'max pools leave a single pixel of less',
        'crop',
      );
    const sha256 = await sha256Of(path!);
    if (expected !== undefined && expected !== sha256)
      throw new ConfigError(
        `--vgg: ${path} is not the file that this configuration was used with: its SHA-256 is ${sha256}, not ${expected}`,
        'vgg',
      );
    const metadata = await metadataOf(path!);
    const assumed = {
      input: input === undefined && statedNormalization(metadata) === undefined,
      padding: paddingMode === undefined && metadata.padding_mode === undefined,
    };
    return { vgg, sha256, assumed };
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

/** The metadata of a safetensors file that was read before: its header alone, the weights may be half a gigabyte. */
async function metadataOf(path: string): Promise<Readonly<Record<string, string>>> {
  const file = await open(path);
  try {
    const length = (await file.read(Buffer.alloc(8), 0, 8, 0)).buffer.readBigUInt64LE();
    const { buffer } = await file.read(Buffer.alloc(Number(length)), 0, Number(length), 8);
    return JSON.parse(buffer.toString()).__metadata__ ?? {};
  } finally {
    await file.close();
  }
}

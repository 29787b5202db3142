/** Model files: safetensors whose metadata say which network the weights belong to, so that a file alone is enough. */
import { WeightsError } from './module.ts';
import { readSafetensors, writeSafetensors } from './safetensors.ts';
import { type SRResNet, srresnet, srresnetConfig } from './srresnet.ts';

export interface ModelFileOptions {
  /** Element type of the weights in the file; default F32. */
  readonly dtype?: 'F32' | 'F16';
  /** More metadata, e.g. how the network was trained. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/** The bytes of a model file. */
export async function encodeModel(
  net: SRResNet,
  { dtype = 'F32', metadata = {} }: ModelFileOptions = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const tensors = await net.stateDict();
  return writeSafetensors(
    tensors,
    { ...metadata, arch: 'srresnet', config: JSON.stringify(net.config), scale: '4' },
    { dtype },
  );
}

/**
 * The network of a model file, on the current device. Files without metadata of ours are taken for an SRResNet of the
 * size that their tensors have. `file` is for messages.
 * @throws SafetensorsError for a damaged file, WeightsError for weights of another network.
 */
export function decodeModel(bytes: Uint8Array, file = 'model file'): SRResNet {
  const { tensors, metadata } = readSafetensors(bytes, file);
  try {
    const config = srresnetConfig(tensors);
    if (metadata.arch === 'srresnet' && metadata.config !== undefined) checkConfig(metadata.config, config);
    const net = srresnet(config);
    try {
      return net.loadStateDict(tensors);
    } catch (error) {
      net.dispose();
      throw error;
    }
  } catch (error) {
    if (!(error instanceof WeightsError)) throw error;
    const { arch } = metadata;
    const other = arch !== undefined && arch !== 'srresnet' ? ` Its metadata say it is "${arch}".` : '';
    throw new WeightsError(`${file}: ${error.message}${other}`, { cause: error });
  }
}

/** What a file says of its network must be what its tensors are: else one of the two is damaged. */
function checkConfig(text: string, { channels, blocks }: { channels: number; blocks: number }): void {
  let config: unknown;
  try {
    config = JSON.parse(text);
  } catch (cause) {
    throw new WeightsError('the metadata "config" is not JSON.', { cause });
  }
  const said = (config ?? {}) as Record<string, unknown>;
  if (said.channels === channels && said.blocks === blocks) return;
  throw new WeightsError(
    `the metadata "config" is ${text}, the tensors are those of {"channels": ${channels}, "blocks": ${blocks}}.`,
  );
}

/** Model files: safetensors whose metadata say which network the weights belong to, so that a file alone is enough. */
import { type HostTensor, WeightsError } from './module.ts';
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
  const { arch } = metadata;
  const ours = arch === 'srresnet' && metadata.config !== undefined;
  try {
    const config = ours ? readConfig(metadata.config!) : srresnetConfig(tensors);
    const net = srresnet(config);
    try {
      return net.loadStateDict(tensors as ReadonlyMap<string, HostTensor>);
    } catch (error) {
      net.dispose();
      throw error;
    }
  } catch (error) {
    if (!(error instanceof WeightsError)) throw error;
    throw new WeightsError(`${file}: ${error.message}`, { cause: error });
  }
}

function readConfig(text: string): { channels: number; blocks: number } {
  let config: unknown;
  try {
    config = JSON.parse(text);
  } catch (cause) {
    throw new WeightsError('the metadata "config" is not JSON.', { cause });
  }
  const { channels, blocks } = (config ?? {}) as Record<string, unknown>;
  if (typeof channels !== 'number' || typeof blocks !== 'number')
    throw new WeightsError(`the metadata "config" is ${text}, expected {"channels": …, "blocks": …}.`);
  return { channels, blocks };
}

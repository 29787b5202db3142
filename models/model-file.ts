/** Model files: safetensors whose metadata describes the network, so that a file alone is enough. */

import { WeightsError } from '../nn/module.ts';
import { describedConfig, describedNetwork, statedName } from './described-network.ts';
import { type Discriminator, discriminatorNetwork } from './discriminator.ts';
import { configText, type Network, type NetworkModule } from './network.ts';
import { UPSCALERS } from './networks.ts';
import { readSafetensors, writeSafetensors } from './safetensors.ts';

/** Options of {@link encodeModel}. */
export interface ModelFileOptions {
  /** Element type of the weights in the file; default F32. */
  readonly dtype?: 'F32' | 'F16';
  /** Additional metadata, e.g. how the network was trained. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/** Encodes a network's file. Its metadata names the network (`arch`), its configuration and its scale. */
export async function encodeModel(
  net: NetworkModule,
  { dtype = 'F32', metadata = {} }: ModelFileOptions = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const { network, config } = net;
  const own = {
    arch: network.name,
    config: configText(network, config),
    ...(network.role === 'upscaler' && { scale: String(network.scale) }),
  };
  return writeSafetensors(await net.stateDict(), { ...metadata, ...own }, { dtype });
}

/**
 * Loads the upscaling network of a model file onto the current device. Files without our metadata are read as the network
 * that their metadata names (`arch` or `model`), else as the one that their tensors describe. `file` is for messages.
 * @throws SafetensorsError for a damaged file, WeightsError for weights of another network.
 */
export const decodeModel = (bytes: Uint8Array, file = 'model file'): NetworkModule => decode(bytes, file, UPSCALERS);

/**
 * Loads the discriminator of a model file onto the current device, with the size of the tensors. `file` is for messages.
 * @throws SafetensorsError for a damaged file, WeightsError for weights of another network.
 */
export const decodeDiscriminator = (bytes: Uint8Array, file = 'model file'): Discriminator =>
  decode(bytes, file, [discriminatorNetwork]) as Discriminator;

function decode(bytes: Uint8Array, file: string, accepted: readonly [Network, ...Network[]]): NetworkModule {
  const { tensors, metadata } = readSafetensors(bytes, file);
  const network = describedNetwork(accepted, metadata, tensors);
  try {
    const net = network.build(describedConfig(network, metadata, tensors));
    try {
      return net.loadStateDict(tensors);
    } catch (error) {
      net.dispose();
      throw error;
    }
  } catch (error) {
    if (!(error instanceof WeightsError)) throw error;
    const name = statedName(metadata);
    const other = name !== undefined && name !== network.name ? ` Its metadata says it is "${name}".` : '';
    throw new WeightsError(`${file}: ${error.message}${other}`, { cause: error });
  }
}

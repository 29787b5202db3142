/** Model files: safetensors whose metadata describes the network, so that a file alone is enough. */

import { WeightsError } from '../nn/module.ts';
import { describedConfig, describedNetwork, statedName } from './described-network.ts';
import { type Discriminator, discriminatorNetwork } from './discriminator.ts';
import { nearest, refuseForeignFormat, unwrapped } from './foreign-file.ts';
import { configText, type HostTensors, MissingTensorError, type Network, type NetworkModule } from './network.ts';
import { UPSCALERS } from './networks.ts';
import { readSafetensors, writeSafetensors } from './safetensors.ts';

/** Options of {@link encodeModel}. */
export interface ModelFileOptions {
  /** Element type of the weights in the file; default F32. */
  readonly dtype?: 'F32' | 'F16';
  /** Additional metadata, e.g. how the network was trained. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/** Options of {@link decodeModel}. */
export interface DecodeOptions {
  /** Called with a line if the file's names have prefixes of wrappers, which are taken off. */
  readonly onNote?: ((note: string) => void) | undefined;
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
 * that their metadata names (`arch` or `model`), else as the one that their tensors describe. Prefixes of names that others'
 * training leaves (`module.`, `_orig_mod.`, `params.`, `params_ema.`, `netG.`, `generator.`) are taken off. `file` is for messages.
 * @throws SafetensorsError for a damaged file, ForeignFormatError (with lines of Python that convert it) for PyTorch's and
 *   ONNX files, WeightsError for weights of another network, with what the file has instead.
 */
export const decodeModel = (bytes: Uint8Array, file = 'model file', options: DecodeOptions = {}): NetworkModule =>
  decode(bytes, file, UPSCALERS, options);

/**
 * Loads the discriminator of a model file onto the current device, with the size of the tensors. `file` is for messages.
 * @throws SafetensorsError for a damaged file, WeightsError for weights of another network.
 */
export const decodeDiscriminator = (bytes: Uint8Array, file = 'model file'): Discriminator =>
  decode(bytes, file, [discriminatorNetwork], {}) as Discriminator;

function decode(
  bytes: Uint8Array,
  file: string,
  accepted: readonly [Network, ...Network[]],
  { onNote }: DecodeOptions,
): NetworkModule {
  refuseForeignFormat(bytes, file);
  const { tensors: stored, metadata } = readSafetensors(bytes, file);
  const tensors = unwrapped(stored, file, onNote);
  const network = describedNetwork(accepted, metadata, tensors);
  try {
    const net = network.build(describedConfig(network, metadata, tensors));
    try {
      checkComplete(net, tensors);
      return net.loadStateDict(tensors);
    } catch (error) {
      net.dispose();
      throw error;
    }
  } catch (error) {
    if (!(error instanceof WeightsError)) throw error;
    const name = statedName(metadata);
    const other = name !== undefined && name !== network.name ? ` Its metadata says it is "${name}".` : '';
    const instead = error instanceof MissingTensorError ? ` The file has ${nearestTo(error, tensors)}.` : '';
    throw new WeightsError(`${file}: ${error.message}${other}${instead}`, { cause: error });
  }
}

/** @throws MissingTensorError with the words of `loadStateDict`, if a tensor is missing that could have another name in the file. */
function checkComplete(net: NetworkModule, tensors: HostTensors): void {
  const wanted = net.namedVariables();
  const names = new Set(wanted.map(([name]) => name));
  const missing = wanted.filter(([name]) => !tensors.has(name));
  if (missing.length === 0 || [...tensors.keys()].every(name => names.has(name))) return;
  const shown = missing
    .slice(0, 3)
    .map(([name]) => name)
    .join(', ');
  const more = missing.length > 3 ? ` and ${missing.length - 3} more` : '';
  const [[first, { shape }]] = missing;
  throw new MissingTensorError(`missing weights: ${shown}${more}.`, first, shape, names);
}

function nearestTo({ tensor, expected, known }: MissingTensorError, tensors: HostTensors): string {
  return nearest(new Map([...tensors].filter(([name]) => !known.has(name))), tensor, expected);
}

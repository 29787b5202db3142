/** Model files: safetensors whose metadata describes the network, so that a file alone is enough. */
import { Discriminator, discriminatorConfig } from './discriminator.ts';
import { type HostTensor, type Module, WeightsError } from './module.ts';
import { readSafetensors, writeSafetensors } from './safetensors.ts';
import { type SRResNet, srresnet } from './srresnet.ts';
import { srresnetConfigText, statedSRResNetConfig } from './srresnet-metadata.ts';

export interface ModelFileOptions {
  /** Element type of the weights in the file; default F32. */
  readonly dtype?: 'F32' | 'F16';
  /** Additional metadata, e.g. how the network was trained. */
  readonly metadata?: Readonly<Record<string, string>>;
}

type Metadata = Readonly<Record<string, string>>;
type HostTensors = ReadonlyMap<string, HostTensor>;

/** Encodes a generator's file. */
export const encodeModel = (net: SRResNet, options?: ModelFileOptions): Promise<Uint8Array<ArrayBuffer>> =>
  encode(net, { arch: 'srresnet', config: srresnetConfigText(net.config), scale: '4' }, options);

/** Encodes a discriminator's file. */
export const encodeDiscriminator = (net: Discriminator, options?: ModelFileOptions): Promise<Uint8Array<ArrayBuffer>> =>
  encode(net, { arch: 'discriminator', config: JSON.stringify(net.config) }, options);

async function encode(
  net: Module,
  own: Metadata,
  { dtype = 'F32', metadata = {} }: ModelFileOptions = {},
): Promise<Uint8Array<ArrayBuffer>> {
  return writeSafetensors(await net.stateDict(), { ...metadata, ...own }, { dtype });
}

/**
 * Loads the generator of a model file onto the current device. Files without our metadata are read as the SRResNet that
 * their tensors describe, with a final tanh if the metadata has `output_activation: tanh`. `file` is for messages.
 * @throws SafetensorsError for a damaged file, WeightsError for weights of another network.
 */
export const decodeModel = (bytes: Uint8Array, file = 'model file'): SRResNet =>
  decode(bytes, file, 'srresnet', (metadata, tensors) => srresnet(statedSRResNetConfig(metadata, tensors)));

/**
 * Loads the discriminator of a model file onto the current device, with the size of the tensors. `file` is for messages.
 * @throws SafetensorsError for a damaged file, WeightsError for weights of another network.
 */
export const decodeDiscriminator = (bytes: Uint8Array, file = 'model file'): Discriminator =>
  decode(bytes, file, 'discriminator', (_, tensors) => new Discriminator(discriminatorConfig(tensors)));

function decode<T extends Module>(
  bytes: Uint8Array,
  file: string,
  arch: string,
  make: (metadata: Metadata, tensors: HostTensors) => T,
): T {
  const { tensors, metadata } = readSafetensors(bytes, file);
  try {
    const net = make(metadata, tensors);
    try {
      return net.loadStateDict(tensors);
    } catch (error) {
      net.dispose();
      throw error;
    }
  } catch (error) {
    if (!(error instanceof WeightsError)) throw error;
    const other =
      metadata.arch !== undefined && metadata.arch !== arch ? ` Its metadata says it is "${metadata.arch}".` : '';
    throw new WeightsError(`${file}: ${error.message}${other}`, { cause: error });
  }
}

/** Weights of VGG19 from safetensors: torchvision's and timm's files, and files that end earlier or say how they differ. */
import type { PaddingMode } from './layers.ts';
import { type HostTensor, WeightsError } from './module.ts';
import { readSafetensors } from './safetensors.ts';
import { VGG19, VGG19_LAYERS, type VggOptions } from './vgg19.ts';
import { VGG_ADVICE, VggError } from './vgg19-error.ts';
import { statedNormalization } from './vgg19-input.ts';

/**
 * The network of a file's bytes (float32, float16 or bfloat16), on the current device. What its metadata say of the
 * input's range and the padding (`input_max`, `input_mean`, `input_std`, `padding_mode`) holds unless `options` say
 * otherwise; files that say nothing are taken for torchvision's. `file` is for messages.
 * @throws SafetensorsError for a damaged file, VggError for weights of another network.
 */
export function decodeVgg19(bytes: Uint8Array, file = 'VGG19 file', options: VggOptions = {}): VGG19 {
  const { tensors, metadata } = readSafetensors(bytes, file);
  try {
    const input = options.input ?? statedNormalization(metadata);
    const paddingMode = options.paddingMode ?? statedPadding(metadata.padding_mode);
    return vgg19FromTensors(tensors, { input, paddingMode });
  } catch (error) {
    if (!(error instanceof VggError)) throw error;
    throw new VggError(`${file}: ${error.message}`, { cause: error });
  }
}

function statedPadding(stated: string | undefined): PaddingMode | undefined {
  if (stated === undefined || stated === 'zeros' || stated === 'reflect') return stated;
  throw new VggError(`the metadata "padding_mode" is "${stated}", known are zeros and reflect.`);
}

/**
 * The network with these weights: `features.N.weight` and `.bias` as torchvision numbers them, from the first convolution
 * on, with any number of feature maps. Tensors of other names (the classifier's) are ignored.
 * @throws VggError for weights of another network.
 */
export function vgg19FromTensors(tensors: ReadonlyMap<string, HostTensor>, options: VggOptions = {}): VGG19 {
  const own = new Map([...tensors].filter(([name]) => name.startsWith('features.')));
  const names = VGG19_LAYERS.map(({ index }) => `features.${index}`);
  const widths: number[] = [];
  for (const name of names) {
    const shape = own.get(`${name}.weight`)?.shape;
    if (!shape) break;
    const inputs = widths.at(-1) ?? 3;
    if (shape.length !== 4 || shape[0] < 1 || shape.slice(1).join() !== [inputs, 3, 3].join())
      throw new VggError(
        `no weights of VGG19: ${name}.weight is [${shape.join(', ')}], expected [maps, ${inputs}, 3, 3].`,
      );
    widths.push(shape[0]);
  }
  if (widths.length === 0) throw new VggError(`no weights of VGG19: features.0.weight is missing. ${VGG_ADVICE}`);
  const reached = new Set(names.slice(0, widths.length));
  const stray = [...own.keys()].find(name => !reached.has(name.replace(/\.(weight|bias)$/, '')));
  if (stray !== undefined)
    throw new VggError(
      `no weights of VGG19: ${stray} does not belong to its first ${widths.length} convolutions ` +
        '(VGG16, VGG19 with batch norm and others have other columns).',
    );
  const net = new VGG19(widths, options);
  try {
    net.loadStateDict(own);
    return net;
  } catch (error) {
    net.dispose();
    if (!(error instanceof WeightsError)) throw error;
    throw new VggError(`no weights of VGG19: ${error.message}`, { cause: error });
  }
}

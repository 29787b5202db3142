/** Loads VGG19 from safetensors: torchvision's and timm's files, and files with fewer layers or their own metadata. */
import type { PaddingMode } from '../nn/index.ts';
import { type HostTensor, WeightsError } from '../nn/module.ts';
import { readSafetensors } from './safetensors.ts';
import { VGG19, VGG19_LAYERS, type VggOptions } from './vgg19.ts';
import { VGG_ADVICE, VggError } from './vgg19-error.ts';
import { statedNormalization } from './vgg19-input.ts';

/**
 * Loads a file (float32, float16 or bfloat16) onto the current device. Its metadata sets the input range and the padding
 * (`input_max`, `input_mean`, `input_std`, `padding_mode`); `options` override it. Without either, torchvision's are
 * assumed. `file` is for messages.
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
  throw new VggError(`metadata "padding_mode": expected zeros or reflect, got "${stated}".`);
}

/**
 * The network with these weights: `features.N.weight` and `.bias` with torchvision's numbering, from the first convolution
 * on, with any number of feature maps. Tensors with other names (the classifier's) are ignored.
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
        `not VGG19 weights: ${name}.weight is [${shape.join(', ')}], expected [maps, ${inputs}, 3, 3].`,
      );
    widths.push(shape[0]);
  }
  if (widths.length === 0) throw new VggError(`not VGG19 weights: features.0.weight is missing. ${VGG_ADVICE}`);
  const reached = new Set(names.slice(0, widths.length));
  const stray = [...own.keys()].find(name => !reached.has(name.replace(/\.(weight|bias)$/, '')));
  if (stray !== undefined)
    throw new VggError(
      `not VGG19 weights: ${stray} does not belong to its first ${widths.length} convolutions ` +
        '(VGG16, VGG19 with batch norm and others have different layers).',
    );
  const net = new VGG19(widths, options);
  try {
    net.loadStateDict(own);
    return net;
  } catch (error) {
    net.dispose();
    if (!(error instanceof WeightsError)) throw error;
    throw new VggError(`not VGG19 weights: ${error.message}`, { cause: error });
  }
}

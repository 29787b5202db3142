/** What the weights of a VGG19 take for an image: files differ, and a wrong range makes their features meaningless. */
import { VggError } from './vgg19-error.ts';

/** A pixel in 0…max, minus mean, over std; RGB. */
export interface VggNormalization {
  readonly max: number;
  readonly mean: readonly [number, number, number];
  readonly std: readonly [number, number, number];
}

/**
 * Conventions by name. `caffe`: RGB in 0…255 minus the means, the original weights' (Simonyan and Zisserman 2015);
 * `imagenet`: [0, 1] with ImageNet's mean and deviation, torchvision's and timm's; `unit`: [0, 1] as it is; `signed`:
 * [-1, 1] as it is.
 */
export const VGG_INPUTS = {
  caffe: { max: 255, mean: [123.68, 116.779, 103.939], std: [1, 1, 1] },
  imagenet: { max: 1, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] },
  unit: { max: 1, mean: [0, 0, 0], std: [1, 1, 1] },
  signed: { max: 2, mean: [1, 1, 1], std: [1, 1, 1] },
} as const satisfies Readonly<Record<string, VggNormalization>>;

export type VggInput = keyof typeof VGG_INPUTS;

/** How an image in [-1, 1] becomes what the weights take: x · scale + shift, RGB. */
export interface VggMapping {
  readonly scale: readonly [number, number, number];
  readonly shift: readonly [number, number, number];
}

export function vggMapping({ max, mean, std }: VggNormalization): VggMapping {
  const half = max / 2;
  const shift = ([0, 1, 2] as const).map(c => (half - mean[c]) / std[c]);
  return {
    scale: [half / std[0], half / std[1], half / std[2]],
    shift: [shift[0], shift[1], shift[2]],
  };
}

/**
 * The convention that metadata state by `input_max`, `input_mean` and `input_std` (numbers and lists of three in JSON);
 * undefined where they state none. Throws VggError for what cannot be read.
 */
export function statedNormalization(metadata: Readonly<Record<string, string>>): VggNormalization | undefined {
  const { input_max: max, input_mean: mean, input_std: std } = metadata;
  if (max === undefined && mean === undefined && std === undefined) return undefined;
  return {
    max: max === undefined ? 1 : positive(parsed('input_max', max), 'input_max', max),
    mean: mean === undefined ? [0, 0, 0] : triple(parsed('input_mean', mean), 'input_mean', mean),
    std: std === undefined ? [1, 1, 1] : deviations(parsed('input_std', std), std),
  };
}

function parsed(key: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new VggError(`the metadata "${key}" is ${text}, which is not JSON.`, { cause });
  }
}

function positive(value: unknown, key: string, text: string): number {
  if (typeof value === 'number' && Number.isFinite(value) && value > 0) return value;
  throw new VggError(`the metadata "${key}" is ${text}, expected a number above 0.`);
}

function triple(value: unknown, key: string, text: string): [number, number, number] {
  if (Array.isArray(value) && value.length === 3 && value.every(Number.isFinite)) return [value[0], value[1], value[2]];
  throw new VggError(`the metadata "${key}" is ${text}, expected a list of three numbers (RGB).`);
}

function deviations(value: unknown, text: string): [number, number, number] {
  const three = triple(value, 'input_std', text);
  if (Math.min(...three) > 0) return three;
  throw new VggError(`the metadata "input_std" is ${text}, expected numbers above 0.`);
}

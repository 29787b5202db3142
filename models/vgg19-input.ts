/** Input normalization of VGG19 weights: files differ, and a wrong range makes the features meaningless. */
import { VggError } from './vgg19-error.ts';

/** Maps an RGB pixel in 0…max to (pixel − mean) / std. */
export interface VggNormalization {
  /** Value of white. */
  readonly max: number;
  /** Subtracted from R, G and B. */
  readonly mean: readonly [number, number, number];
  /** Divisors of R, G and B. */
  readonly std: readonly [number, number, number];
}

/**
 * Conventions by name. `caffe`: RGB in 0…255 minus the means, as in the original weights (Simonyan and Zisserman 2015);
 * `imagenet`: [0, 1] with ImageNet's mean and standard deviation, as in torchvision and timm; `unit`: [0, 1]; `signed`:
 * [-1, 1].
 */
export const VGG_INPUTS = {
  caffe: { max: 255, mean: [123.68, 116.779, 103.939], std: [1, 1, 1] },
  imagenet: { max: 1, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] },
  unit: { max: 1, mean: [0, 0, 0], std: [1, 1, 1] },
  signed: { max: 2, mean: [1, 1, 1], std: [1, 1, 1] },
} as const satisfies Readonly<Record<string, VggNormalization>>;

/** Name of a convention in {@link VGG_INPUTS}. */
export type VggInput = keyof typeof VGG_INPUTS;

/** Maps an RGB image in [-1, 1] to the weights' input: x · scale + shift. */
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
 * The convention in the metadata `input_max`, `input_mean` and `input_std` (numbers and lists of three in JSON), or
 * undefined if there is none. Throws VggError for invalid values.
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
    throw new VggError(`metadata "${key}" is not JSON: ${text}.`, { cause });
  }
}

function positive(value: unknown, key: string, text: string): number {
  if (typeof value === 'number' && Number.isFinite(value) && value > 0) return value;
  throw new VggError(`metadata "${key}": expected a number above 0, got ${text}.`);
}

function triple(value: unknown, key: string, text: string): [number, number, number] {
  if (Array.isArray(value) && value.length === 3 && value.every(Number.isFinite)) return [value[0], value[1], value[2]];
  throw new VggError(`metadata "${key}": expected a list of three numbers (RGB), got ${text}.`);
}

function deviations(value: unknown, text: string): [number, number, number] {
  const three = triple(value, 'input_std', text);
  if (Math.min(...three) > 0) return three;
  throw new VggError(`metadata "input_std": expected numbers above 0, got ${text}.`);
}

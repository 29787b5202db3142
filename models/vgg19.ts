/**
 * VGG19 as a loss network: configuration E of Simonyan and Zisserman, "Very Deep Convolutional Networks for Large-Scale
 * Image Recognition", ICLR 2015, up to conv5_4, and the features φ(i,j) of equation 5 of Ledig et al. It is frozen:
 * gradients flow to its input, not to its weights.
 */
import { ShapeError } from '../engine/basics/errors.ts';
import { Philox } from '../engine/basics/philox.ts';
import { formatShape } from '../engine/basics/shape.ts';
import { type Tensor, tensor, tidy } from '../engine/tensor.ts';
import { add, maxPool2d, mul, relu } from '../kernels/index.ts';
import { Conv2d, type PaddingMode } from '../nn/index.ts';
import { Module } from '../nn/module.ts';
import { VGG_ADVICE, VggError } from './vgg19-error.ts';
import { VGG_INPUTS, type VggInput, type VggMapping, type VggNormalization, vggMapping } from './vgg19-input.ts';

/** Convolutions before each max pool, and their feature maps in the paper. */
const STAGES = [
  { convolutions: 2, maps: 64 },
  { convolutions: 2, maps: 128 },
  { convolutions: 4, maps: 256 },
  { convolutions: 4, maps: 512 },
  { convolutions: 4, maps: 512 },
] as const;

/** The j-th convolution (3×3, ReLU after it) before the i-th max pool (2×2, stride 2); both count from 1. */
export interface VggLayer {
  /** Its stage, from 1: the number of max pools before it, plus 1. */
  readonly i: number;
  /** Its number within the stage, from 1. */
  readonly j: number;
  /** Its index in torchvision's and timm's `features`, which also count activations and pools. */
  readonly index: number;
}

/** The convolutions in order, with a max pool before each `j` of 1 except the first. */
export const VGG19_LAYERS: readonly VggLayer[] = STAGES.flatMap(({ convolutions }, stage) => {
  const before = STAGES.slice(0, stage).reduce((sum, earlier) => sum + 2 * earlier.convolutions + 1, 0);
  return Array.from({ length: convolutions }, (_, k) => ({ i: stage + 1, j: k + 1, index: before + 2 * k }));
});

const nameOf = ({ i, j }: Pick<VggLayer, 'i' | 'j'>): string => `conv${i}_${j}`;

/** Options of VGG19's weights. */
export interface VggOptions {
  /** The weights' input normalization, by name (`VGG_INPUTS`) or as numbers. */
  readonly input?: VggInput | VggNormalization | undefined;
  /** What the convolutions see beyond a picture's edge. Default: as the file says, or zeros. */
  readonly paddingMode?: PaddingMode | undefined;
}

/** Which settings were not given, so that torchvision's are assumed. */
export interface VggAssumptions {
  /** Whether the input's normalization is assumed. */
  readonly input: boolean;
  /** Whether the padding is assumed. */
  readonly padding: boolean;
}

/** VGG19's convolutions and pools (Simonyan and Zisserman 2015), for losses and distances between features. */
export class VGG19 extends Module {
  /** The convolutions at their indices in torchvision's `features`; other indices are empty. */
  readonly features: readonly (Conv2d | undefined)[];
  /** Input normalization of the weights. */
  readonly input: VggNormalization;
  /** What the convolutions see beyond a picture's edge. */
  readonly paddingMode: PaddingMode;
  /** Which settings were not given, so that torchvision's are assumed. */
  readonly assumed: VggAssumptions;
  /** Feature maps of each convolution in the weights. */
  readonly widths: readonly number[];
  /**
   * Half the range of the weights' input (127.5 for 0…255, 0.5/std for ImageNet's, 0.5 for [0, 1], 1 for [-1, 1]). Because
   * ReLU networks are nearly homogeneous, features divided by this are comparable to those of input in [-1, 1], which the
   * paper's factor of 1/12.75 brings to the scale of the mean squared error.
   */
  readonly featureScale: number;
  readonly #mapping: VggMapping;

  /** `widths`: feature maps of the convolutions; all weights are zeros, to be loaded. */
  constructor(widths: readonly number[], { input, paddingMode }: VggOptions = {}) {
    super();
    this.assumed = { input: input === undefined, padding: paddingMode === undefined };
    this.widths = [...widths];
    this.input = typeof input === 'object' ? input : VGG_INPUTS[input ?? 'imagenet'];
    this.paddingMode = paddingMode ?? 'zeros';
    this.#mapping = vggMapping(this.input);
    this.featureScale = this.#mapping.scale.reduce((sum, scale) => sum + scale, 0) / 3;
    const features: Conv2d[] = [];
    for (const [n, { index }] of VGG19_LAYERS.slice(0, widths.length).entries())
      features[index] = new Conv2d(widths[n - 1] ?? 3, widths[n], 3, {
        padding: 1,
        paddingMode: this.paddingMode,
        random: false,
        trainable: false,
      });
    this.features = features;
  }

  /** Names of the convolutions in the weights, `conv1_1` first. */
  get layers(): readonly string[] {
    return VGG19_LAYERS.slice(0, this.widths.length).map(nameOf);
  }

  /** Whether the weights include φ(i,j). */
  has(i: number, j: number): boolean {
    return indexOf(i, j) < this.widths.length;
  }

  /** Throws VggError with the available layers if the weights do not include φ(i,j). */
  require(i: number, j: number): void {
    if (this.has(i, j)) return;
    const [first = 'none', ...rest] = this.layers;
    const range = rest.length > 0 ? `${first} to ${rest.at(-1)}` : first;
    throw new VggError(
      `φ${i}${j} needs ${nameOf({ i, j })}, but these VGG19 weights only have ${range}. ${VGG_ADVICE}`,
    );
  }

  /**
   * φ(i,j) of RGB images [N, 3, H, W] in [-1, 1], for each pair, in the given order: the features after the activation of
   * the j-th convolution before the i-th max pool, [N, maps, ⌊H / 2^(i−1)⌋, ⌊W / 2^(i−1)⌋]. Layers beyond the deepest
   * requested one are not run. Throws VggError for a layer that is not in the weights, ShapeError for other shapes.
   */
  phis(image: Tensor, pairs: readonly (readonly [i: number, j: number])[]): Tensor[] {
    for (const [i, j] of pairs) this.require(i, j);
    if (image.shape.length !== 4 || image.shape[1] !== 3)
      throw new ShapeError('VGG19', `expected images of [N, 3, H, W], got ${formatShape(image.shape)}.`);
    const indices = pairs.map(([i, j]) => indexOf(i, j));
    return tidy(() => {
      const outputs: Tensor[] = [];
      let x = this.#mapped(image);
      for (const { i, j, index } of VGG19_LAYERS.slice(0, Math.max(-1, ...indices) + 1)) {
        if (i > 1 && j === 1) x = maxPool2d(x, 2);
        x = relu(this.features[index]!.forward(x));
        outputs.push(x);
      }
      return indices.map(index => outputs[index]);
    });
  }

  /** φ(i,j) of images [N, 3, H, W] in [-1, 1]; see {@link phis}. */
  phi(image: Tensor, i: number, j: number): Tensor {
    return this.phis(image, [[i, j]])[0];
  }

  /** The deepest available features. */
  forward(image: Tensor): Tensor {
    const { i, j } = VGG19_LAYERS[this.widths.length - 1];
    return this.phi(image, i, j);
  }

  /**
   * Maps [-1, 1] to the weights' input. Not folded into the first convolution, because that would change its padding (zeros
   * of the mapped image).
   */
  #mapped(image: Tensor): Tensor {
    const { scale, shift } = this.#mapping;
    const { device } = image;
    const each = (values: readonly number[]) => tensor(values, [1, 3, 1, 1], { device });
    const scaled = scale.every(value => value === 1) ? image : mul(image, each(scale));
    return shift.every(value => value === 0) ? scaled : add(scaled, each(shift));
  }
}

/** The index of φ(i,j) among the convolutions. Throws VggError if VGG19 has no such layer. */
function indexOf(i: number, j: number): number {
  const index = VGG19_LAYERS.findIndex(layer => layer.i === i && layer.j === j);
  if (index >= 0) return index;
  const stages = STAGES.map(({ convolutions }, stage) => `${nameOf({ i: stage + 1, j: 1 })}…${convolutions}`);
  throw new VggError(`VGG19 has no ${nameOf({ i, j })}: its layers are ${stages.join(', ')}.`);
}

/** Feature maps of all convolutions, from those before each max pool; the paper's by default. */
export const vgg19Widths = (maps: readonly number[] = STAGES.map(stage => stage.maps)): number[] =>
  maps.flatMap((n, stage) => Array.from({ length: STAGES[stage].convolutions }, () => n));

/** Options of {@link vgg19Random}. */
export interface RandomVggOptions extends VggOptions {
  /** Feature maps before each max pool. Paper: 64, 128, 256, 512, 512. */
  readonly widths?: readonly number[];
  /** Seed of the weights. Default: 0. */
  readonly seed?: number;
}

/** Random stream of the initial weights; the other networks use 1 and 2. */
const INITIALISATION = 3;

/**
 * An untrained VGG19, to measure time and memory without weights: uniform with the variance of He et al. 2015 (2 / fan-in),
 * biases zero.
 */
export function vgg19Random({ widths, seed = 0, ...options }: RandomVggOptions = {}): VGG19 {
  const maps = widths ?? STAGES.map(stage => stage.maps);
  if (maps.length < 1 || maps.length > STAGES.length || !maps.every(n => Number.isInteger(n) && n >= 1))
    throw new VggError(
      `VGG19: expected feature maps before each of 1 to ${STAGES.length} max pools, got [${maps.join(', ')}].`,
    );
  const random = new Philox(seed, INITIALISATION);
  const net = new VGG19(vgg19Widths(maps), options);
  for (const { weight } of net.features.filter(conv => conv !== undefined)) {
    const bound = Math.sqrt(6 / (9 * weight.shape[1]));
    weight.write(Float32Array.from({ length: weight.size }, () => (2 * random.uniform() - 1) * bound));
  }
  return net;
}

/**
 * The discriminator of SRGAN: figure 4 (bottom) of Ledig et al., "Photo-Realistic Single Image Super-Resolution Using a
 * Generative Adversarial Network", CVPR 2017. 23,563,649 parameters at the paper's size, most of them in the first dense
 * layer. It ends with logits: the paper's sigmoid is part of the loss (`bceWithLogits`), where it cannot overflow.
 *
 * The paper does not specify the padding and biases; as in most re-implementations: zero padding, biases except before batch
 * norm.
 */
import { ShapeError } from '../engine/basics/errors.ts';
import { Philox } from '../engine/basics/philox.ts';
import { formatShape } from '../engine/basics/shape.ts';
import { type Tensor, tidy } from '../engine/tensor.ts';
import { leakyRelu, reshape } from '../kernels/index.ts';
import { BatchNorm2d, Conv2d, Linear } from '../nn/index.ts';
import { type HostTensor, Module, WeightsError } from '../nn/module.ts';
import { type ConfigOf, type DiscriminatingNetwork, integerField, NetworkModule } from './network.ts';

/** Total stride. */
const REDUCTION = 16;

const FIELDS = {
  channels: integerField(64, 'feature maps of the first convolution, n in figure 4; the last has 8 times as many'),
  size: integerField(96, 'height and width of the images in pixels', { min: REDUCTION, multipleOf: REDUCTION }),
  hidden: integerField(1024, 'units of the first dense layer (figure 4)', { max: 65_536 }),
};

/** Configuration of {@link Discriminator}. */
export type DiscriminatorConfig = ConfigOf<typeof FIELDS>;

/** Options of {@link discriminator}. Sizes that are not given are the paper's. */
export interface DiscriminatorOptions extends Partial<DiscriminatorConfig> {
  /** Seed of the initial weights. */
  readonly seed?: number;
}

/** The seven convolutions after the first: feature maps as multiples of the first's, and strides. */
const COLUMN = [
  [1, 2],
  [2, 1],
  [2, 2],
  [4, 1],
  [4, 2],
  [8, 1],
  [8, 2],
] as const;
const WIDEST = 8;

/** Slope α of the leaky ReLU. */
const SLOPE = 0.2;

/** k3, BN, leaky ReLU. */
class ConvBlock extends Module {
  readonly conv: Conv2d;
  readonly bn: BatchNorm2d;

  constructor(inputs: number, outputs: number, stride: number, random: Philox | false) {
    super();
    this.conv = new Conv2d(inputs, outputs, 3, { stride, padding: 1, bias: false, random });
    this.bn = new BatchNorm2d(outputs);
  }

  forward(x: Tensor): Tensor {
    return tidy(() => leakyRelu(this.bn.forward(this.conv.forward(x)), SLOPE));
  }
}

/** Images [N, 3, size, size] in [-1, 1] to logits [N, 1]: above 0 for "a photograph". */
export class Discriminator extends NetworkModule<DiscriminatorConfig> {
  /** The first convolution, from RGB. */
  readonly convIn: Conv2d;
  /** Seven convolutions with batch normalization; every other one halves the size. */
  readonly blocks: readonly ConvBlock[];
  /** Dense layer from the features to the hidden units. */
  readonly fc1: Linear;
  /** Dense layer to the logit. */
  readonly fc2: Linear;
  /** Its sizes. */
  readonly config: DiscriminatorConfig;

  /** Without `random` the weights are zeros, to be loaded. */
  constructor(config: DiscriminatorConfig, random: Philox | false = false) {
    super();
    const { channels: n, size, hidden } = config;
    this.config = { channels: n, size, hidden };
    this.convIn = new Conv2d(3, n, 3, { padding: 1, random });
    let inputs = 1;
    this.blocks = COLUMN.map(([outputs, stride]) => {
      const block = new ConvBlock(inputs * n, outputs * n, stride, random);
      inputs = outputs;
      return block;
    });
    this.fc1 = new Linear(featuresOf(config), hidden, { random });
    this.fc2 = new Linear(hidden, 1, { random });
  }

  get network() {
    return discriminatorNetwork;
  }

  /** Throws ShapeError for images of another size. */
  forward(image: Tensor): Tensor {
    const [batch = 0, ...rest] = image.shape;
    const { size } = this.config;
    if (rest.join() !== [3, size, size].join())
      throw new ShapeError(
        'discriminator',
        `expected images of [N, 3, ${size}, ${size}], got ${formatShape(image.shape)}.`,
      );
    return tidy(() => {
      let x = leakyRelu(this.convIn.forward(image), SLOPE);
      for (const block of this.blocks) x = block.forward(x);
      x = reshape(x, [batch, featuresOf(this.config)]);
      return this.fc2.forward(leakyRelu(this.fc1.forward(x), SLOPE));
    });
  }
}

/** Inputs of the dense layers per image: 512×6×6 at the paper's size. */
const featuresOf = ({ channels, size }: DiscriminatorConfig): number => WIDEST * channels * (size / REDUCTION) ** 2;

/** Random stream of the initial weights; the generator's is 1. */
const INITIALISATION = 2;

/** A new discriminator with PyTorch's default initialization. Throws WeightsError for invalid sizes. */
export function discriminator(options: DiscriminatorOptions = {}): Discriminator {
  const { channels = 64, size = 96, hidden = 1024, seed = 0 } = options;
  const count = (value: number) => Number.isInteger(value) && value >= 1;
  if (!count(channels) || !count(hidden))
    throw new WeightsError(
      `Discriminator: expected channels and hidden units of at least 1, got ${channels} and ${hidden}.`,
    );
  if (!count(size) || size % REDUCTION !== 0)
    throw new WeightsError(
      `Discriminator: expected an image side that is a multiple of ${REDUCTION} pixels (its strides halve it four times), got ${size}.`,
    );
  return new Discriminator({ channels, size, hidden }, new Philox(seed, INITIALISATION));
}

/**
 * The sizes of a discriminator with these weights. Checks the shapes of its largest tensors, so that a file cannot request a
 * network much larger than itself.
 * @throws WeightsError if the weights belong to another network.
 */
export function discriminatorConfig(tensors: ReadonlyMap<string, HostTensor>): DiscriminatorConfig {
  const shapeOf = (name: string): readonly number[] => tensors.get(name)?.shape ?? [];
  const fail = (name: string, expected: string) => {
    const found = tensors.has(name) ? `is ${formatShape(shapeOf(name))}` : 'is missing';
    return new WeightsError(`not discriminator weights: ${name} ${found}, expected ${expected}.`);
  };
  const [channels = 0, ...kernel] = shapeOf('conv_in.weight');
  if (channels < 1 || kernel.join() !== '3,3,3') throw fail('conv_in.weight', '[channels, 3, 3, 3]');
  const last = WIDEST * channels;
  if (shapeOf('blocks.6.conv.weight').join() !== [last, last, 3, 3].join())
    throw fail('blocks.6.conv.weight', `[${last}, ${last}, 3, 3]`);
  const [hidden = 0, features = 0, ...more] = shapeOf('fc1.weight');
  const size = REDUCTION * Math.sqrt(features / last);
  if (hidden < 1 || features < 1 || more.length > 0 || size % REDUCTION !== 0)
    throw fail('fc1.weight', `[hidden, ${last} · (size / ${REDUCTION})²]`);
  return { channels, size, hidden };
}

/** The discriminator as a declaration. */
export const discriminatorNetwork: DiscriminatingNetwork<DiscriminatorConfig, Discriminator> = {
  name: 'discriminator',
  label: 'discriminator',
  role: 'discriminator',
  paper:
    'Ledig et al., "Photo-Realistic Single Image Super-Resolution Using a Generative Adversarial Network", CVPR 2017',
  parameters: 23_563_649,
  fields: FIELDS,
  build: (config, first) => (first ? discriminator({ ...config, ...first }) : new Discriminator(config)),
  configOf: discriminatorConfig,
};

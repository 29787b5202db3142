/**
 * SRResNet, the generator of SRGAN: figure 4 (top) of Ledig et al., "Photo-Realistic Single Image Super-Resolution
 * Using a Generative Adversarial Network", CVPR 2017. 1,548,547 parameters at the paper's size.
 *
 * The paper does not specify these choices; as in most re-implementations: zero padding, biases except before batch norm,
 * one PReLU slope per channel (initially 0.25), no final activation. Files with other choices can be read too: see
 * `SRResNetConfig`.
 */
import { Philox } from '../engine/basics/philox.ts';
import { type Tensor, tidy } from '../engine/tensor.ts';
import { add, tanh } from '../kernels/index.ts';
import { BatchNorm2d, Conv2d, PReLU, SubPixel } from '../nn/index.ts';
import { type HostTensor, Module, WeightsError } from '../nn/module.ts';
import {
  type ConfigOf,
  choiceField,
  completed,
  edgesField,
  expectShape,
  flagField,
  integerField,
  NetworkModule,
  type UpscalingNetwork,
} from './network.ts';

const FIELDS = {
  channels: integerField(64, 'feature maps, n in figure 4'),
  blocks: integerField(16, 'residual blocks, B in §3.2', { min: 0, max: 1024 }),
  slopes: choiceField(['channel', 'layer'], 'slopes of PReLU: one per channel, or one per layer'),
  biases: flagField(false, 'whether convolutions before batch norm have biases, which batch norm cancels'),
  middle: choiceField(['batchNorm', 'prelu'], 'after the blocks: batch norm, or PReLU (and a bias before it)'),
  longSkip: choiceField(
    ['add', 'none'],
    'whether the features before the blocks are added to those after them (figure 7 compares both)',
    { inTensors: false },
  ),
  output: choiceField(['linear', 'tanh'], 'final activation: none, or tanh', { inTensors: false }),
  edges: edgesField,
};

/** Configuration of {@link SRResNet}. */
export type SRResNetConfig = ConfigOf<typeof FIELDS>;

/** Defaults are the paper's or, where it does not specify, those of most re-implementations. */
export interface SRResNetOptions extends Partial<SRResNetConfig> {
  /** Seed of the initial weights. */
  readonly seed?: number;
  /**
   * ICNR (Aitken et al. 2017): initializes sub-pixel convolutions so that the initial output has no checkerboard. Default
   * false; affects only the initial weights.
   */
  readonly icnr?: boolean;
}

/** k3n64s1, BN, PReLU, k3n64s1, BN, elementwise sum. */
class ResidualBlock extends Module {
  readonly conv1: Conv2d;
  readonly bn1: BatchNorm2d;
  readonly prelu: PReLU;
  readonly conv2: Conv2d;
  readonly bn2: BatchNorm2d;

  constructor(n: number, slopes: number, bias: boolean, random: Philox) {
    super();
    this.conv1 = new Conv2d(n, n, 3, { padding: 1, bias, random });
    this.bn1 = new BatchNorm2d(n);
    this.prelu = new PReLU(slopes);
    this.conv2 = new Conv2d(n, n, 3, { padding: 1, bias, random });
    this.bn2 = new BatchNorm2d(n);
  }

  forward(x: Tensor): Tensor {
    return tidy(() => {
      const inner = this.prelu.forward(this.bn1.forward(this.conv1.forward(x)));
      return add(this.bn2.forward(this.conv2.forward(inner)), x);
    });
  }
}

/** LR [N, 3, H, W] in [0, 1] to SR [N, 3, 4H, 4W] in about [-1, 1]. */
export class SRResNet extends NetworkModule<SRResNetConfig> {
  /** The first convolution, from RGB. */
  readonly convIn: Conv2d;
  /** The activation after it. */
  readonly preluIn: PReLU;
  /** The residual blocks, in order. */
  readonly blocks: readonly ResidualBlock[];
  /** The convolution after the blocks, before the long skip connection. */
  readonly convMid: Conv2d;
  /** Exactly one of these is set. */
  readonly bnMid: BatchNorm2d | undefined;
  /** See `bnMid`. */
  readonly preluMid: PReLU | undefined;
  /** Sub-pixel convolutions, each of which doubles the size. */
  readonly up: readonly SubPixel[];
  /** The last convolution, to RGB. */
  readonly convOut: Conv2d;
  /** Its sizes and variations. */
  readonly config: SRResNetConfig;

  constructor(options: SRResNetOptions = {}) {
    super();
    const { seed = 0, icnr = false } = options;
    const random = new Philox(seed, INITIALISATION);
    this.config = srresnetConfigOf(options);
    const { channels: n, blocks: B, biases, middle } = this.config;
    const slopes = this.config.slopes === 'channel' ? n : 1;
    this.convIn = new Conv2d(3, n, 9, { padding: 4, random });
    this.preluIn = new PReLU(slopes);
    this.blocks = Array.from({ length: B }, () => new ResidualBlock(n, slopes, biases, random));
    this.convMid = new Conv2d(n, n, 3, { padding: 1, bias: biases || middle === 'prelu', random });
    this.bnMid = middle === 'batchNorm' ? new BatchNorm2d(n) : undefined;
    this.preluMid = middle === 'prelu' ? new PReLU(slopes) : undefined;
    this.up = [new SubPixel(n, { slopes, icnr, random }), new SubPixel(n, { slopes, icnr, random })];
    this.convOut = new Conv2d(n, 3, 9, { padding: 4, random });
  }

  get network() {
    return srresnetNetwork;
  }

  forward(lr: Tensor): Tensor {
    return tidy(() => {
      const first = this.preluIn.forward(this.convIn.forward(lr));
      let x = first;
      for (const block of this.blocks) x = block.forward(x);
      x = this.convMid.forward(x);
      x = this.bnMid?.forward(x) ?? this.preluMid?.forward(x) ?? x;
      if (this.config.longSkip === 'add') x = add(x, first);
      for (const stage of this.up) x = stage.forward(x);
      x = this.convOut.forward(x);
      return this.config.output === 'tanh' ? tanh(x) : x;
    });
  }
}

/** The full configuration for options. Choices that make no difference are set to the default. */
export const srresnetConfigOf = (options: SRResNetOptions): SRResNetConfig => completed(srresnetNetwork, options);

/** Random stream of the initial weights. */
const INITIALISATION = 1;

/** A new SRResNet with PyTorch's default initialization. Throws WeightsError for invalid sizes. */
export function srresnet(options: SRResNetOptions = {}): SRResNet {
  const { channels, blocks } = srresnetConfigOf(options);
  if (!Number.isInteger(channels) || channels < 1 || !Number.isInteger(blocks) || blocks < 0)
    throw new WeightsError(
      `SRResNet: expected channels of at least 1 and blocks of at least 0, got ${channels} and ${blocks}.`,
    );
  return new SRResNet(options);
}

/**
 * LR pixels on each side that an output pixel depends on: 4 for the first 9×9, 2 per block, 1 each for the middle and the
 * first sub-pixel convolution, and 2 for the last two, whose half and quarter pixels (1/2 + 4/4) are rounded up.
 */
export const srresnetHalo = ({ blocks }: { readonly blocks: number }): number => 4 + 2 * blocks + 1 + 1 + 2;

/**
 * The network of these weights. Choices that tensors do not show have their defaults: `output` is `linear`. Checks the shapes
 * of the largest convolutions, so that a file cannot request a network much larger than itself.
 * @throws WeightsError if the weights belong to another network.
 */
export function srresnetConfig(tensors: ReadonlyMap<string, HostTensor>): SRResNetConfig {
  const expected = (name: string, shape: readonly (number | string)[]) => expectShape('SRResNet', tensors, name, shape);
  expected('conv_in.weight', ['channels', 3, 9, 9]);
  const channels = tensors.get('conv_in.weight')!.shape[0];
  expected('conv_mid.weight', [channels, channels, 3, 3]);
  let blocks = 0;
  for (; tensors.has(`blocks.${blocks}.conv1.weight`); blocks++)
    expected(`blocks.${blocks}.conv1.weight`, [channels, channels, 3, 3]);
  const middle = tensors.has('prelu_mid.weight') ? 'prelu' : 'batchNorm';
  const biased = blocks > 0 ? 'blocks.0.conv1.bias' : 'conv_mid.bias';
  const slopes = tensors.get('prelu_in.weight')?.shape.join() === '1' ? 'layer' : 'channel';
  return srresnetConfigOf({ channels, blocks, slopes, biases: tensors.has(biased), middle });
}

/** SRResNet as a declaration. */
export const srresnetNetwork: UpscalingNetwork<SRResNetConfig, SRResNet> = {
  name: 'srresnet',
  label: 'SRResNet',
  role: 'upscaler',
  paper:
    'Ledig et al., "Photo-Realistic Single Image Super-Resolution Using a Generative Adversarial Network", CVPR 2017',
  parameters: 1_548_547,
  fields: FIELDS,
  scale: 4,
  halo: srresnetHalo,
  images: ({ edges }) => ({
    colour: 'rgb',
    enlarged: false,
    output: [-1, 1],
    edges: edges === 'mirror' ? 'mirror' : 'none',
  }),
  describe: ({ channels, blocks }) =>
    `${blocks} ${blocks === 1 ? 'block' : 'blocks'} of ${channels} ${channels === 1 ? 'channel' : 'channels'}`,
  build: (config, first) => srresnet({ ...config, ...first }),
  onnx(graph, input, { blocks, middle, longSkip, output }) {
    const first = graph.prelu('prelu_in', graph.conv('conv_in', input));
    let x = first;
    for (let i = 0; i < blocks; i++) {
      const inner = graph.batchNorm(`blocks.${i}.bn1`, graph.conv(`blocks.${i}.conv1`, x));
      const outer = graph.conv(`blocks.${i}.conv2`, graph.prelu(`blocks.${i}.prelu`, inner));
      x = graph.add(graph.batchNorm(`blocks.${i}.bn2`, outer), x);
    }
    x = graph.conv('conv_mid', x);
    x = middle === 'batchNorm' ? graph.batchNorm('bn_mid', x) : graph.prelu('prelu_mid', x);
    if (longSkip === 'add') x = graph.add(x, first);
    for (const stage of ['up.0', 'up.1'])
      x = graph.prelu(`${stage}.prelu`, graph.pixelShuffle(graph.conv(`${stage}.conv`, x), 2));
    x = graph.conv('conv_out', x);
    return output === 'tanh' ? graph.tanh(x) : x;
  },
  // The options of `daybreak train` have this paper's defaults.
  recipe: { optimizer: 'adam', options: {} },
  configOf: srresnetConfig,
  published(metadata, found) {
    // Third-party scores were computed with zero padding.
    const published = { ...found, edges: 'zero' } as const;
    const { output_activation: activation = 'none' } = metadata;
    if (activation === 'none' || activation === 'linear') return published;
    if (activation === 'tanh') return { ...published, output: 'tanh' };
    throw new WeightsError(`metadata "output_activation": expected none or tanh, got "${activation}".`);
  },
  normal: config => ({
    ...config,
    slopes: config.channels === 1 ? 'channel' : config.slopes,
    biases: config.biases && (config.blocks > 0 || config.middle === 'batchNorm'),
  }),
};

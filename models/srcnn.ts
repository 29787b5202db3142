/**
 * SRCNN: Dong, Loy, He and Tang, "Learning a Deep Convolutional Network for Image Super-Resolution", ECCV 2014 (kernels of
 * 9, 1 and 5), and "Image Super-Resolution Using Deep Convolutional Networks", TPAMI 2016 (9, 3, 5 and 9, 5, 5). 8,129
 * parameters at the first paper's size. As in the authors' program: replicated edges at every layer, no clamp.
 */
import { Philox } from '../engine/basics/philox.ts';
import { type Tensor, tidy } from '../engine/tensor.ts';
import { relu } from '../kernels/index.ts';
import { Conv2d, init } from '../nn/index.ts';
import { WeightsError } from '../nn/module.ts';
import {
  type ConfigOf,
  expectShape,
  integerField,
  kernelOf,
  NetworkModule,
  startsWith,
  type UpscalingNetwork,
} from './network.ts';

const FIELDS = {
  channels: integerField(64, 'feature maps of the first layer'),
  hidden: integerField(32, 'feature maps of the second layer'),
  kernel: integerField(1, "side of the second layer's kernels; the first has 9, the last 5", { max: 9 }),
};

/** Configuration of {@link SRCNN}. */
export type SRCNNConfig = ConfigOf<typeof FIELDS>;

const kernelsOf = ({ kernel }: Pick<SRCNNConfig, 'kernel'>) => [9, kernel, 5];

/** Standard deviation of the initial weights; biases are 0 (ECCV 2014, §3.3). */
const DEVIATION = 1e-3;
/** Random stream of the initial weights. */
const INITIALISATION = 11;

/** Enlarged luma [N, 1, H, W] in [0, 1] to luma of the same size. */
export class SRCNN extends NetworkModule<SRCNNConfig> {
  /** The convolutions, in order. */
  readonly convs: readonly Conv2d[];
  /** Its sizes. */
  readonly config: SRCNNConfig;

  /** Without `random` the weights are zeros, to be loaded. */
  constructor(config: SRCNNConfig, random?: Philox) {
    super();
    this.config = config;
    const widths = [1, config.channels, config.hidden, 1];
    this.convs = kernelsOf(config).map((kernel, i) => {
      const padding = kernel >> 1;
      const conv = new Conv2d(widths[i], widths[i + 1], kernel, { padding, paddingMode: 'replicate', random: false });
      if (random) init.normal(conv.weight, 0, DEVIATION, { random });
      return conv;
    });
  }

  get network() {
    return srcnnNetwork;
  }

  forward(x: Tensor): Tensor {
    return this.#layers(x, (conv, y) => conv.forward(y));
  }

  override inner(x: Tensor): Tensor {
    return this.#layers(x, (conv, y) => conv.valid(y));
  }

  #layers(x: Tensor, run: (conv: Conv2d, y: Tensor) => Tensor): Tensor {
    return tidy(() => {
      const [first, second, third] = this.convs;
      return run(third, relu(run(second, relu(run(first, x)))));
    });
  }
}

/** SRCNN as a declaration. */
export const srcnnNetwork: UpscalingNetwork<SRCNNConfig, SRCNN> = {
  name: 'srcnn',
  label: 'SRCNN',
  role: 'upscaler',
  paper: 'Dong et al., "Learning a Deep Convolutional Network for Image Super-Resolution", ECCV 2014',
  parameters: 8129,
  fields: FIELDS,
  scale: 4,
  halo: config => kernelsOf(config).reduce((sum, kernel) => sum + (kernel >> 1), 0),
  images: () => ({ colour: 'luma', enlarged: true, output: [0, 1], edges: 'none' }),
  describe: ({ kernel, channels, hidden }) => `kernels 9-${kernel}-5, ${channels} and ${hidden} channels`,
  build(config, first) {
    // An even kernel has no centre.
    if (config.kernel % 2 === 0) throw new WeightsError(`SRCNN: kernel: expected an odd number, got ${config.kernel}.`);
    return new SRCNN(config, first && new Philox(first.seed, INITIALISATION));
  },
  recipe: {
    optimizer: 'sgd',
    // ½ Σ over the pixels of a crop, as Caffe's loss, with which the authors trained.
    summed: true,
    valid: true,
    options: {
      // 33 in the papers, which is no multiple of 4. The target is the 24 pixels that no padding reaches (21 of 33).
      crop: 36,
      batch: 128,
      // 8·10⁸ crops.
      steps: 6_250_000,
      lr: 1e-4,
      lastRate: 0.1,
      momentum: 0.9,
    },
  },
  onnx(graph, input) {
    const conv = (i: number, x: string) => graph.conv(`convs.${i}`, x, { edges: 'replicate' });
    return conv(2, graph.relu(conv(1, graph.relu(conv(0, input)))));
  },
  recognizes: tensors => startsWith(tensors, ['channels', 1, 9, 9]),
  configOf(tensors) {
    const kernel = kernelOf('SRCNN', tensors, 'convs.1.weight');
    const [hidden, channels] = tensors.get('convs.1.weight')!.shape;
    expectShape('SRCNN', tensors, 'convs.0.weight', [channels, 1, 9, 9]);
    expectShape('SRCNN', tensors, 'convs.1.weight', [hidden, channels, kernel, kernel]);
    expectShape('SRCNN', tensors, 'convs.2.weight', [1, hidden, 5, 5]);
    return { channels, hidden, kernel };
  },
};

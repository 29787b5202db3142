/**
 * VDSR: Kim, Lee and Lee, "Accurate Image Super-Resolution Using Very Deep Convolutional Networks", CVPR 2016. 665,921
 * parameters: 20 convolutions of 3×3 on enlarged luma, which predict what to add to it. As in the authors' program: zero
 * padding, and input clamped to the range of luma.
 */
import { Philox } from '../engine/basics/philox.ts';
import { type Tensor, tidy } from '../engine/tensor.ts';
import { add, relu } from '../kernels/index.ts';
import type { Conv2d } from '../nn/index.ts';
import { WeightsError } from '../nn/module.ts';
import { heConv } from './he-conv.ts';
import {
  type ConfigOf,
  countConvs,
  expectShape,
  flagField,
  integerField,
  NetworkModule,
  STUDIO_RANGE,
  startsWith,
  type UpscalingNetwork,
} from './network.ts';

const FIELDS = {
  channels: integerField(64, 'feature maps'),
  layers: integerField(20, 'convolutions', { min: 2, max: 1024 }),
  biases: flagField(true, 'whether the convolutions have biases'),
  clamp: flagField(true, 'whether the input is clamped to the range of luma', { inTensors: false }),
};

/** Configuration of {@link VDSR}. */
export type VDSRConfig = ConfigOf<typeof FIELDS>;

/** Random stream of the initial weights. */
const INITIALISATION = 13;

/** Enlarged luma [N, 1, H, W] in [0, 1] to luma of the same size. */
export class VDSR extends NetworkModule<VDSRConfig> {
  /** The convolutions, in order. */
  readonly convs: readonly Conv2d[];
  /** Its sizes. */
  readonly config: VDSRConfig;

  /** Initial weights are those of He et al. 2015. Without `random` they are zeros, to be loaded. */
  constructor(config: VDSRConfig, random?: Philox) {
    super();
    this.config = config;
    const { channels, layers, biases: bias } = config;
    this.convs = Array.from({ length: layers }, (_, i) => {
      const inputs = i === 0 ? 1 : channels;
      const outputs = i === layers - 1 ? 1 : channels;
      return heConv(inputs, outputs, { bias, random });
    });
  }

  get network() {
    return vdsrNetwork;
  }

  forward(x: Tensor): Tensor {
    return tidy(() => {
      let y = x;
      for (const conv of this.convs.slice(0, -1)) y = relu(conv.forward(y));
      return add(this.convs.at(-1)!.forward(y), x);
    });
  }
}

/** VDSR as a declaration. */
export const vdsrNetwork: UpscalingNetwork<VDSRConfig, VDSR> = {
  name: 'vdsr',
  label: 'VDSR',
  role: 'upscaler',
  paper: 'Kim et al., "Accurate Image Super-Resolution Using Very Deep Convolutional Networks", CVPR 2016',
  parameters: 665_921,
  fields: FIELDS,
  scale: 4,
  halo: ({ layers }) => layers,
  images: ({ clamp }) => ({
    colour: 'luma',
    enlarged: true,
    ...(clamp ? { clamp: STUDIO_RANGE } : {}),
    output: [0, 1],
    edges: 'none',
  }),
  describe: ({ layers, channels }) => `${layers} layers of ${channels} channels`,
  build: (config, first) => new VDSR(config, first && new Philox(first.seed, INITIALISATION)),
  recipe: {
    optimizer: 'sgd',
    summed: true,
    options: {
      // 41 in the paper, which is no multiple of 4.
      crop: 40,
      batch: 64,
      // 80 epochs; the rate falls after every 20.
      steps: 9960,
      lr: 0.1,
      lrSchedule: 'step',
      lrStepEvery: 2490,
      momentum: 0.9,
      weightDecay: 1e-4,
      // θ is not in the paper: ours.
      clipValue: 0.01,
      flips: true,
      rotations: true,
    },
  },
  onnx(graph, input, { layers }) {
    let x = input;
    for (let i = 0; i < layers - 1; i++) x = graph.relu(graph.conv(`convs.${i}`, x));
    return graph.add(graph.conv(`convs.${layers - 1}`, x), input);
  },
  recognizes: tensors => startsWith(tensors, ['channels', 1, 3, 3]),
  configOf(tensors) {
    expectShape('VDSR', tensors, 'convs.0.weight', ['channels', 1, 3, 3]);
    const [channels] = tensors.get('convs.0.weight')!.shape;
    const layers = countConvs(tensors);
    if (layers < 2) throw new WeightsError('not VDSR weights: convs.1.weight is missing.');
    for (let i = 1; i < layers - 1; i++) expectShape('VDSR', tensors, `convs.${i}.weight`, [channels, channels, 3, 3]);
    expectShape('VDSR', tensors, `convs.${layers - 1}.weight`, [1, channels, 3, 3]);
    return { channels, layers, biases: tensors.has('convs.0.bias'), clamp: true };
  },
  // The authors' network has biases, and its program clamps. PyTorch's widespread version (twtygqyy) has neither.
  published: (_, found) => ({ ...found, clamp: found.biases }),
};

/**
 * DRCN: Kim, Lee and Lee, "Deeply-Recursive Convolutional Network for Image Super-Resolution", CVPR 2016. 1,775,121
 * parameters: two convolutions embed enlarged luma; one convolution is applied up to 16 times; two more turn the result of
 * every recursion into a prediction of what to add to the input. The result is the weighted sum of the predictions, plus the
 * input. As in the authors' program, the input is added once with weight 1, and clamped to the range of luma.
 *
 * Ours, where the authors' released files do not say: ReLU between the two convolutions of the reconstruction, none after.
 */
import { Philox } from '../engine/basics/philox.ts';
import { type Tensor, tidy } from '../engine/tensor.ts';
import { type Variable, variable } from '../engine/variable.ts';
import { add, concat, conv2d, relu, reshape } from '../kernels/index.ts';
import { Conv2d } from '../nn/index.ts';
import { heConv } from './he-conv.ts';
import {
  type ConfigOf,
  expectShape,
  integerField,
  NetworkModule,
  STUDIO_RANGE,
  type UpscalingNetwork,
} from './network.ts';

const FIELDS = {
  channels: integerField(256, 'feature maps'),
  recursions: integerField(16, 'applications of the shared convolution', { max: 1024 }),
};

/** Configuration of {@link DRCN}. */
export type DRCNConfig = ConfigOf<typeof FIELDS>;

/** Random stream of the initial weights. */
const INITIALISATION = 14;

/** Enlarged luma [N, 1, H, W] in [0, 1] to luma of the same size. */
export class DRCN extends NetworkModule<DRCNConfig> {
  /** Two convolutions, 1 to C and C to C channels. */
  readonly embedding: readonly Conv2d[];
  /** The convolution of every recursion. */
  readonly recursion: Conv2d;
  /** Two convolutions, C to C and C to 1 channels. */
  readonly reconstruction: readonly Conv2d[];
  /** Weights of the recursions' predictions, initially equal. */
  readonly weights: Variable;
  /** Number of feature maps and of recursions. */
  readonly config: DRCNConfig;

  /**
   * Initial weights are those of He et al. 2015, and the identity for the recursion. Without `random` they are zeros, to be
   * loaded.
   */
  constructor(config: DRCNConfig, random?: Philox) {
    super();
    this.config = config;
    const { channels: n, recursions } = config;
    this.embedding = [heConv(1, n, { random }), heConv(n, n, { random })];
    this.recursion = new Conv2d(n, n, 3, { padding: 1, random: false });
    if (random) this.recursion.weight.write(identity(n));
    this.reconstruction = [heConv(n, n, { random }), heConv(n, 1, { random })];
    this.weights = variable(new Float32Array(recursions).fill(1 / recursions), [recursions], { name: 'weights' });
  }

  get network() {
    return drcnNetwork;
  }

  /** The prediction of each recursion, without the input: [N, recursions, H, W]. */
  residuals(x: Tensor): Tensor {
    return tidy(() => {
      const [n = 0, , height = 0, width = 0] = x.shape;
      const [first, second] = this.reconstruction;
      let h = x;
      for (const conv of this.embedding) h = relu(conv.forward(h));
      const residuals = Array.from({ length: this.config.recursions }, () => {
        h = relu(this.recursion.forward(h));
        return second.forward(relu(first.forward(h)));
      });
      return reshape(concat(residuals, 1), [n, residuals.length, height, width]);
    });
  }

  /** The weighted sum of residuals [N, recursions, H, W], plus the input. */
  combined(x: Tensor, residuals: Tensor): Tensor {
    const { recursions } = this.config;
    return tidy(() => add(conv2d(residuals, reshape(this.weights, [1, recursions, 1, 1])), x));
  }

  forward(x: Tensor): Tensor {
    return tidy(() => this.combined(x, this.residuals(x)));
  }

  override supervised(x: Tensor): { predictions: Tensor; output: Tensor } {
    const residuals = this.residuals(x);
    return { predictions: add(residuals, x), output: this.combined(x, residuals) };
  }
}

/** A 3×3 kernel that returns its input. */
function identity(channels: number): Float32Array {
  const data = new Float32Array(channels ** 2 * 9);
  for (let c = 0; c < channels; c++) data[(c * channels + c) * 9 + 4] = 1;
  return data;
}

/** DRCN as a declaration. */
export const drcnNetwork: UpscalingNetwork<DRCNConfig, DRCN> = {
  name: 'drcn',
  label: 'DRCN',
  role: 'upscaler',
  paper: 'Kim et al., "Deeply-Recursive Convolutional Network for Image Super-Resolution", CVPR 2016',
  parameters: 1_775_121,
  fields: FIELDS,
  scale: 4,
  halo: ({ recursions }) => 2 + recursions + 2,
  images: () => ({ colour: 'luma', enlarged: true, clamp: STUDIO_RANGE, output: [0, 1], edges: 'none' }),
  describe: ({ recursions, channels }) => `${recursions} recursions of ${channels} channels`,
  build: (config, first) => new DRCN(config, first && new Philox(first.seed, INITIALISATION)),
  recipe: {
    optimizer: 'sgd',
    summed: true,
    options: {
      // 41 in the paper, which is no multiple of 4.
      crop: 40,
      batch: 64,
      // The paper divides the rate by 10 whenever validation stalls, until 10⁻⁶; steps at fixed updates are ours.
      steps: 200_000,
      lr: 0.01,
      lrSchedule: 'step',
      lrStepEvery: 40_000,
      momentum: 0.9,
      // The gradient of β‖θ‖² with β = 10⁻⁴.
      weightDecay: 2e-4,
      // How α falls from 1 to 0 is not in the paper: linearly, over these updates, is ours.
      supervisionSteps: 40_000,
    },
  },
  onnx(graph, input, { recursions }) {
    let h = input;
    for (const layer of ['embedding.0', 'embedding.1']) h = graph.relu(graph.conv(layer, h));
    const residuals = Array.from({ length: recursions }, () => {
      h = graph.relu(graph.conv('recursion', h));
      return graph.conv('reconstruction.1', graph.relu(graph.conv('reconstruction.0', h)));
    });
    return graph.add(graph.weightedSum('weights', graph.concat(residuals)), input);
  },
  recognizes: tensors => tensors.has('recursion.weight'),
  configOf(tensors) {
    expectShape('DRCN', tensors, 'embedding.0.weight', ['channels', 1, 3, 3]);
    const [channels] = tensors.get('embedding.0.weight')!.shape;
    for (const name of ['embedding.1', 'recursion', 'reconstruction.0'])
      expectShape('DRCN', tensors, `${name}.weight`, [channels, channels, 3, 3]);
    expectShape('DRCN', tensors, 'weights', ['recursions']);
    return { channels, recursions: tensors.get('weights')!.shape[0] };
  },
};

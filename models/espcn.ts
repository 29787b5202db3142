/**
 * ESPCN: Shi et al., "Real-Time Single Image and Video Super-Resolution Using an Efficient Sub-Pixel Convolutional Neural
 * Network", CVPR 2016. 24,752 parameters. It works on LR; the last layer's 16 feature maps are the result's 4×4 phases. The
 * paper has tanh and nothing after the last layer; networks trained by others have ReLU, tanh at the end, or luma in [0, 1].
 *
 * The paper does not specify the padding and first weights; ours are mirrored pictures and PyTorch's.
 */
import { Philox } from '../engine/basics/philox.ts';
import { type Tensor, tidy } from '../engine/tensor.ts';
import { pixelShuffle, relu, tanh } from '../kernels/index.ts';
import { Conv2d } from '../nn/index.ts';
import { WeightsError } from '../nn/module.ts';
import {
  type ConfigOf,
  choiceField,
  edgesField,
  expectShape,
  integerField,
  type Metadata,
  NetworkModule,
  startsWith,
  type UpscalingNetwork,
} from './network.ts';

const SCALE = 4;

const FIELDS = {
  channels: integerField(64, 'feature maps of the first layer'),
  hidden: integerField(32, 'feature maps of the second layer'),
  activation: choiceField(['tanh', 'relu'], 'what follows the first two layers', { inTensors: false }),
  output: choiceField(['linear', 'tanh'], 'final activation: none, or tanh', { inTensors: false }),
  edges: edgesField,
  range: choiceField(['studio', 'full'], 'range of luma: 16 to 235, or 0 to 255', { inTensors: false }),
};

/** Configuration of {@link ESPCN}. */
export type ESPCNConfig = ConfigOf<typeof FIELDS>;

/** Random stream of the initial weights. */
const INITIALISATION = 12;

/** Luma [N, 1, H, W] in [0, 1] to luma [N, 1, 4H, 4W]. */
export class ESPCN extends NetworkModule<ESPCNConfig> {
  /** The convolutions, in order. */
  readonly convs: readonly Conv2d[];
  /** Its sizes. */
  readonly config: ESPCNConfig;

  /** Without `random` the weights are zeros, to be loaded. */
  constructor(config: ESPCNConfig, random: Philox | false = false) {
    super();
    this.config = config;
    const { channels, hidden } = config;
    this.convs = [
      new Conv2d(1, channels, 5, { padding: 2, random }),
      new Conv2d(channels, hidden, 3, { padding: 1, random }),
      new Conv2d(hidden, SCALE ** 2, 3, { padding: 1, random }),
    ];
  }

  get network() {
    return espcnNetwork;
  }

  forward(x: Tensor): Tensor {
    return this.#layers(x, (conv, y) => conv.forward(y));
  }

  override inner(x: Tensor): Tensor {
    return this.#layers(x, (conv, y) => conv.valid(y));
  }

  #layers(x: Tensor, run: (conv: Conv2d, y: Tensor) => Tensor): Tensor {
    const activation = this.config.activation === 'tanh' ? tanh : relu;
    return tidy(() => {
      const [first, second, third] = this.convs;
      const y = pixelShuffle(run(third, activation(run(second, activation(run(first, x))))), SCALE);
      return this.config.output === 'tanh' ? tanh(y) : y;
    });
  }
}

/** What files of others state, by our names. */
const STATEMENTS = {
  activation: { tanh: { activation: 'tanh' }, relu: { activation: 'relu' } },
  output_activation: { none: { output: 'linear' }, linear: { output: 'linear' }, tanh: { output: 'tanh' } },
  colour: { 'studio-range Y / 255': { range: 'studio' }, 'full-range Y in [0,1]': { range: 'full' } },
} as const satisfies Readonly<Record<string, Readonly<Record<string, Partial<ESPCNConfig>>>>>;

function stated(metadata: Metadata): Partial<ESPCNConfig> {
  let all: Partial<ESPCNConfig> = {};
  for (const [key, meanings] of Object.entries(STATEMENTS)) {
    const value = metadata[key];
    if (value === undefined) continue;
    const meaning = Object.entries(meanings).find(([name]) => name === value)?.[1];
    if (!meaning)
      throw new WeightsError(`metadata "${key}": expected ${Object.keys(meanings).join(' or ')}, got "${value}".`);
    all = { ...all, ...meaning };
  }
  return all;
}

/** ESPCN as a declaration. */
export const espcnNetwork: UpscalingNetwork<ESPCNConfig, ESPCN> = {
  name: 'espcn',
  label: 'ESPCN',
  role: 'upscaler',
  paper:
    'Shi et al., "Real-Time Single Image and Video Super-Resolution Using an Efficient Sub-Pixel Convolutional Neural ' +
    'Network", CVPR 2016',
  parameters: 24_752,
  fields: FIELDS,
  scale: SCALE,
  halo: () => 2 + 1 + 1,
  images: ({ range, edges }) => ({
    colour: range === 'full' ? 'full luma' : 'luma',
    enlarged: false,
    output: [0, 1],
    edges: edges === 'mirror' ? 'mirror' : 'none',
  }),
  describe: ({ channels, hidden }) => `${channels} and ${hidden} channels`,
  build: (config, first) => new ESPCN(config, first && new Philox(first.seed, INITIALISATION)),
  onnx(graph, input, { activation, output }) {
    const act = (x: string) => (activation === 'tanh' ? graph.tanh(x) : graph.relu(x));
    const inner = act(graph.conv('convs.1', act(graph.conv('convs.0', input))));
    const y = graph.pixelShuffle(graph.conv('convs.2', inner), SCALE);
    return output === 'tanh' ? graph.tanh(y) : y;
  },
  recognizes: tensors => startsWith(tensors, ['channels', 1, 5, 5]),
  configOf(tensors) {
    expectShape('ESPCN', tensors, 'convs.0.weight', ['channels', 1, 5, 5]);
    const [channels] = tensors.get('convs.0.weight')!.shape;
    expectShape('ESPCN', tensors, 'convs.1.weight', ['hidden', channels, 3, 3]);
    const [hidden] = tensors.get('convs.1.weight')!.shape;
    expectShape('ESPCN', tensors, 'convs.2.weight', [SCALE ** 2, hidden, 3, 3]);
    return { channels, hidden, activation: 'tanh', output: 'linear', edges: 'mirror', range: 'studio' };
  },
  recipe: {
    optimizer: 'sgd',
    valid: true,
    options: {
      // 17r; the target is the 36 pixels that no padding reaches.
      crop: 68,
      // The paper lowers the rate from 0.01 to 0.0001 as the loss stalls, and names neither batch nor momentum: ours.
      batch: 16,
      steps: 1e6,
      lr: 0.01,
      lrSchedule: 'cosine',
      lrFloor: 1e-4,
      lastRate: 0.1,
      momentum: 0.9,
    },
  },
  // Networks of others were trained with zero padding.
  published: (metadata, found) => ({ ...found, edges: 'zero', ...stated(metadata) }),
};

/** The work that every peer does, and its input data. Images are NCHW, weights OIHW, as in PyTorch. */
import { Philox } from '../../engine/basics/philox.ts';

/** A 3×3 convolution with stride 1 and padding 1. */
export interface ConvolutionWork {
  readonly kind: 'convolution';
  readonly batch: number;
  readonly inputs: number;
  readonly height: number;
  readonly width: number;
  readonly outputs: number;
}

/**
 * An update of SRResNet with Adam (β 0.9 and 0.999, ε 1e-8) on the mean squared error, batch norm in training mode; no
 * biases before batch norm, one PReLU slope per channel. `crop` is the side of the HR images; LR has a quarter of it.
 */
export interface TrainingWork {
  readonly kind: 'training';
  readonly blocks: number;
  readonly channels: number;
  readonly batch: number;
  readonly crop: number;
  readonly learningRate: number;
}

/**
 * An update of ResNet-18's shape for pictures of 32×32 (He et al. 2016) with SGD (momentum 0.9) on the cross entropy, batch norm in
 * training mode; no biases before batch norm.
 */
export interface ClassifyingWork {
  readonly kind: 'classifying';
  /** Channels of the first stage; the others have 2, 4 and 8 times as many. */
  readonly width: number;
  readonly batch: number;
  readonly classes: number;
  readonly learningRate: number;
}

export type Work = ConvolutionWork | TrainingWork | ClassifyingWork;

/** Whether a repetition is an update, whose loss is read. */
export const isUpdate = ({ kind }: Work): boolean => kind !== 'convolution';
export type Pass = 'forward' | 'forward+grads' | 'step';

/** Row-major numbers with their shape. */
export interface HostArray {
  readonly shape: readonly number[];
  readonly data: Float32Array<ArrayBuffer>;
}
export type Arrays = Readonly<Record<string, HostArray>>;

const convolution = (batch: number, inputs: number, side: number, outputs: number): ConvolutionWork => ({
  kind: 'convolution',
  batch,
  inputs,
  height: side,
  width: side,
  outputs,
});

export const CONVOLUTIONS: readonly ConvolutionWork[] = [
  convolution(16, 64, 24, 64),
  convolution(4, 64, 48, 256),
  convolution(16, 128, 48, 128),
  convolution(1, 64, 96, 64),
];

/** A network that is practical on two cores with a software adapter, and the paper's network. */
export const TRAININGS = {
  small: { kind: 'training', blocks: 4, channels: 32, batch: 4, crop: 64, learningRate: 1e-4 },
  full: { kind: 'training', blocks: 16, channels: 64, batch: 16, crop: 96, learningRate: 1e-4 },
} as const satisfies Record<string, TrainingWork>;

/** Narrow, as a software adapter needs it. */
export const CLASSIFYING: ClassifyingWork = {
  kind: 'classifying',
  width: 16,
  batch: 16,
  classes: 10,
  learningRate: 0.01,
};

/** Side of the pictures to classify. */
export const SIDE = 32;

/** A residual block of two convolutions; the first one's stride, and the sides before and after it. */
export interface ResidualBlock {
  readonly name: string;
  readonly inputs: number;
  readonly outputs: number;
  readonly stride: number;
}

/** ResNet-18's eight blocks. */
export const blocksOf = ({ width }: Pick<ClassifyingWork, 'width'>): ResidualBlock[] =>
  [1, 1, 2, 2, 4, 4, 8, 8].map((factor, i, factors) => {
    const [inputs, outputs] = [(factors[i - 1] ?? 1) * width, factor * width];
    return { name: `blocks.${i}`, inputs, outputs, stride: inputs === outputs ? 1 : 2 };
  });

export function workName(work: Work): string {
  if (work.kind === 'classifying') return `ResNet-18 ${work.width} wide, ${work.batch} pictures of ${SIDE}`;
  if (work.kind === 'training') {
    const { blocks, channels, batch, crop } = work;
    return `SRResNet ${blocks} blocks of ${channels}, ${batch} crops of ${crop}`;
  }
  const { batch, inputs, height, width, outputs } = work;
  return `conv 3x3 ${inputs}>${outputs}, ${batch}x${inputs}x${height}x${width}`;
}

/** Operations of a pass, 2 per multiply-add; for a network those of its convolutions. */
export function flops(work: Work, pass: Pass): number {
  if (work.kind === 'convolution') {
    const { batch, inputs, height, width, outputs } = work;
    return 2 * batch * height * width * inputs * outputs * 9 * (pass === 'forward' ? 1 : 3);
  }
  if (work.kind === 'classifying') {
    const { width, batch, classes } = work;
    let side = SIDE;
    let sum = 0;
    for (const { inputs, outputs, stride } of blocksOf(work)) {
      side /= stride;
      sum += side ** 2 * outputs * (9 * inputs + 9 * outputs + (stride === 2 ? inputs : 0));
    }
    return 2 * batch * (2 * SIDE ** 2 * 27 * width + 3 * (sum + 8 * width * classes));
  }
  const { blocks, channels, batch, crop } = work;
  const pixels = (size: number) => batch * size ** 2;
  const first = pixels(crop / 4) * 3 * channels * 81;
  const others =
    pixels(crop / 4) * (2 * blocks + 1) * channels ** 2 * 9 +
    (pixels(crop / 4) + pixels(crop / 2)) * 4 * channels ** 2 * 9 +
    pixels(crop) * 3 * channels * 81;
  // The gradient of the images is not computed.
  return 2 * (2 * first + 3 * others);
}

interface Parameter {
  readonly name: string;
  readonly shape: readonly number[];
  readonly mean: number;
  /** Half the width of the interval of its initial values. */
  readonly spread: number;
}

const weight = (layer: string, outputs: number, inputs: number, kernel: number): Parameter => ({
  name: `${layer}.weight`,
  shape: [outputs, inputs, kernel, kernel],
  mean: 0,
  spread: 1 / Math.sqrt(inputs * kernel ** 2),
});
const vector = (name: string, length: number, mean: number): Parameter => ({
  name,
  shape: [length],
  mean,
  spread: 0.05,
});

/** The parameters of {@link ClassifyingWork}, named as in a state dictionary, in the network's order. */
export function classifierParameters(work: Pick<ClassifyingWork, 'width' | 'classes'>): Parameter[] {
  const norm = (layer: string, n: number) => [vector(`${layer}.weight`, n, 1), vector(`${layer}.bias`, n, 0)];
  const features = 8 * work.width;
  return [
    weight('conv', work.width, 3, 3),
    ...norm('bn', work.width),
    ...blocksOf(work).flatMap(({ name, inputs, outputs, stride }) => [
      weight(`${name}.conv1`, outputs, inputs, 3),
      ...norm(`${name}.bn1`, outputs),
      weight(`${name}.conv2`, outputs, outputs, 3),
      ...norm(`${name}.bn2`, outputs),
      ...(stride === 2
        ? [weight(`${name}.shortcut.0`, outputs, inputs, 1), ...norm(`${name}.shortcut.1`, outputs)]
        : []),
    ]),
    { name: 'fc.weight', shape: [work.classes, features], mean: 0, spread: 1 / Math.sqrt(features) },
    vector('fc.bias', work.classes, 0),
  ];
}

/** The network's parameters, named as in a state dictionary, in the network's order. */
export function parametersOf({ blocks, channels: n }: Pick<TrainingWork, 'blocks' | 'channels'>): Parameter[] {
  const norm = (layer: string) => [vector(`${layer}.weight`, n, 1), vector(`${layer}.bias`, n, 0)];
  const slope = (layer: string) => vector(`${layer}.weight`, n, 0.25);
  return [
    weight('conv_in', n, 3, 9),
    vector('conv_in.bias', n, 0),
    slope('prelu_in'),
    ...Array.from({ length: blocks }, (_, i) => `blocks.${i}`).flatMap(block => [
      weight(`${block}.conv1`, n, n, 3),
      ...norm(`${block}.bn1`),
      slope(`${block}.prelu`),
      weight(`${block}.conv2`, n, n, 3),
      ...norm(`${block}.bn2`),
    ]),
    weight('conv_mid', n, n, 3),
    ...norm('bn_mid'),
    ...['up.0', 'up.1'].flatMap(stage => [
      weight(`${stage}.conv`, 4 * n, n, 3),
      vector(`${stage}.conv.bias`, 4 * n, 0),
      slope(`${stage}.prelu`),
    ]),
    weight('conv_out', 3, n, 9),
    vector('conv_out.bias', 3, 0),
  ];
}

/** Period of the random numbers: engines' speed does not depend on the values. A prime, so that rows differ. */
const DRAWN = 65_521;

function uniform(shape: readonly number[], mean: number, spread: number, stream: number): HostArray {
  const data = new Float32Array(shape.reduce((a, b) => a * b, 1));
  const random = new Philox(9, stream);
  for (let i = 0; i < data.length; i++)
    data[i] = i < DRAWN ? mean + spread * (2 * random.uniform() - 1) : data[i - DRAWN];
  return { shape, data };
}

/**
 * The inputs of a piece of work: x, weight and the gradient dy; or all parameters, lr in [0, 1] and hr in [-1, 1]; or all parameters,
 * images in [-1, 1] and labels.
 */
export function inputsOf(work: Work): Arrays {
  if (work.kind === 'convolution') {
    const { batch, inputs, height, width, outputs } = work;
    return {
      x: uniform([batch, inputs, height, width], 0, 1, 1),
      weight: uniform([outputs, inputs, 3, 3], 0, 0.1, 2),
      dy: uniform([batch, outputs, height, width], 0, 1, 3),
    };
  }
  const draw = (parameters: readonly Parameter[]) =>
    Object.fromEntries(
      parameters.map(({ name, shape, mean, spread }, i) => [name, uniform(shape, mean, spread, 10 + i)]),
    );
  if (work.kind === 'classifying') {
    const { batch, classes } = work;
    return {
      ...draw(classifierParameters(work)),
      images: uniform([batch, 3, SIDE, SIDE], 0, 1, 1),
      labels: { shape: [batch], data: Float32Array.from({ length: batch }, (_, i) => (3 * i) % classes) },
    };
  }
  const { batch, crop } = work;
  return {
    ...draw(parametersOf(work)),
    lr: uniform([batch, 3, crop / 4, crop / 4], 0.5, 0.5, 1),
    hr: uniform([batch, 3, crop, crop], 0, 1, 2),
  };
}

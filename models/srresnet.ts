/**
 * SRResNet, the generator of SRGAN: figure 4 (top) of Ledig et al., "Photo-Realistic Single Image Super-Resolution
 * Using a Generative Adversarial Network", CVPR 2017. 1,548,547 parameters at the paper's size.
 *
 * Not in the paper, and chosen as most re-implementations do: zero padding, biases except before batch norm, one PReLU
 * slope a channel (first 0.25), no activation at the end.
 */
import { Philox } from '../engine/philox.ts';
import type { Tensor } from '../engine/tensor.ts';
import { add } from '../kernels/index.ts';
import { BatchNorm2d, Conv2d, PReLU, SubPixel } from './layers.ts';
import { type HostTensor, Module, WeightsError } from './module.ts';

export interface SRResNetOptions {
  /** Feature maps n; the paper's 64. */
  readonly channels?: number;
  /** Residual blocks B; the paper's 16. */
  readonly blocks?: number;
  /** Seed of the first weights. */
  readonly seed?: number;
}

/** k3n64s1, BN, PReLU, k3n64s1, BN, elementwise sum. */
class ResidualBlock extends Module {
  readonly conv1: Conv2d;
  readonly bn1: BatchNorm2d;
  readonly prelu: PReLU;
  readonly conv2: Conv2d;
  readonly bn2: BatchNorm2d;

  constructor(n: number, random: Philox) {
    super();
    this.conv1 = new Conv2d(n, n, 3, { bias: false, random });
    this.bn1 = new BatchNorm2d(n);
    this.prelu = new PReLU(n);
    this.conv2 = new Conv2d(n, n, 3, { bias: false, random });
    this.bn2 = new BatchNorm2d(n);
  }

  forward(x: Tensor): Tensor {
    const inner = this.prelu.forward(this.bn1.forward(this.conv1.forward(x)));
    return add(this.bn2.forward(this.conv2.forward(inner)), x);
  }
}

/** LR [N, 3, H, W] in [0, 1] to SR [N, 3, 4H, 4W] in about [-1, 1]. */
export class SRResNet extends Module {
  readonly convIn: Conv2d;
  readonly preluIn: PReLU;
  readonly blocks: readonly ResidualBlock[];
  readonly convMid: Conv2d;
  readonly bnMid: BatchNorm2d;
  readonly up: readonly SubPixel[];
  readonly convOut: Conv2d;
  readonly config: { readonly channels: number; readonly blocks: number };

  constructor({ channels: n = 64, blocks: B = 16, seed = 0 }: SRResNetOptions = {}) {
    super();
    const random = new Philox(seed, INITIALISATION);
    this.config = { channels: n, blocks: B };
    this.convIn = new Conv2d(3, n, 9, { random });
    this.preluIn = new PReLU(n);
    this.blocks = Array.from({ length: B }, () => new ResidualBlock(n, random));
    this.convMid = new Conv2d(n, n, 3, { bias: false, random });
    this.bnMid = new BatchNorm2d(n);
    this.up = [new SubPixel(n, random), new SubPixel(n, random)];
    this.convOut = new Conv2d(n, 3, 9, { random });
  }

  forward(lr: Tensor): Tensor {
    const first = this.preluIn.forward(this.convIn.forward(lr));
    let x = first;
    for (const block of this.blocks) x = block.forward(x);
    x = add(this.bnMid.forward(this.convMid.forward(x)), first);
    for (const stage of this.up) x = stage.forward(x);
    return this.convOut.forward(x);
  }
}

/** Stream of the seed's random numbers from which first weights come. */
const INITIALISATION = 1;

/** A new SRResNet with PyTorch's default initialisation. Throws WeightsError for impossible sizes. */
export function srresnet(options: SRResNetOptions = {}): SRResNet {
  const { channels = 64, blocks = 16 } = options;
  if (!Number.isInteger(channels) || channels < 1 || !Number.isInteger(blocks) || blocks < 0)
    throw new WeightsError(
      `SRResNet needs channels of at least 1 and blocks of at least 0, got ${channels} and ${blocks}.`,
    );
  return new SRResNet(options);
}

/**
 * LR pixels on each side that an output pixel depends on: 4 of the first 9×9, 2 a block, 1 each of the middle and the
 * first sub-pixel convolution, and what half and quarter pixels of the last two (1/2 + 4/4) round up to.
 */
export const srresnetHalo = ({ blocks }: { readonly blocks: number }): number => 4 + 2 * blocks + 1 + 1 + 2;

/**
 * Channels and blocks of a network with these weights, for files that do not say. The convolutions that take most room
 * must have their shapes, so that no file asks for a network much larger than itself.
 * @throws WeightsError where they are of another network.
 */
export function srresnetConfig(tensors: ReadonlyMap<string, HostTensor>): { channels: number; blocks: number } {
  const expectShape = (name: string, expected: readonly (number | string)[]) => {
    const shape = tensors.get(name)?.shape;
    if (shape?.length === expected.length && expected.every((size, i) => typeof size === 'string' || size === shape[i]))
      return;
    const found = shape ? `is [${shape.join(', ')}]` : 'is missing';
    throw new WeightsError(`no weights of an SRResNet: ${name} ${found}, expected [${expected.join(', ')}].`);
  };
  expectShape('conv_in.weight', ['channels', 3, 9, 9]);
  const channels = tensors.get('conv_in.weight')!.shape[0]!;
  expectShape('conv_mid.weight', [channels, channels, 3, 3]);
  let blocks = 0;
  for (; tensors.has(`blocks.${blocks}.conv1.weight`); blocks++)
    expectShape(`blocks.${blocks}.conv1.weight`, [channels, channels, 3, 3]);
  return { channels, blocks };
}

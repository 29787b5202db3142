/** The programs whose problems are tuned: training steps and networks at typical sizes. */
import { compile } from '../engine/compile.ts';
import type { Device } from '../engine/device/device.ts';
import type { Lowered } from '../engine/program/lower.ts';
import { type Tensor, tensor } from '../engine/tensor.ts';
import { shrink } from '../image/resize.ts';
import { syntheticPicture } from '../image/synthetic.ts';
import { grad, mseLoss } from '../kernels/index.ts';
import { Discriminator } from '../models/discriminator.ts';
import { srresnet } from '../models/srresnet.ts';
import { VGG19, vgg19Widths } from '../models/vgg19.ts';
import { ContentTraining } from '../train/content-training.ts';
import { discriminatorLoss } from '../train/loss-terms.ts';
import { CropSource } from '../train/pictures/crop-source.ts';
import { Trainer } from '../train/trainer.ts';

export interface NamedProgram {
  readonly summary: string;
  /** Plans the program without allocating or running anything. The default device must be set. */
  readonly plan: (device: Device) => Lowered;
}

/** By name, in the order in which they are tuned. */
export const PROGRAMS: Readonly<Record<string, NamedProgram>> = {
  start: {
    summary: 'the training of npm start on a CPU (16 channels, batch 8, crops of 48)',
    plan: device => trainingStep(device, { channels: 16, batch: 8, crop: 48 }),
  },
  'srresnet-small': {
    summary: 'training with 32 channels, batch 4, crops of 64',
    plan: device => trainingStep(device, { channels: 32, batch: 4, crop: 64 }),
  },
  upscale: {
    summary: 'upscaling with a network of 64 channels',
    plan: device => upscaling(device, 64, 96),
  },
  srresnet: {
    summary: "the paper's training (64 channels, batch 16, crops of 96)",
    plan: device => trainingStep(device, { channels: 64, batch: 16, crop: 96 }),
  },
  discriminator: {
    summary: "the discriminator's part of the paper's training",
    plan: device => discriminating(device, { channels: 64, hidden: 1024, batch: 16, crop: 96 }),
  },
  vgg19: {
    summary: "VGG19's part of the paper's training, up to φ54",
    plan: device => perceiving(device, { batch: 16, crop: 96 }),
  },
};

/** One block has the same problems as several. */
const BLOCKS = 1;

function trainingStep(device: Device, sizes: { channels: number; batch: number; crop: number }): Lowered {
  using net = srresnet({ ...sizes, blocks: BLOCKS });
  const hr = syntheticPicture(0, 0, sizes.crop);
  const options = { ...sizes, seed: 0, flips: false, rotations: false };
  using source = new CropSource(device, [{ hr, lr: shrink(hr) }], options);
  using trainer = new Trainer(new ContentTraining(net), source);
  return trainer.plan().lowered;
}

/** Upscales a tile of `side` LR pixels; its kernels serve every size. */
function upscaling(device: Device, channels: number, side: number): Lowered {
  using net = srresnet({ channels, blocks: BLOCKS });
  net.eval();
  using x = tensor(new Float32Array(3 * side * side), [1, 3, side, side], { device });
  using program = compile((lr: Tensor) => net.forward(lr), { baked: false });
  return program.plan([x]).lowered;
}

/** The discriminator's work for both updates: gradients of its weights for one, of the image for the other. */
function discriminating(
  device: Device,
  { batch, crop: size, ...sizes }: { channels: number; hidden: number; batch: number; crop: number },
): Lowered {
  using net = new Discriminator({ ...sizes, size });
  using images = tensor(new Float32Array(batch * 3 * size ** 2), [batch, 3, size, size], { device });
  using program = compile((real: Tensor, fake: Tensor) => {
    const loss = discriminatorLoss(net.forward(real), net.forward(fake));
    return grad(loss, [...net.parameters(), fake]);
  });
  return program.plan([images, images]).lowered;
}

/** All layers forward, and backward to the image. */
function perceiving(device: Device, { batch, crop }: { batch: number; crop: number }): Lowered {
  using net = new VGG19(vgg19Widths());
  using images = tensor(new Float32Array(batch * 3 * crop ** 2), [batch, 3, crop, crop], { device });
  using program = compile((sr: Tensor, hr: Tensor) => grad(mseLoss(net.forward(sr), net.forward(hr)), [sr]));
  return program.plan([images, images]).lowered;
}

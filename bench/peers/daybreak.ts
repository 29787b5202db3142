/** Daybreak itself, as a peer among the others. */

import { openDevice } from '../../cli/open-device.ts';
import { daybreakVersion } from '../../common/machine.node.ts';
import {
  add,
  compile,
  conv2d,
  crossEntropy,
  globalAvgPool2d,
  grad,
  mseLoss,
  relu,
  setCurrentDevice,
  type Tensor,
  tensor,
} from '../../index.ts';
import { srresnet } from '../../models/index.ts';
import { Adam, BatchNorm2d, Conv2d, Linear, Module, SGD } from '../../nn/index.ts';
import { ContentTraining, CropSource, Trainer } from '../../train/index.ts';
import { gradientsGiven } from '../given-gradient.ts';
import { type Peer, type Prepared, serve, steps } from './serve.ts';
import { exposeWebGpu } from './webgpu-globals.ts';
import {
  type Arrays,
  blocksOf,
  type ClassifyingWork,
  type ConvolutionWork,
  type Pass,
  type ResidualBlock,
  type TrainingWork,
} from './works.ts';

const adapter = await exposeWebGpu();
const device = await openDevice({ tuned: !process.argv.includes('--no-tuned') });
setCurrentDevice(device);

const upload = (inputs: Arrays, name: string): Tensor => tensor(inputs[name].data, inputs[name].shape);

async function convolution(_: ConvolutionWork, pass: Pass, inputs: Arrays): Promise<Prepared> {
  const arrays = [upload(inputs, 'x'), upload(inputs, 'weight'), upload(inputs, 'dy')] as const;
  const program = compile((x: Tensor, weight: Tensor, dy: Tensor) => {
    const y = conv2d(x, weight, undefined, { padding: 1 });
    if (pass === 'forward') return [y];
    return [y, ...gradientsGiven(y, dy, [x, weight])];
  });
  let last: readonly Tensor[] = [];
  const free = () => {
    for (const result of last) result.dispose();
  };
  return {
    async run(count) {
      for (let i = 0; i < count; i++) {
        free();
        last = program(...arrays);
      }
      await device.finished();
    },
    async results() {
      const named = ['y', 'dx', 'dweight'].slice(0, last.length);
      return Object.fromEntries(
        await Promise.all(
          named.map(async (name, i) => [name, { shape: last[i].shape, data: await last[i].data() }] as const),
        ),
      );
    },
    release() {
      free();
      for (const array of arrays) array.dispose();
      program.dispose();
    },
  };
}

function network({ blocks, channels }: TrainingWork, inputs: Arrays) {
  const net = srresnet({ blocks, channels });
  for (const [name, parameter] of net.namedParameters()) parameter.write(inputs[name].data);
  return net.train();
}

/** Quiet waiting: one step at a time on given images, like all peers. Native: the trainer, which runs ahead. */
async function training(work: TrainingWork, inputs: Arrays): Promise<Prepared> {
  const net = network(work, inputs);
  const adam = new Adam(net.parameters(), { lr: work.learningRate });
  const [lr, hr] = [upload(inputs, 'lr'), upload(inputs, 'hr')];
  const step = compile((lr: Tensor, hr: Tensor) => {
    const loss = mseLoss(net.forward(lr), hr);
    adam.update(grad(loss, net.parameters()));
    return loss;
  });
  const losses: number[] = [];
  let trainer: ReturnType<typeof makeTrainer> | undefined;
  return {
    async run(count, wait) {
      if (wait === 'native') {
        trainer ??= makeTrainer(work, inputs);
        await trainer.run(count);
        return;
      }
      for (let i = 0; i < count; i++) {
        using loss = step(lr, hr);
        losses.push(await loss.item());
      }
      await device.finished();
    },
    async results() {
      return { losses: { shape: [losses.length], data: Float32Array.from(losses) } };
    },
    release() {
      trainer?.release();
      step.dispose();
      adam.dispose();
      net.dispose();
      lr.dispose();
      hr.dispose();
    },
  };
}

function makeTrainer(work: TrainingWork, inputs: Arrays) {
  const { batch, crop, learningRate } = work;
  const picture = (side: number) => ({
    width: side,
    height: side,
    channels: 3 as const,
    data: Uint8Array.from({ length: 3 * side ** 2 }, (_, i) => (i * 2_654_435_761) >>> 24),
  });
  const pair = { hr: picture(2 * crop), lr: picture(crop / 2) };
  const source = new CropSource(device, [pair], { batch, crop, seed: 0, flips: true, rotations: true });
  const net = network(work, inputs);
  const trainer = new Trainer(new ContentTraining(net), source);
  return {
    async run(count: number) {
      for await (const _ of trainer.run(trainer.step + count, () => learningRate));
      await device.finished();
    },
    release() {
      trainer.dispose();
      source.dispose();
      net.dispose();
    },
  };
}

class Residual extends Module {
  readonly conv1: Conv2d;
  readonly bn1: BatchNorm2d;
  readonly conv2: Conv2d;
  readonly bn2: BatchNorm2d;
  readonly shortcut: readonly [Conv2d, BatchNorm2d] | undefined;

  constructor({ inputs, outputs, stride }: ResidualBlock) {
    super();
    this.conv1 = new Conv2d(inputs, outputs, 3, { stride, padding: 1, bias: false });
    this.bn1 = new BatchNorm2d(outputs);
    this.conv2 = new Conv2d(outputs, outputs, 3, { padding: 1, bias: false });
    this.bn2 = new BatchNorm2d(outputs);
    this.shortcut =
      stride === 2 ? [new Conv2d(inputs, outputs, 1, { stride, bias: false }), new BatchNorm2d(outputs)] : undefined;
  }

  forward(x: Tensor): Tensor {
    const inner = relu(this.bn1.forward(this.conv1.forward(x)));
    const y = this.bn2.forward(this.conv2.forward(inner));
    return relu(add(y, this.shortcut ? this.shortcut[1].forward(this.shortcut[0].forward(x)) : x));
  }
}

class ResNet extends Module {
  readonly conv: Conv2d;
  readonly bn: BatchNorm2d;
  readonly blocks: readonly Residual[];
  readonly fc: Linear;

  constructor(work: ClassifyingWork) {
    super();
    this.conv = new Conv2d(3, work.width, 3, { padding: 1, bias: false });
    this.bn = new BatchNorm2d(work.width);
    this.blocks = blocksOf(work).map(block => new Residual(block));
    this.fc = new Linear(8 * work.width, work.classes);
  }

  forward(x: Tensor): Tensor {
    const first = relu(this.bn.forward(this.conv.forward(x)));
    return this.fc.forward(globalAvgPool2d(this.blocks.reduce((y, block) => block.forward(y), first)));
  }
}

async function classifying(work: ClassifyingWork, inputs: Arrays): Promise<Prepared> {
  const net = new ResNet(work);
  for (const [name, parameter] of net.namedParameters()) parameter.write(inputs[name].data);
  const sgd = new SGD(net.parameters(), { lr: work.learningRate, momentum: 0.9 });
  const [images, labels] = [upload(inputs, 'images'), upload(inputs, 'labels')];
  const step = compile((images: Tensor, labels: Tensor) => {
    const loss = crossEntropy(net.forward(images), labels);
    sgd.update(grad(loss, net.parameters()));
    return loss;
  });
  const losses: number[] = [];
  async function once(): Promise<void> {
    using loss = step(images, labels);
    losses.push(await loss.item());
    await device.finished();
  }
  // Reading sleeps: both ways of waiting are the same.
  return steps(once, losses, () => {
    for (const one of [step, sgd, net, images, labels]) one.dispose();
  });
}

await serve({
  version: daybreakVersion(),
  adapter: adapter.name,
  software: adapter.software,
  passes: ['forward', 'forward+grads', 'step'],
  convolution,
  training,
  classifying,
} satisfies Peer);

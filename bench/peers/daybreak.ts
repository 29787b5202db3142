/** Daybreak itself, as a peer among the others. */

import { openDevice } from '../../cli/open-device.ts';
import { daybreakVersion } from '../../common/machine.node.ts';
import { compile, conv2d, crossEntropy, grad, mseLoss, setCurrentDevice, type Tensor, tensor } from '../../index.ts';
import { srresnet } from '../../models/index.ts';
import { Adam, SGD } from '../../nn/index.ts';
import { ContentTraining, CropSource, Trainer } from '../../train/index.ts';
import { gradientsGiven } from '../given-gradient.ts';
import { ResNet } from '../resnet.ts';
import { type Peer, type Prepared, serve, steps } from './serve.ts';
import { exposeWebGpu } from './webgpu-globals.ts';
import type { Arrays, ClassifyingWork, ConvolutionWork, Pass, TrainingWork } from './works.ts';

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

async function classifying(work: ClassifyingWork, inputs: Arrays): Promise<Prepared> {
  const net = new ResNet(work.width, work.classes);
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

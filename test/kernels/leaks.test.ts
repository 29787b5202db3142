/**
 * Every exported function and layer, called in eager code without a scope around it: once its results and arguments are
 * disposed of, the GPU holds what it held before, whether gradients are recorded or not.
 */
import { describe, expect, test } from 'vitest';
import { noGrad } from '../../engine/apply.ts';
import { Philox } from '../../engine/basics/philox.ts';
import { type Tensor, tensor, tidy } from '../../engine/tensor.ts';
import * as kernels from '../../kernels/index.ts';
import * as models from '../../models/index.ts';
import * as nn from '../../nn/index.ts';
import * as losses from '../../train/loss-terms.ts';
import { sharedDevice } from '../device.ts';
import { noise, type Problem, tensorsOf } from './problems.ts';
import { byName, specified } from './specified.ts';

const device = sharedDevice();
const live = () => device().memory.figures().live;

/** Layers that need no arguments. */
const ACTIVATIONS = {
  ...{ ELU: nn.ELU, GELU: nn.GELU, Hardsigmoid: nn.Hardsigmoid, Identity: nn.Identity, LeakyReLU: nn.LeakyReLU },
  ...{ LogSoftmax: nn.LogSoftmax, ReLU: nn.ReLU, Sigmoid: nn.Sigmoid, SiLU: nn.SiLU, Softmax: nn.Softmax },
  ...{ Softplus: nn.Softplus, Softsign: nn.Softsign, Tanh: nn.Tanh },
};

/** A dropout that owns its generator. */
function droppingOwn(generator: kernels.Generator): nn.Dropout {
  const layer = new nn.Dropout(0.5, { generator });
  layer.dispose = () => generator.dispose();
  return layer;
}

/** Random numbers of a generator that is disposed of. */
function own(generator: kernels.Generator): Tensor[] {
  const numbers = kernels.random.uniform([5], { generator });
  generator.dispose();
  return [numbers];
}

/** Functions whose results do not depend on the input. */
const UNDIFFERENTIATED = ['grad', 'ones', 'zeros', 'Generator', 'defaultGenerator', 'manualSeed'];

type Call = (inputs: readonly Tensor[]) => readonly Tensor[];

/** Bytes left by `call` on inputs that are made and disposed of here. */
function left(makeInputs: () => readonly Tensor[], call: Call, { record = true, differentiate = true } = {}): number {
  const before = live();
  const inputs = makeInputs();
  const outputs = record ? call(inputs) : noGrad(() => call(inputs));
  const wanted = inputs.filter(input => input.requiresGrad);
  if (record && differentiate && wanted.length > 0) {
    const loss = tidy(() => outputs.map(output => kernels.sum(output)).reduce((a, b) => kernels.add(a, b)));
    for (const gradient of kernels.grad(loss, wanted)) gradient.dispose();
    loss.dispose();
  }
  for (const one of [...new Set([...outputs, ...inputs])]) one.dispose();
  return live() - before;
}

describe('0 bytes are left by', () => {
  test.each(byName())('%s', (_, { samples, call, differentiable, gradientTestedBy }) => {
    for (const sample of samples as readonly Problem[])
      for (const record of [true, false])
        expect(
          left(
            () => tensorsOf(sample),
            inputs => call(inputs, sample.attributes),
            { record, differentiate: differentiable && !gradientTestedBy },
          ),
          `record: ${record}`,
        ).toBe(0);
  });

  const image = (channels: number, side = 8) => [
    tensor(noise(channels * side ** 2, 1), [1, channels, side, side], { requiresGrad: true }),
  ];
  /** Those that are specified under another name, or not at all. */
  const others: Readonly<Record<string, Call>> = {
    batchNormTraining: ([x]) => {
      const [weight, bias] = [tensor([1, 2, 3]), tensor([1, 2, 3])];
      const { output, mean, variance } = kernels.batchNormTraining(x, weight, bias);
      return [output, mean, variance, weight, bias];
    },
    customGradient: ([x]) => [
      kernels.customGradient([x], { forward: kernels.round, backward: gradient => [kernels.mul(gradient, 2)] }),
    ],
    detach: ([x]) => [tidy(() => kernels.add(x, kernels.detach(x)))],
    ones: () => [kernels.ones([2, 3])],
    zeros: () => [kernels.zeros([2, 3])],
    Generator: () => own(new kernels.Generator(3)),
    defaultGenerator: () => own(kernels.defaultGenerator()),
    manualSeed: () => own(kernels.manualSeed(0)),
    relu: ([x]) => [kernels.relu(x)],
    grad: ([x]) => {
      const loss = kernels.sum(x);
      return [loss, ...kernels.grad(loss, [x, x], { createGraph: true })];
    },
    mean: ([x]) => [kernels.mean(x), kernels.mean(x, { axes: [1, 2], keepDims: true })],
    sumTo: ([x]) => [kernels.sumTo(x, [3, 1, 1]), kernels.sumTo(x, x.shape)],
    transpose: ([x]) => [kernels.transpose(x)],
  };
  test.each(Object.entries(others))('%s', (name, call) => {
    // Without being recorded there is nothing to differentiate.
    for (const record of name === 'grad' ? [true] : [true, false])
      expect(
        left(() => image(3), call, { record, differentiate: !UNDIFFERENTIATED.includes(name) }),
        `record: ${record}`,
      ).toBe(0);
  });

  test('no exported function is forgotten', () => {
    const known = new Set([...specified.map(({ name }) => name), ...Object.keys(others)]);
    expect(Object.keys(kernels).filter(name => !known.has(name))).toEqual([]);
  });

  const random = new Philox(1);
  const layers: Readonly<Record<string, readonly [make: () => nn.Module, input: () => Tensor[]][]>> = {
    Conv2d: [
      [() => new nn.Conv2d(3, 4, 3, { random }), () => image(3)],
      [() => new nn.Conv2d(3, 4, 3, { random, padding: 1, paddingMode: 'reflect' }), () => image(3)],
    ],
    Linear: [
      [() => new nn.Linear(6, 2), () => [tensor(noise(12, 1), [2, 6], { requiresGrad: true })]],
      [() => new nn.Linear(8, 2), () => image(3)],
    ],
    BatchNorm2d: [
      [() => new nn.BatchNorm2d(3), () => image(3)],
      [() => new nn.BatchNorm2d(3).eval(), () => image(3)],
    ],
    Dropout: [
      [() => droppingOwn(new kernels.Generator(1)), () => image(3)],
      [() => new nn.Dropout(0.2).eval(), () => image(3)],
    ],
    Embedding: [[() => new nn.Embedding(4, 3), () => [tensor([0, 3, 3, 1], [2, 2])]]],
    LayerNorm: [[() => new nn.LayerNorm([8, 8]), () => image(3)]],
    GroupNorm: [[() => new nn.GroupNorm(2, 4), () => image(4)]],
    InstanceNorm2d: [
      [() => new nn.InstanceNorm2d(3), () => image(3)],
      [() => new nn.InstanceNorm2d(3, { affine: true }), () => image(3)],
    ],
    PReLU: [[() => new nn.PReLU(3), () => image(3)]],
    MaxPool2d: [[() => new nn.MaxPool2d(2), () => image(3)]],
    AvgPool2d: [[() => new nn.AvgPool2d(2), () => image(3)]],
    AdaptiveAvgPool2d: [[() => new nn.AdaptiveAvgPool2d(3), () => image(3)]],
    AdaptiveMaxPool2d: [[() => new nn.AdaptiveMaxPool2d([2, 3]), () => image(3)]],
    Upsample: [[() => new nn.Upsample({ scaleFactor: 2, mode: 'bilinear' }), () => image(3)]],
    ConvTranspose2d: [[() => new nn.ConvTranspose2d(3, 2, 3, { stride: 2, padding: 1 }), () => image(3)]],
    PixelShuffle: [[() => new nn.PixelShuffle(2), () => image(4)]],
    Flatten: [[() => new nn.Flatten(), () => image(3)]],
    ...Object.fromEntries(
      Object.entries(ACTIVATIONS).map(([name, Layer]) => [name, [[() => new Layer(), () => image(3)]]]),
    ),
    Sequential: [
      [() => new nn.Sequential(new nn.Conv2d(3, 2, 3), new nn.ReLU(), new nn.Flatten()), () => image(3)],
      [() => new nn.Sequential(), () => image(3)],
    ],
    SubPixel: [[() => new nn.SubPixel(3, { random }), () => image(3)]],
    SRResNet: [
      [() => models.srresnet({ channels: 4, blocks: 2 }), () => image(3)],
      [() => models.srresnet({ channels: 4, blocks: 2 }).eval(), () => image(3)],
    ],
    Discriminator: [[() => models.discriminator({ channels: 2, size: 16, hidden: 3 }), () => image(3, 16)]],
    SRCNN: [[() => models.created(models.srcnnNetwork, { channels: 4, hidden: 3 }, { seed: 1 }), () => image(1)]],
    ESPCN: [[() => models.created(models.espcnNetwork, { channels: 4, hidden: 3 }, { seed: 1 }), () => image(1)]],
    VDSR: [[() => models.created(models.vdsrNetwork, { channels: 4, layers: 3 }, { seed: 1 }), () => image(1)]],
    DRCN: [[() => models.created(models.drcnNetwork, { channels: 4, recursions: 3 }, { seed: 1 }), () => image(1)]],
    VGG19: [[() => models.vgg19Random({ widths: [2, 2, 3, 3] }), () => image(3, 16)]],
  };
  test.each(Object.entries(layers))('%s', (_, cases) => {
    for (const [make, input] of cases)
      for (const record of [true, false]) {
        const before = live();
        const layer = make();
        const held = live();
        for (let turn = 0; turn < 2; turn++)
          expect(
            left(input, ([x]) => [layer.forward(x)], { record }),
            `record: ${record}`,
          ).toBe(0);
        expect(live()).toBe(held);
        layer.dispose();
        expect(live()).toBe(before);
      }
  });

  test('no exported layer is forgotten', () => {
    const classes = Object.entries({ ...nn, ...models }).flatMap(([name, value]) =>
      typeof value === 'function' && value.prototype instanceof nn.Module ? [name] : [],
    );
    // The base class of networks is abstract.
    expect(classes.filter(name => !(name in layers))).toEqual(['NetworkModule']);
  });

  test('the losses of the paper', () => {
    const vgg = models.vgg19Random({ widths: [2, 2] });
    const terms = [losses.contentMse(), losses.variationTerm(), losses.vggTerm(vgg, { i: 1, j: 2 })];
    const target = tensor(noise(192, 5), [1, 3, 8, 8]);
    const one = () => image(3);
    for (const { name, loss } of terms)
      expect(
        left(one, ([x]) => [loss(x, target)]),
        name,
      ).toBe(0);
    expect(left(one, ([x]) => [losses.adversarialLoss(x)])).toBe(0);
    expect(left(one, ([x]) => [losses.discriminatorLoss(x, target)])).toBe(0);
    target.dispose();
    vgg.dispose();
  });
});

test('the mean squared error of 4 MiB, five times, leaves nothing', () => {
  const before = live();
  const [a, b] = [1, 2].map(() => tensor(new Float32Array(2 ** 20), undefined, { requiresGrad: true }));
  const held = live();
  for (let i = 0; i < 5; i++) kernels.mseLoss(a, b).dispose();
  expect(live()).toBe(held);
  a.dispose();
  b.dispose();
  expect(live()).toBe(before);
});

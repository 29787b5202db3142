/** What changes an update: the pixel loss, clipping, the discriminator's own rate, the average's warm-up. In float64. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { compile } from '../../engine/compile.ts';
import { type Tensor, tensor } from '../../engine/tensor.ts';
import { concat, fullLike, grad, reshape } from '../../kernels/index.ts';
import { discriminator } from '../../models/discriminator.ts';
import { srresnet } from '../../models/srresnet.ts';
import type { Module } from '../../nn/module.ts';
import { Adam } from '../../nn/optim/adam.ts';
import { AveragedTraining } from '../../train/averaged-training.ts';
import { parseConfig } from '../../train/config/config.ts';
import { contentTerms } from '../../train/content-loss.ts';
import { ContentTraining } from '../../train/content-training.ts';
import { FiniteGate } from '../../train/finite-gate.ts';
import { contentL1 } from '../../train/loss-terms.ts';
import { CropSource } from '../../train/pictures/crop-source.ts';
import { firstNetworks } from '../../train/run/networks.node.ts';
import { startSession } from '../../train/run/session.node.ts';
import { Trainer } from '../../train/trainer.ts';
import { variantOf } from '../../train/variants.ts';
import { sharedDevice, take } from '../device.ts';
import { temporaryFolder } from '../eval/temporary.ts';
import * as optimizers from '../nn/adam-parameters.ts';
import { relativeError } from '../relative-error.ts';
import { resumeRun } from './resume-run.ts';
import { checkpointsOf, pairs, SMALL, sessionConfig, sessionOptions } from './small-training.ts';

const device = sharedDevice();

const OPTIONS = { ...SMALL, seed: 5, flips: false, rotations: false };
const weightsOf = (net: Module) => Promise.all(net.parameters().map(parameter => parameter.data()));
const small = (more: Record<string, unknown>) => parseConfig({ ...SMALL, data: 'synthetic', out: 'run', ...more });

test('L1 is the mean absolute error; its gradient is the sign over the count', async () => {
  const [a, b] = [
    [0.5, -1, 0.25, 1, 0, -0.5, 0.75, 0.1],
    [0.25, -1, 0.5, -1, 0.5, 0.5, 0.75, 0],
  ];
  const shape = [1, 2, 2, 2];
  using program = compile((x: Tensor, y: Tensor) => {
    const loss = contentL1().loss(x, y);
    return { loss, gradient: grad(loss, [x])[0] };
  });
  using x = tensor(a, shape);
  using y = tensor(b, shape);
  const { loss, gradient } = program(x, y);
  expect((await take([loss]))[0][0]).toBeCloseTo(a.reduce((sum, value, i) => sum + Math.abs(value - b[i]), 0) / 8, 6);
  expect([...(await take([gradient]))[0]]).toEqual(a.map((value, i) => Math.sign(value - b[i]) / 8));
});

test('--pixel-loss l1 replaces the mean squared error in every variant that has one', () => {
  const vgg = { phi: (image: Tensor) => image, featureScale: 1 };
  const names = (variant: string, pixelLoss?: 'mse' | 'l1') =>
    contentTerms(variantOf(variant)!, vgg, { pixelLoss }).map(({ name, weight }) => `${name} ${weight}`);
  expect(names('srresnet')).toEqual(['mse 1']);
  expect(names('srresnet', 'l1')).toEqual(['l1 1']);
  expect(names('srgan-slides', 'l1')).toEqual(['l1 1', 'vgg44 0.000002']);
  expect(small({})).toMatchObject({ pixelLoss: 'mse' });
  expect(() => small({ model: 'srresnet-vgg22', vgg: 'v', pixelLoss: 'l1' })).toThrow(
    '--pixel-loss: does not apply to srresnet-vgg22, which has no pixel loss',
  );
});

test.each([
  [1e-3, 5],
  [10, 4],
  [1e6, 0],
])("clipping by %f is PyTorch's clip_grad_norm_ before each step", async (clipNorm, count) => {
  const { SHAPES, sizeOf, gradientsAt } = optimizers;
  const parameters = optimizers.parametersOf(SHAPES.map(shape => new Float32Array(sizeOf(shape))));
  const adam = new Adam(parameters, { clipNorm, beta1: 0.9, beta2: 0.99 });
  const first = SHAPES.map(shape => new Float64Array(sizeOf(shape)));
  const second = SHAPES.map(shape => new Float64Array(sizeOf(shape)));
  let clipped = 0;
  await optimizers.disposing(parameters, adam, async () => {
    for (let t = 0; t < 5; t++) {
      // Of different lengths, so that the moments tell which were clipped.
      const gradients = gradientsAt(t).map(g => g.map(x => x * 4 ** (t - 2)));
      optimizers.update(adam, gradients);
      const norm = Math.sqrt(gradients.reduce((all, g) => g.reduce((sum, x) => sum + x * x, all), 0));
      const factor = Math.min(1, clipNorm / (norm + 1e-6));
      if (factor < 1) clipped++;
      gradients.forEach((g, i) => {
        g.forEach((x, j) => {
          first[i][j] = 0.9 * first[i][j] + 0.1 * x * factor;
          second[i][j] = 0.99 * second[i][j] + 0.01 * (x * factor) ** 2;
        });
      });
    }
    for (const [i, moment] of (await adam.state()).moments.entries()) {
      expect(relativeError(moment.first, first[i])).toBeLessThan(1e-5);
      expect(relativeError(moment.second, second[i])).toBeLessThan(1e-5);
    }
  });
  // None, some and all.
  expect(clipped).toBe(count);
});

test('a norm that overflows skips the update, even if no gradient and no square does', async () => {
  using net = srresnet(SMALL);
  for (const [clipNorm, found] of [
    [0, undefined],
    [1, { "generator's gradient norm": 1 }],
  ] as const) {
    using adam = new Adam(net.parameters(), { clipNorm });
    using gate = new FiniteGate(device(), [['generator', { net, optimizer: adam }]], 10);
    using program = compile((loss: Tensor) => {
      const gradients = net.parameters().map(parameter => fullLike(parameter, 1e19));
      const { report } = gate.judge({ losses: { generator: loss }, gradients: { generator: gradients } });
      return concat(report.map(one => reshape(one, [1])));
    });
    using loss = tensor([1], [1]);
    expect(gate.skipOf((await take([program(loss)]))[0])?.found).toEqual(found);
  }
});

test('the decay of the average rises as (1 + t) / (10 + t), up to its limit', async () => {
  const decay = 0.3;
  using net = srresnet({ ...SMALL, seed: 1 });
  using averaged = srresnet({ ...SMALL, seed: 1 });
  using source = new CropSource(device(), pairs(), OPTIONS);
  using trainer = new Trainer(new AveragedTraining(new ContentTraining(net), averaged, decay, true), source);
  const expected = (await weightsOf(net)).map(data => Float64Array.from(data));
  const decays: number[] = [];
  for (let t = 1; t <= 5; t++) {
    for await (const _ of trainer.run(t, () => 1e-2));
    const d = Math.min(decay, (1 + t) / (10 + t));
    decays.push(d);
    for (const [i, data] of (await weightsOf(net)).entries())
      for (let k = 0; k < data.length; k++) expected[i][k] = d * expected[i][k] + (1 - d) * data[k];
    for (const [i, data] of (await weightsOf(averaged)).entries())
      expect(relativeError(data, expected[i]), `update ${t}, parameter ${i}`).toBeLessThan(1e-5);
  }
  // Both sides of the minimum were met.
  expect(decays.filter(d => d === decay)).toHaveLength(3);
  expect(() => small({ emaWarmup: true })).toThrow('--ema-warmup: needs --ema above 0');
});

test('--d-lr applies to the discriminator only, and keeps its ratio with any schedule', async () => {
  const lr = 2 ** -10;
  /** Both networks after one update at `rate`. */
  const after = async (rate: number, more: Record<string, unknown>) => {
    const config = small({
      model: 'srgan-mse',
      init: 'none',
      lr,
      discriminatorChannels: 4,
      discriminatorHidden: 8,
      ...more,
    });
    const { networks } = await firstNetworks(config, undefined);
    using _ = networks;
    using source = new CropSource(device(), pairs(), OPTIONS);
    using trainer = new Trainer(networks.training(config), source);
    for await (const _ of trainer.run(1, () => rate));
    return { generator: await weightsOf(networks.generator), discriminator: await weightsOf(networks.discriminator!) };
  };
  const own = await after(lr / 2, { dLr: 4 * lr });
  const both = await after(2 * lr, {});
  expect(own.discriminator).toEqual(both.discriminator);
  expect(own.generator).not.toEqual(both.generator);
  // The generator's first gradient is the same in both: its step goes as its rate.
  using net = srresnet({ ...SMALL, seed: 0 });
  using judge = discriminator({ channels: 4, hidden: 8, size: SMALL.crop, seed: 0 });
  expect(await weightsOf(judge)).not.toEqual(own.discriminator);
  const before = (await weightsOf(net))[0];
  const moved = (weights: readonly Float32Array[]) => Float64Array.from(before, (x, i) => weights[0][i] - x);
  expect(
    relativeError(
      moved(own.generator).map(x => 4 * x),
      moved(both.generator),
    ),
  ).toBeLessThan(1e-3);
  expect(() => small({ dLr: 1e-4 })).toThrow('--d-lr: does not apply to srresnet-mse, which has no discriminator');
}, 600_000);

test('a stopped and resumed run with all of them gives the bytes of the unbroken one; each changes the result', async () => {
  const folder = temporaryFolder();
  const all = { pixelLoss: 'l1', clipNorm: 0.05, lrWarmup: 6, ema: 0.9, emaWarmup: true, steps: 8, saveEvery: 4 };
  const unbroken = await startSession(sessionConfig(join(folder, 'unbroken'), all), sessionOptions(device()));
  const run = join(folder, 'run');
  await startSession(sessionConfig(run, all), sessionOptions(device(), { stopAfter: 3 }));
  await resumeRun(run, {}, sessionOptions(device()));
  expect(checkpointsOf(run)).toEqual(checkpointsOf(unbroken.folder));
  for (const [option, value] of Object.entries({ pixelLoss: 'mse', clipNorm: 0, lrWarmup: 5, emaWarmup: false })) {
    const other = join(folder, option);
    await startSession(sessionConfig(other, { ...all, [option]: value }), sessionOptions(device()));
    const file = 'last/model-scored.safetensors';
    expect(checkpointsOf(other)[file], option).not.toBe(checkpointsOf(run)[file]);
  }
});

import { expect, test } from 'vitest';
import { discriminator } from '../../models/discriminator.ts';
import { srresnet } from '../../models/srresnet.ts';
import type { Module } from '../../nn/module.ts';
import { ContentTraining } from '../../train/content-training.ts';
import { contentMse } from '../../train/loss-terms.ts';
import { CropSource } from '../../train/pictures/crop-source.ts';
import { SrganTraining } from '../../train/srgan.ts';
import { Trainer } from '../../train/trainer.ts';
import { sharedDevice } from '../device.ts';
import { relativeError } from '../relative-error.ts';
import { pairs, SMALL } from './small-training.ts';

const device = sharedDevice();
const BATCH = 4;

const sourceOf = () =>
  new CropSource(device(), pairs(), { ...SMALL, batch: BATCH, seed: 5, flips: false, rotations: false });
const weightsOf = async (net: Module) => [...(await net.stateDict())].map(([name, { data }]) => ({ name, data }));

test('without batch norm, accumulation gives the update of the whole batch, in less memory', async () => {
  const results = [];
  for (const accumulate of [1, 2]) {
    using net = srresnet({ channels: 8, blocks: 0, middle: 'prelu', seed: 1 });
    using source = sourceOf();
    using trainer = new Trainer(new ContentTraining(net), source, { accumulate });
    const losses: number[] = [];
    for await (const { loss } of trainer.run(3, () => 1e-3)) losses.push(loss);
    results.push({ losses, weights: await weightsOf(net), bytes: trainer.figures!.temporaryBytes });
  }
  const [whole, parts] = results;
  expect(relativeError(parts.losses, whole.losses)).toBeLessThan(1e-5);
  for (const [i, { name, data }] of whole.weights.entries())
    expect(relativeError(parts.weights[i].data, data), name).toBeLessThan(1e-3);
  expect(parts.bytes).toBeLessThan(0.75 * whole.bytes);
});

test('works for both networks of an SRGAN', async () => {
  using net = srresnet({ ...SMALL, seed: 1 });
  using judge = discriminator({ channels: 4, hidden: 8, size: SMALL.crop, seed: 1 });
  using source = sourceOf();
  using trainer = new Trainer(new SrganTraining(net, judge, { content: [contentMse()] }), source, { accumulate: 2 });
  const before = await weightsOf(judge);
  for await (const { terms } of trainer.run(2, () => 1e-3)) {
    expect(Object.values(terms).every(Number.isFinite)).toBe(true);
    expect(terms.loss).toBeCloseTo(terms.mse + 1e-3 * terms.adversarial, 6);
  }
  const after = await weightsOf(judge);
  expect(after.filter(({ data }, i) => relativeError(data, before[i].data) === 0)).toEqual([]);
});

test('rejects batches that cannot be split evenly', () => {
  using net = srresnet({ ...SMALL, seed: 1 });
  using source = sourceOf();
  using training = new ContentTraining(net);
  expect(() => new Trainer(training, source, { accumulate: 3 })).toThrow(
    'expected a batch divisible by accumulate 3, got 4 crops',
  );
});

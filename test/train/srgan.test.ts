/** SRGAN's update: two networks, one program, all or nothing. */
import { describe, expect, test } from 'vitest';
import { type Tensor, tensor, tidy } from '../../engine/tensor.ts';
import { mseLoss, mul } from '../../kernels/index.ts';
import { discriminator } from '../../models/discriminator.ts';
import { srresnet } from '../../models/srresnet.ts';
import { NonFiniteError } from '../../train/errors.ts';
import { adversarialLoss, type ContentTerm, contentMse, discriminatorLoss } from '../../train/loss-terms.ts';
import { CropSource } from '../../train/pictures/crop-source.ts';
import { restoreTrainer, saveState } from '../../train/run/state.ts';
import { SrganTraining } from '../../train/srgan.ts';
import { type StepResult, Trainer } from '../../train/trainer.ts';
import { sharedDevice, take } from '../device.ts';
import { fingerprints, pairs, SMALL } from './small-training.ts';

const device = sharedDevice();

/** Two small networks and the trainer of both. */
class SmallSrgan implements Disposable {
  readonly generator = srresnet({ ...SMALL, seed: 1 });
  readonly discriminator = discriminator({ channels: 4, hidden: 8, size: SMALL.crop, seed: 1 });
  readonly source: CropSource;
  readonly trainer: Trainer;

  constructor(content: readonly ContentTerm[] = [contentMse()]) {
    this.source = new CropSource(device(), pairs(), { ...SMALL, seed: 5, flips: false, rotations: false });
    this.trainer = new Trainer(new SrganTraining(this.generator, this.discriminator, { content }), this.source);
  }

  async to(last: number, rate = 1e-3): Promise<StepResult[]> {
    const results: StepResult[] = [];
    for await (const result of this.trainer.run(last, () => rate)) results.push(result);
    return results;
  }

  /** Weights, running statistics, moments and counters of both. */
  async state(): Promise<Record<string, string>> {
    const all: Record<string, string> = {};
    for (const [role, { net, optimizer }] of this.trainer.trained) {
      const variables = fingerprints(await net.stateDict());
      for (const [name, content] of Object.entries(variables)) all[`${role} ${name}`] = content;
      const { steps, moments } = await optimizer.state();
      const hosts = moments.flatMap(({ first, second }, i) =>
        [first, second].map((data, k) => [`${i} ${k}`, { shape: [data.length], data }] as const),
      );
      for (const [name, content] of Object.entries(fingerprints(new Map(hosts))))
        all[`${role} moment ${name}`] = content;
      all[`${role} steps`] = String(steps);
    }
    return all;
  }

  [Symbol.dispose](): void {
    for (const one of [this.trainer, this.source, this.generator, this.discriminator]) one.dispose();
  }
}

/** A hundred kernels and more are compiled for two networks and their gradients. Milliseconds. */
const PATIENCE = 600_000;

describe('an update', { timeout: PATIENCE }, () => {
  test('changes all weights of both networks, and reports the terms of equations 2 to 6', async () => {
    using training = new SmallSrgan();
    const before = await training.state();
    const [{ terms, loss }] = await training.to(1);
    const after = await training.state();
    expect(Object.keys(after).filter(name => after[name] === before[name])).toEqual([]);
    expect(Object.keys(terms)).toEqual(['loss', 'mse', 'adversarial', 'discriminator', 'dReal', 'dFake']);
    expect(loss).toBe(terms.loss);
    expect(terms.loss).toBeCloseTo(terms.mse + 1e-3 * terms.adversarial, 6);
    for (const name of ['dReal', 'dFake']) expect(Math.abs(terms[name] - 0.5), name).toBeLessThan(0.5);
  });

  test('is one program that runs the generator forward once', async () => {
    using training = new SmallSrgan();
    const { calls } = training.trainer.plan().lowered;
    const forward = calls.filter(({ kernel }) => /conv2d\.forward\.\w+ \dx\d/.test(kernel.name));
    // Of the generator 9 convolutions; of the discriminator 8 each for real pictures, fakes, and fakes once it has learned.
    const { blocks } = SMALL;
    expect(forward).toHaveLength(2 + 2 * blocks + 1 + 2 + 3 * 8);
  });

  test('gives the same bits in another training', async () => {
    const states: Record<string, string>[] = [];
    for (let i = 0; i < 2; i++) {
      using training = new SmallSrgan();
      await training.to(4);
      states.push(await training.state());
    }
    expect(states[1]).toEqual(states[0]);
  });

  test('needs no more memory than the first one', async () => {
    using training = new SmallSrgan();
    await training.to(5);
    await device().finished();
    const before = device().memory.figures();
    await training.to(25);
    await device().finished();
    expect(device().memory.figures()).toEqual(before);
  });
});

describe('a non-finite update changes nothing', () => {
  const huge: ContentTerm = { name: 'huge', weight: 1e38, loss: (sr, hr) => mul(mseLoss(sr, hr), 1e10) };

  test("if only the generator's loss is not finite", async () => {
    using training = new SmallSrgan([huge]);
    const before = await training.state();
    const results = await training.to(3);
    for (const [i, { skipped, terms }] of results.entries()) {
      expect(skipped!.inRow).toBe(i + 1);
      expect(Object.keys(skipped!.found)).toEqual(['losses', "generator's gradients"]);
      expect(Number.isFinite(terms.discriminator)).toBe(true);
    }
    expect(await training.state()).toEqual(before);
    expect(training.trainer.step).toBe(3);
  });

  test('in the middle of a training, which continues with the next finite one', async () => {
    using training = new SmallSrgan();
    await training.to(2);
    const good = await training.state();
    const [, weight] = training.discriminator.namedVariables().find(([name]) => name === 'fc1.weight')!;
    const content = await weight.data();
    weight.write(content.slice().fill(Number.NaN, 0, 1));
    const results = await training.to(6);
    expect(results.map(({ skipped }) => skipped?.inRow)).toEqual([1, 2, 3, 4]);
    weight.write(content);
    expect(await training.state()).toEqual(good);
    const [{ skipped }] = await training.to(7);
    expect(skipped).toBeUndefined();
    const after = await training.state();
    expect(Object.keys(after).filter(name => after[name] === good[name])).toEqual([]);
    expect(await training.trainer.skipped()).toEqual({ all: 4, inRow: 0 });
    expect([after['generator steps'], after['discriminator steps']]).toEqual(['3', '3']);

    // A checkpoint has both counts: updates that were tried, and each optimizer's own steps.
    const { generator, discriminator, trainer } = training;
    const files = await saveState({ generator, discriminator }, trainer, null);
    using other = new SmallSrgan();
    other.generator.loadStateDict(await generator.stateDict());
    other.discriminator.loadStateDict(await discriminator.stateDict());
    expect(restoreTrainer(files, 'RUN/last', other.trainer)).toEqual({
      step: 7,
      best: null,
      skipped: { all: 4, inRow: 0 },
    });
    expect(await other.state()).toEqual(after);
    expect(await other.to(9)).toEqual(await training.to(9));
    expect(await other.state()).toEqual(await training.state());
  });

  test('too many name the first non-finite tensor, its network and its weight', { timeout: PATIENCE }, async () => {
    using training = new SmallSrgan();
    const [, weight] = training.discriminator.namedVariables().find(([name]) => name === 'fc1.weight')!;
    weight.write((await weight.data()).fill(Number.NaN, 0, 1));
    const error = await training.to(20).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(NonFiniteError);
    expect(error).toMatchObject({ step: 10, inRow: 10 });
    expect((error as NonFiniteError).first).toMatch(/^discriminator fc1\.weight itself, 1 NaN of [\d,]+ elements$/);
  });

  test("also if the discriminator's update makes the generator's loss infinite", { timeout: PATIENCE }, async () => {
    using training = new SmallSrgan();
    const before = await training.state();
    // D's weights after an update at this rate are finite; what they make of a picture is not.
    const error = await training.to(20, 1e30).catch((error: unknown) => error);
    expect((error as NonFiniteError).first).toMatch(/^conv2d \[2, 4, 8, 8\] with the updated discriminator [\w.]+, /);
    expect(await training.state()).toEqual(before);
  });
});

test('the losses match equations 2 and 6, on logits', async () => {
  const [real, fake] = [
    [2, -1],
    [0.5, -3],
  ];
  const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
  const mean = (values: readonly number[]) => values.reduce((sum, x) => sum + x, 0) / values.length;
  const results = await take(
    tidy(() => {
      const [r, f] = [real, fake].map(logits => tensor(logits, [2, 1])) as [Tensor, Tensor];
      return [discriminatorLoss(r, f), adversarialLoss(f)];
    }),
  );
  const d = mean(real.map(x => -Math.log(sigmoid(x)))) + mean(fake.map(x => -Math.log(1 - sigmoid(x))));
  expect(results[0][0]).toBeCloseTo(d, 5);
  expect(results[1][0]).toBeCloseTo(mean(fake.map(x => -Math.log(sigmoid(x)))), 5);
});

/** Updates that are not finite: skipped and counted, told of, and too many in a row end the training. */
import { describe, expect, test } from 'vitest';
import { tidy } from '../../engine/tensor.ts';
import { mean, mseLoss, mul } from '../../kernels/index.ts';
import { srresnet } from '../../models/srresnet.ts';
import { AveragedTraining } from '../../train/averaged-training.ts';
import { ContentTraining } from '../../train/content-training.ts';
import { NonFiniteError } from '../../train/errors.ts';
import type { ContentTerm } from '../../train/loss-terms.ts';
import { restoreTrainer, saveState } from '../../train/run/state.ts';
import { SkipLines } from '../../train/skip.ts';
import { Trainer } from '../../train/trainer.ts';
import { sharedDevice } from '../device.ts';
import { failsAbove, outcome } from './failing-updates.ts';
import { SMALL, type SmallOptions, SmallTraining } from './small-training.ts';

const device = sharedDevice();

/** The rate that ruins the weights with update 4; update 5 finds out. */
const ruinous = (step: number) => (step === 3 ? 1e30 : 1e-3);

/** Mean of the originals of the first batches. */
async function brightness(batches: number): Promise<number[]> {
  using training = new SmallTraining(device());
  const { source } = training;
  const means: number[] = [];
  for (let step = 0; step < batches; step++) {
    using batch = source.batch(step);
    using value = tidy(() => mean(source.gather(batch).hr));
    means.push(await value.item());
  }
  return means;
}

describe('a non-finite update', () => {
  test('changes nothing, to the bit, and the next updates continue', async () => {
    const means = await brightness(14);
    const limit = [...means].sort((a, b) => a - b)[9] + 1e-4;
    const kept = means.flatMap((mean, step) => (mean > limit ? [] : [step]));
    expect(kept).toHaveLength(10);
    // Skipped ones between others, so that the count in a row begins again.
    expect(kept.at(-1)! - kept[0]).toBeGreaterThan(10);
    const content = [failsAbove(limit)];
    const rate = (step: number) => 1e-3 * (1 + step);

    using training = new SmallTraining(device(), 1, { content });
    const results = await training.to(14, rate);
    expect(results.map(({ step }) => step)).toEqual(means.map((_, step) => step + 1));
    expect(results.flatMap(({ skipped }, step) => (skipped ? [] : [step]))).toEqual(kept);
    let row = 0;
    for (const { skipped, loss } of results) {
      row = skipped ? row + 1 : 0;
      expect(Number.isFinite(loss)).toBe(skipped === undefined);
      if (skipped) expect(skipped).toEqual({ inRow: row, found: { losses: 1 } });
    }
    expect(training.trainer.step).toBe(14);
    expect(await training.trainer.skipped()).toEqual({ all: 4, inRow: row });

    using without = new SmallTraining(device(), 1, { content, batches: step => kept[step] ?? step });
    await without.to(10, step => rate(kept[step]));
    expect(await training.state()).toEqual(await without.state());
  });

  test('does not change a moving average', async () => {
    const means = await brightness(6);
    const limit = [...means].sort((a, b) => a - b)[4] + 1e-4;
    const contents: Float32Array[][] = [];
    for (const skipping of [true, false]) {
      using training = new SmallTraining(device());
      using net = srresnet({ ...SMALL, seed: 3 });
      using averaged = srresnet({ ...SMALL, seed: 3 });
      const content = [failsAbove(skipping ? limit : 100)];
      using trainer = new Trainer(
        new AveragedTraining(new ContentTraining(net, { content }), averaged, 0.75),
        training.source,
      );
      const bad = means.findIndex(mean => mean > limit);
      const { results } = await outcome(trainer.run(bad + 1, () => 1e-2));
      expect(results.filter(({ skipped }) => skipped)).toHaveLength(skipping ? 1 : 0);
      contents.push(await Promise.all(averaged.parameters().map(parameter => parameter.data())));
      if (!skipping) continue;
      // Before the bad one it was the same.
      using before = srresnet({ ...SMALL, seed: 3 });
      using average = srresnet({ ...SMALL, seed: 3 });
      using shorter = new Trainer(
        new AveragedTraining(new ContentTraining(before, { content }), average, 0.75),
        training.source,
      );
      await outcome(shorter.run(bad, () => 1e-2));
      expect(await Promise.all(average.parameters().map(parameter => parameter.data()))).toEqual(contents[0]);
    }
    expect(contents[1]).not.toEqual(contents[0]);
  });

  test('includes gradients whose square overflows, as their weights would never move again', async () => {
    const huge: ContentTerm = { name: 'huge', weight: 1, loss: (sr, hr) => mul(mseLoss(sr, hr), 1e22) };
    using training = new SmallTraining(device(), 1, { content: [huge] });
    const before = await training.state();
    const [{ loss, skipped }] = await training.to(1);
    expect(Number.isFinite(loss)).toBe(true);
    expect(Object.keys(skipped!.found)).toEqual(["generator's gradients"]);
    expect(await training.state()).toEqual(before);
  });

  test('may be the first one (in the warm-up) or a profiled one', async () => {
    for (const way of ['warmUp', 'profile'] as const) {
      using training = new SmallTraining(device(), 1, { content: [failsAbove(-100)], maxNonFinite: 2 });
      const { trainer } = training;
      const once = async () =>
        way === 'warmUp'
          ? await trainer.warmUp(
              () => 1e-3,
              () => {},
            )
          : (await trainer.profile(() => 1e-3)).result;
      for (const inRow of [1, 2])
        expect(await once()).toMatchObject({ step: inRow, skipped: { inRow, found: { losses: 1 } } });
      await expect(once()).rejects.toThrow(NonFiniteError);
      expect(trainer.step).toBe(2);
    }
  });
});

describe('too many non-finite updates in a row', () => {
  test.each([1, 3, 10])('end the training after %i, with the state before them to the bit', async maxNonFinite => {
    using training = new SmallTraining(device(), 1, { maxNonFinite });
    const { results, error } = await outcome(training.trainer.run(40, ruinous));
    expect(results.map(({ step }) => step)).toEqual(Array.from({ length: 4 + maxNonFinite }, (_, i) => i + 1));
    expect(results.flatMap(({ skipped }) => skipped?.inRow ?? [])).toEqual(
      Array.from({ length: maxNonFinite }, (_, i) => i + 1),
    );
    expect(error).toMatchObject({ step: 4 + maxNonFinite, inRow: maxNonFinite });
    await device().finished();
    expect(training.trainer.step).toBe(4 + maxNonFinite);
    expect(await training.trainer.skipped()).toEqual({ all: maxNonFinite, inRow: maxNonFinite });
    using good = new SmallTraining(device());
    await good.to(4, ruinous);
    expect(await training.state()).toEqual(await good.state());
  });

  test('are a permanent error', async () => {
    using training = new SmallTraining(device(), 1, { maxNonFinite: 2 });
    const { error } = await outcome(training.trainer.run(20, ruinous));
    const state = await training.state();
    await expect(training.to(20)).rejects.toThrow(error!.message);
    expect(await training.state()).toEqual(state);
    expect(training.trainer.step).toBe(6);
  });

  test('are reported at the last update too', async () => {
    using training = new SmallTraining(device(), 1, { maxNonFinite: 2 });
    expect((await outcome(training.trainer.run(6, ruinous))).error?.step).toBe(6);
    using one = new SmallTraining(device(), 1, { maxNonFinite: 2 });
    expect((await outcome(one.trainer.run(5, ruinous))).error).toBeUndefined();
    expect((await outcome(one.trainer.run(6, ruinous))).error?.step).toBe(6);
  });

  test('use no memory and leak none', async () => {
    using training = new SmallTraining(device(), 1, { maxNonFinite: 30 });
    await training.to(10, ruinous);
    await device().finished();
    const before = device().memory.figures();
    await training.to(30, ruinous);
    await device().finished();
    expect(device().memory.figures()).toEqual(before);
    expect((await outcome(training.trainer.run(40, ruinous))).error?.step).toBe(34);
    await device().finished();
    expect(device().memory.figures().live).toBeLessThanOrEqual(before.live);
  });
});

test('an abort while a training ends keeps its state', async () => {
  using training = new SmallTraining(device(), 1, { maxNonFinite: 2, content: [failsAbove(-100)] });
  for await (const { step } of training.trainer.run(20, () => 1e-3)) if (step === 1) break;
  const files = await saveState({ generator: training.net }, training.trainer, null);
  expect(JSON.parse(new TextDecoder().decode(files.get('state.json')))).toEqual({
    step: 2,
    best: null,
    skipped: { all: 2, inRow: 2 },
  });
});

test('a training that has ended can be resumed', async () => {
  using good = new SmallTraining(device());
  await good.to(3);
  const files = await saveState({ generator: good.net }, good.trainer, null);
  const weights = await good.net.stateDict();
  await good.to(6);
  using training = new SmallTraining(device(), 1, { maxNonFinite: 2 });
  await outcome(training.trainer.run(20, ruinous));
  training.net.loadStateDict(weights);
  restoreTrainer(files, 'RUN/last', training.trainer);
  await training.to(6);
  expect(await training.state()).toEqual(await good.state());
});

test('a checkpoint stores the number in a row: a resumed training ends where the unbroken one does', async () => {
  const options: SmallOptions = { maxNonFinite: 5 };
  using unbroken = new SmallTraining(device(), 1, options);
  const end = await outcome(unbroken.trainer.run(40, ruinous));
  expect(end.error?.step).toBe(9);
  using first = new SmallTraining(device(), 1, options);
  await first.to(7, ruinous);
  const files = await saveState({ generator: first.net }, first.trainer, null);
  expect(JSON.parse(new TextDecoder().decode(files.get('state.json')))).toEqual({
    step: 7,
    best: null,
    skipped: { all: 3, inRow: 3 },
  });

  const resumed = async (saved: ReadonlyMap<string, Uint8Array>, more: SmallOptions) => {
    using second = new SmallTraining(device(), 2, { ...options, ...more });
    second.net.loadStateDict(await first.net.stateDict());
    restoreTrainer(saved, 'RUN/last', second.trainer);
    const { error } = await outcome(second.trainer.run(40, ruinous));
    return { error, files: await saveState({ generator: second.net }, second.trainer, null) };
  };
  const again = await resumed(files, {});
  expect(again.error?.message).toBe(end.error?.message);
  expect(again.files).toEqual(await saveState({ generator: unbroken.net }, unbroken.trainer, null));
  // Whoever resumes what had ended gets as many again; a limit that is passed already counts anew.
  expect((await resumed(again.files, {})).error?.step).toBe(14);
  expect((await resumed(files, { maxNonFinite: 2 })).error?.step).toBe(9);
  expect((await resumed(files, { maxNonFinite: 6 })).error?.step).toBe(10);
});

describe('messages about skipped updates', () => {
  const found = { losses: 1, "generator's gradients": 1204 };

  test('are one line each', () => {
    expect(new SkipLines().line(1234, { inRow: 2, found }, 10)).toBe(
      "skipped update 1,234, NaN or infinity in 1 of the losses, 1,204 of the generator's gradients (2 in a row, 10 end the run)",
    );
    expect(new SkipLines().line(7, { inRow: 10, found: { losses: 2 } }, 10)).toBe(
      'skipped update 7, NaN or infinity in 2 of the losses (10 in a row end the run)',
    );
    expect(new SkipLines().line(7, { inRow: 1, found: { losses: 2 } }, 1)).toMatch(/ \(that ends the run\)$/);
  });

  test('report all at first, then fewer and fewer, and always the last one', () => {
    const row = new SkipLines();
    const inARow = Array.from({ length: 1000 }, (_, i) => i + 1);
    expect(inARow.filter(inRow => row.line(inRow, { inRow, found }, 1000))).toEqual([
      ...[1, 2, 3, 4, 8, 16, 32, 64, 128, 256, 512, 1000],
    ]);
    const single = new SkipLines();
    expect(inARow.filter(step => single.line(step, { inRow: 1, found }, 10))).toEqual([
      ...[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 16, 32, 64, 128, 256, 512],
    ]);
  });
});

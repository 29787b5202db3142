import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Tensor } from '../../engine/tensor.ts';
import { srresnet } from '../../models/srresnet.ts';
import { ContentTraining } from '../../train/content-training.ts';
import { WorkerError } from '../../train/errors.ts';
import type { CropOptions } from '../../train/pictures/crop-plan.ts';
import { type BatchSource, CropSource, type PicturePair } from '../../train/pictures/crop-source.ts';
import { type PackedPictures, PictureStore } from '../../train/pictures/picture-store.node.ts';
import { StreamedCrops } from '../../train/pictures/streamed-crops.node.ts';
import { PictureWorkers } from '../../train/pictures/workers.node.ts';
import { type SessionOptions, startSession } from '../../train/run/session.node.ts';
import { Trainer } from '../../train/trainer.ts';
import { sharedDevice } from '../device.ts';
import { temporaryFolder } from '../eval/temporary.ts';
import { formulaPicture } from '../image/fixtures.ts';
import { resumeRun } from './resume-run.ts';
import { checkpointsOf, fingerprints, pairs, SMALL, sessionConfig } from './small-training.ts';

const device = sharedDevice();

const OPTIONS: CropOptions = { batch: 4, crop: 16, seed: 3, flips: true, rotations: true };

/** HR and LR of LR size `width` x `height`, with bytes by formula. */
const pairOf = (width: number, height: number, salt: number): PicturePair => ({
  hr: formulaPicture([4 * width, 4 * height, 3, salt]),
  lr: formulaPicture([width, height, 3, salt + 100]),
});

/** As small as a crop; of odd sizes; so wide that no more than ten rows are read at once. */
const PAIRS = [pairOf(4, 4, 1), pairOf(5, 7, 2), pairOf(9, 4, 3), pairOf(8192, 5, 4)];

/** The pictures in a file. */
async function packed(pictures: readonly PicturePair[]): Promise<PackedPictures & Disposable> {
  const store = new PictureStore(pictures.length, { budget: 0, folder: temporaryFolder() });
  for (const [i, pair] of pictures.entries()) await store.put(i, { name: String(i), ...pair });
  const all = await store.all();
  return { ...all.packed!, [Symbol.dispose]: () => store.dispose() };
}

/** The crops of batch `step`: their bits. */
async function gathered(source: BatchSource, step: number): Promise<string> {
  using batch = await source.batch(step);
  const { lr, hr } = source.gather(batch);
  const bits = await Promise.all([lr, hr].map(async (x: Tensor) => Buffer.from((await x.data()).buffer)));
  lr.dispose();
  hr.dispose();
  return Buffer.concat(bits).toString('base64');
}

describe('streamed batches', () => {
  test('have the same bits as batches from the GPU, in any order of steps', async () => {
    using set = await packed(PAIRS);
    using streamed = new StreamedCrops(device(), set, OPTIONS, new PictureWorkers(2));
    using resident = new CropSource(device(), PAIRS, OPTIONS);
    for (const step of [0, 1, 2, 3, 4, 5, 9, 8, 8, 10 ** 6, 0])
      expect(await gathered(streamed, step), `batch ${step}`).toBe(await gathered(resident, step));
  });

  test('are always the first one with overfitBatch', async () => {
    using set = await packed(PAIRS);
    using streamed = new StreamedCrops(device(), set, { ...OPTIONS, overfitBatch: true });
    using resident = new CropSource(device(), PAIRS, OPTIONS);
    for (const step of [0, 1, 7]) expect(await gathered(streamed, step)).toBe(await gathered(resident, 0));
  });

  test('are read in advance, a few at a time, without more GPU memory after the first', async () => {
    using set = await packed(PAIRS.slice(0, 3));
    const workers = new PictureWorkers(1);
    using streamed = new StreamedCrops(device(), set, OPTIONS, workers);
    const asked: ArrayBuffer[] = [];
    const cut = workers.cut.bind(workers);
    workers.cut = async task => {
      expect(task.bytes.byteLength).toBe(streamed.shape[0] * 4);
      asked.push(task.bytes);
      return await cut(task);
    };
    (await streamed.batch(0)).dispose();
    const before = device().memory.figures();
    const first = asked.length;
    expect(first).toBe(4);
    for (let step = 1; step < 20; step++) (await streamed.batch(step)).dispose();
    expect(asked).toHaveLength(first + 19);
    expect(device().memory.figures()).toEqual(before);
  });

  test('reject pictures smaller than a crop', async () => {
    using set = await packed(PAIRS.slice(0, 2));
    expect(() => new StreamedCrops(device(), set, { ...OPTIONS, crop: 20 })).toThrow(
      'CropSource: a picture of 16x16 is smaller than crops of 20.',
    );
  });
});

describe('a training on streamed batches', () => {
  const options: CropOptions = { ...SMALL, seed: 5, flips: true, rotations: false };

  async function weightsAfter(source: BatchSource, steps: number) {
    using net = srresnet({ ...SMALL, seed: 1 });
    using trainer = new Trainer(new ContentTraining(net), source);
    const losses: number[] = [];
    for await (const { loss } of trainer.run(steps, () => 1e-3)) losses.push(loss);
    return { losses, ...fingerprints(await net.stateDict()) };
  }

  test('gives the same bits as on pictures in memory', async () => {
    using set = await packed(pairs());
    using streamed = new StreamedCrops(device(), set, options);
    using resident = new CropSource(device(), pairs(), options);
    expect(await weightsAfter(streamed, 6)).toEqual(await weightsAfter(resident, 6));
  });

  test('ends with the error of a thread that died, and does not count missing updates', async () => {
    using set = await packed(pairs());
    const workers = new PictureWorkers(1);
    using streamed = new StreamedCrops(device(), set, options, workers);
    using net = srresnet({ ...SMALL, seed: 1 });
    using trainer = new Trainer(new ContentTraining(net), streamed);
    const made: number[] = [];
    const run = async () => {
      for await (const { step } of trainer.run(50, () => 1e-3)) {
        made.push(step);
        if (step === 3) workers.dispose(new WorkerError('gone'));
      }
    };
    await expect(run()).rejects.toThrow(new WorkerError('gone'));
    expect(made.at(-1)).toBeGreaterThanOrEqual(3);
    expect(trainer.step).toBeLessThan(12);
    expect(await trainer.training.trained.generator.optimizer.steps.item()).toBe(trainer.step);
  });

  test('reports how long it waited for data', async () => {
    using resident = new CropSource(device(), pairs(), options);
    using net = srresnet({ ...SMALL, seed: 1 });
    const delay = (milliseconds: number) => new Promise(resolve => setTimeout(resolve, milliseconds));
    let made = 0;
    const slow: BatchSource = {
      options,
      shape: resident.shape,
      gather: batch => resident.gather(batch),
      batch: async step => {
        // The kernels of the first update are compiled meanwhile.
        if (made++ > 0) await delay(300);
        return resident.batch(step);
      },
      [Symbol.dispose]() {},
    };
    using trainer = new Trainer(new ContentTraining(net), slow);
    await trainer.warmUp(
      () => 1e-3,
      () => {},
    );
    expect(trainer.waitedForData).toBeLessThan(0.1);
    const began = performance.now();
    for await (const _ of trainer.run(4, () => 1e-3));
    const seconds = (performance.now() - began) / 1000;
    // An update takes a few milliseconds of the 300: what is left of each is waiting.
    expect(trainer.waitedForData).toBeGreaterThan(0.45);
    expect(trainer.waitedForData).toBeLessThan(seconds);
  });
});

describe('a run', () => {
  const config = (run: string, more: Record<string, unknown>) =>
    sessionConfig(run, { syntheticCount: 5, syntheticSize: 32, steps: 8, recalibrate: 2, ...more });
  const session = (more: Partial<SessionOptions> = {}): SessionOptions => ({
    device: device(),
    command: 'npx daybreak train …',
    ...more,
  });

  test('gives the same bytes for any budget, also if it changes in the middle of an epoch', async () => {
    const [whole, broken] = [0, 1].map(() => join(temporaryFolder(), 'run')) as [string, string];
    await startSession(config(whole, {}), session());
    const lines: string[] = [];
    const onLine = (line: string) => lines.push(line);
    await startSession(config(broken, { dataBudget: 0 }), session({ stopAfter: 3, onLine }));
    expect(lines).toEqual([
      expect.stringMatching(
        /^the pictures exceed --data-budget 0 MiB: streaming them from a scratch file of about 1 MiB in .*run \([\d,]+ MiB free\)$/,
      ),
    ]);
    await resumeRun(broken, { dataBudget: 1 }, session({ stopAfter: 5, onLine }));
    expect(lines).toHaveLength(1);
    await resumeRun(broken, { dataBudget: 0 }, session({ onLine }));
    expect(lines).toHaveLength(2);
    expect(checkpointsOf(broken)).toEqual(checkpointsOf(whole));
  });
});

/** The training that the tests share: one shape of network and batch, so that its kernels are compiled once for all. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Device } from '../../engine/device/device.ts';
import { shrink } from '../../image/resize.ts';
import { syntheticPicture } from '../../image/synthetic.ts';
import { type SRResNet, srresnet } from '../../models/srresnet.ts';
import type { HostTensor } from '../../nn/module.ts';
import { parseConfig } from '../../train/config/config.ts';
import { ContentTraining } from '../../train/content-training.ts';
import type { ContentTerm } from '../../train/loss-terms.ts';
import type { CropOptions } from '../../train/pictures/crop-plan.ts';
import { type BatchSource, CropSource, type PicturePair } from '../../train/pictures/crop-source.ts';
import type { SessionOptions } from '../../train/run/session.node.ts';
import { type StepResult, Trainer, type TrainerOptions } from '../../train/trainer.ts';

export const SMALL = { channels: 8, blocks: 1, batch: 2, crop: 16 } as const;

/** The same as options of the command line, with the pictures to go with it. */
export const SMALL_FLAGS = [
  ...['--channels', '8', '--blocks', '1', '--batch', '2', '--crop', '16'],
  ...['--synthetic-count', '3', '--synthetic-size', '32', '--lr', '1e-3'],
];

const OPTIONS: CropOptions = { batch: SMALL.batch, crop: SMALL.crop, seed: 5, flips: false, rotations: false };

/** What a finished run that was scored and sampled leaves, sorted. */
export const RUN_CONTENT = [
  'checkpoints',
  'comparison.png',
  'config.json',
  'data.json',
  'env.json',
  'events.out.tfevents.daybreak',
  'metrics.jsonl',
  'report.html',
  'samples',
];

/** Three synthetic pictures. */
export const pairs = (): PicturePair[] =>
  [0, 1, 2].map(index => {
    const hr = syntheticPicture(1, index, 32);
    return { hr, lr: shrink(hr) };
  });

/** A run of 20 updates of that network. */
export const sessionConfig = (out: string, more: Record<string, unknown> = {}) =>
  parseConfig({ ...SMALL, data: 'synthetic', out, steps: 20, lr: 1e-3, seed: 2, ...more });

/** Its session, with the pictures at hand. */
export const sessionOptions = (device: Device, more: Partial<SessionOptions> = {}): SessionOptions => ({
  device,
  command: 'npx daybreak train …',
  pictures: pairs().map((pair, i) => ({ ...pair, name: `picture ${i}` })),
  ...more,
});

/** Every file of every checkpoint. */
export function checkpointsOf(run: string): Record<string, string> {
  const folder = join(run, 'checkpoints');
  return Object.fromEntries(
    readdirSync(folder).flatMap(name =>
      readdirSync(join(folder, name)).map(file => [
        `${name}/${file}`,
        readFileSync(join(folder, name, file)).toString('base64'),
      ]),
    ),
  );
}

export interface SmallOptions extends TrainerOptions {
  readonly content?: readonly ContentTerm[];
  /** Which batch of the source update `step` takes, from 0; default: its own. */
  readonly batches?: (step: number) => number;
}

/** A network, its pictures and its trainer, which go together. */
export class SmallTraining implements Disposable {
  readonly net: SRResNet;
  readonly source: CropSource;
  readonly trainer: Trainer;

  constructor(device: Device, seed = 1, { content, batches = step => step, ...options }: SmallOptions = {}) {
    this.net = srresnet({ ...SMALL, seed });
    this.source = new CropSource(device, pairs(), OPTIONS);
    const { source } = this;
    const ordered: BatchSource = {
      options: source.options,
      shape: source.shape,
      batch: step => source.batch(batches(step)),
      gather: batch => source.gather(batch),
      [Symbol.dispose]() {},
    };
    this.trainer = new Trainer(new ContentTraining(this.net, content && { content }), ordered, options);
  }

  /** Trains to update `last`, all results collected. */
  async to(
    last: number,
    rate: number | ((step: number) => number) = 1e-3,
    signal?: AbortSignal,
  ): Promise<StepResult[]> {
    const results: StepResult[] = [];
    const rateAt = typeof rate === 'number' ? () => rate : rate;
    for await (const result of this.trainer.run(last, rateAt, signal)) results.push(result);
    return results;
  }

  /** Everything that training changes: weights, running statistics, moments, counter; to be compared to the bit. */
  async state(): Promise<Record<string, string>> {
    const { steps, moments } = await this.trainer.training.trained.generator.optimizer.state();
    return {
      ...fingerprints(await this.net.stateDict()),
      ...Object.fromEntries(moments.map(({ first, second }, i) => [`moments ${i}`, bits(first) + bits(second)])),
      steps: String(steps),
    };
  }

  [Symbol.dispose](): void {
    this.trainer.dispose();
    this.source.dispose();
    this.net.dispose();
  }
}

const bits = (data: Float32Array) => Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64');

/** The bits of each tensor. */
export const fingerprints = (state: ReadonlyMap<string, HostTensor>): Record<string, string> =>
  Object.fromEntries([...state].map(([name, { data }]) => [name, bits(data)]));

/**
 * `npm start`: trains a small SRResNet on real photographs and synthetic pictures for a few minutes, and shows how it
 * does beside bicubic on pictures that it has not seen. What it ran is an ordinary `daybreak train`, which the report
 * prints, so that it can be repeated.
 */
import { join } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { exitCodeOf, report } from '../cli/failures.ts';
import { commandOf, printResult, withDisplay } from '../cli/train.ts';
import type { Device } from '../engine/device.ts';
import { setCurrentDevice } from '../engine/init.ts';
import { srresnet } from '../models/srresnet.ts';
import { parseConfig, type TrainConfig } from '../train/config.ts';
import { ContentTraining } from '../train/content-training.ts';
import { CropSource } from '../train/crop-source.ts';
import { loadTrainingPictures, type TrainingPicture } from '../train/pictures.node.ts';
import { type SessionOptions, startSession } from '../train/session.node.ts';
import { Trainer } from '../train/trainer.ts';

/** What is trained where: small enough to be worth looking at after three minutes on two CPU cores, or the paper's. */
const PLANS = {
  software: {
    minutes: 3,
    channels: 16,
    blocks: 2,
    batch: 8,
    crop: 48,
    lr: 4e-3,
    syntheticCount: 96,
    syntheticSize: 256,
  },
  gpu: {
    minutes: 15,
    channels: 64,
    blocks: 16,
    batch: 16,
    crop: 96,
    lr: 1e-3,
    syntheticCount: 512,
    syntheticSize: 256,
  },
} as const;

/** Fewer updates do not beat bicubic: a slow adapter takes longer, unless --minutes says otherwise. */
const LEAST_STEPS = 1200;

const SOURCES = ['photographs', 'synthetic'];

interface StartOptions {
  readonly out?: string;
  readonly minutes?: number;
  readonly adapter?: string;
}

const program = new Command('npm start --')
  .description('train a small SRResNet and compare it with bicubic on pictures it has not seen')
  .option('--out <RUN>', 'run folder (default: runs/ and the time)')
  .option(
    '--minutes <N>',
    `minutes of training (default: ${PLANS.software.minutes} on CPU cores, ${PLANS.gpu.minutes} on a GPU)`,
    positive,
  )
  .option('--adapter <NAME>', "part of the GPU driver's name, e.g. llvmpipe or NVIDIA")
  .action(start);

function positive(text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new InvalidArgumentError('It must be a number above 0.');
  return value;
}

async function start({ out, minutes, adapter }: StartOptions): Promise<void> {
  const stamp = new Date().toISOString().slice(0, 19).replaceAll(/[:T]/g, '-');
  const folder = out ?? join('runs', `start-${stamp}`);
  let config: TrainConfig | undefined;
  const result = await withDisplay(
    () => config!,
    adapter === undefined ? {} : { adapter },
    async session => {
      const { minutes: byDefault, ...plan } = session.device.traits.software ? PLANS.software : PLANS.gpu;
      const draft = { ...plan, data: SOURCES, eval: SOURCES, out: folder, lrSchedule: 'cosine', logEvery: 5 };
      const planned = parseConfig(draft);
      session.onLine?.(
        `SRResNet of ${planned.blocks} blocks and ${planned.channels} channels on ${session.device.description.description || session.device.description.device}`,
      );
      const onProgress = ({ source, done, total }: { source: string; done: number; total: number }) =>
        session.onPhase?.(`preparing ${source}`, done, total);
      const { pictures } = await loadTrainingPictures(planned, {
        onProgress,
        ...(session.signal && { signal: session.signal }),
      });
      const seconds = await secondsPerStep(planned, pictures, session.device, session);
      const fitting = Math.max(1, Math.round(((minutes ?? byDefault) * 60) / seconds));
      const steps = minutes === undefined ? Math.max(fitting, LEAST_STEPS) : fitting;
      const time = ((steps * seconds) / 60).toFixed(1);
      session.onLine?.(
        `${(seconds * 1000).toFixed(0)} ms an update: ${steps} updates, about ${time} minutes of training`,
      );
      const every = Math.ceil(steps / 4);
      config = parseConfig({ ...draft, steps, evalEvery: every, sampleEvery: 0, saveEvery: every });
      return await startSession(config, { ...session, pictures, command: commandOf(config) });
    },
  );
  printResult(result, config!, false);
  const lost = result.scores.filter(({ images }) => meanOf(images, 'model') <= meanOf(images, 'bicubic'));
  if (lost.length > 0) {
    process.stderr.write(
      `not better than bicubic on ${lost.map(({ data }) => data).join(' and ')}: try --minutes ${2 * (minutes ?? 3)}\n`,
    );
    process.exitCode = 1;
  }
}

const meanOf = (
  images: readonly { readonly model: { psnr: number }; readonly bicubic: { psnr: number } }[],
  of: 'model' | 'bicubic',
) => images.reduce((sum, image) => sum + image[of].psnr, 0) / images.length;

/** Seconds that an update takes, measured on a network that is thrown away: for three seconds, after the warm-up. */
async function secondsPerStep(
  config: TrainConfig,
  pictures: readonly TrainingPicture[],
  device: Device,
  { onPhase, signal }: Omit<SessionOptions, 'command'>,
): Promise<number> {
  setCurrentDevice(device);
  using net = srresnet({
    ...(config.channels && { channels: config.channels }),
    ...(config.blocks && { blocks: config.blocks }),
  });
  using source = new CropSource(device, pictures, config);
  using trainer = new Trainer(new ContentTraining(net, config), source);
  await trainer.warmUp(
    () => config.lr,
    (done, total) => onPhase?.('warming up kernels', done, total),
  );
  const times: number[] = [];
  const began = performance.now();
  let before = began;
  onPhase?.('measuring an update', 0, 1);
  for await (const _ of trainer.run(10_000, () => config.lr, signal)) {
    const now = performance.now();
    times.push(now - before);
    before = now;
    if (now - began > 3000 && times.length >= 8) break;
  }
  onPhase?.('measuring an update', 1, 1);
  signal?.throwIfAborted();
  return times.reduce((sum, time) => sum + time, 0) / times.length / 1000;
}

try {
  await program.parseAsync();
} catch (error) {
  report(error, false);
  process.exitCode = exitCodeOf(error);
}

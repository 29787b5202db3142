/**
 * `npm start`: trains a small SRResNet on photographs and synthetic images for a few minutes, then an SRGAN from it for half
 * as long, and compares both with bicubic on held-out images. These are two ordinary `daybreak train` commands, which their
 * reports print, so that they can be repeated.
 */
import { join } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { runScript } from '../cli/failures.ts';
import { addAdapterOption } from '../cli/open-device.ts';
import { printResult, withDisplay } from '../cli/train-display.ts';
import { commandOf } from '../cli/train-options.ts';
import type { Device } from '../engine/device/device.ts';
import { setCurrentDevice } from '../engine/init.ts';
import { loadVgg19 } from '../models/vgg19.node.ts';
import { parseConfig, type TrainConfig } from '../train/config/config.ts';
import { CropSource } from '../train/pictures/crop-source.ts';
import { loadTrainingPictures } from '../train/pictures/pictures.node.ts';
import type { TrainingPicture } from '../train/pictures/training-picture.node.ts';
import { setMeans } from '../train/report/report-content.ts';
import { readInitialWeights } from '../train/run/initial-weights.node.ts';
import { firstNetworks } from '../train/run/networks.node.ts';
import { type SessionOptions, type SessionResult, startSession } from '../train/run/session.node.ts';
import { Trainer } from '../train/trainer.ts';

/** Training plans: one that gives a usable result after three minutes on two CPU cores, and the paper's. */
const PLANS = {
  software: {
    minutes: 3,
    pictures: { batch: 8, crop: 48, syntheticCount: 96, syntheticSize: 256 },
    srresnet: { channels: 16, blocks: 2, lr: 4e-3, lrSchedule: 'cosine', icnr: true },
    // An update of this discriminator costs about as much as one of the generator. Higher rates leave a grid of the
    // sub-pixel convolutions in flat regions; the average over the last fifty updates smooths the rest.
    srgan: { lr: 1e-4, ema: 0.98, discriminatorChannels: 8, discriminatorHidden: 64 },
    /** Deeper features would leave time for only a few updates. */
    deepest: [2, 2],
  },
  gpu: {
    minutes: 15,
    pictures: { batch: 16, crop: 96, syntheticCount: 512, syntheticSize: 256 },
    srresnet: { channels: 64, blocks: 16, lr: 1e-3, lrSchedule: 'cosine', icnr: true },
    srgan: { ema: 0.999 },
    deepest: [5, 4],
  },
} as const;

type Plan = (typeof PLANS)[keyof typeof PLANS];

/** Fewer updates do not beat bicubic, so slow adapters take longer, unless --minutes is given. */
const LEAST_STEPS = 1200;
const LEAST_SRGAN_STEPS = 100;

const SOURCES = ['photographs', 'synthetic'];

interface StartOptions {
  readonly out?: string;
  readonly minutes?: number;
  readonly adapter?: string;
  readonly vgg?: string;
}

const program = addAdapterOption(new Command('npm start --'))
  .description('train a small SRResNet and an SRGAN from it, and compare them with bicubic on held-out images')
  .option('--out <FOLDER>', 'folder for both runs (default: runs/start-TIME)')
  .option(
    '--minutes <N>',
    `training time of the SRResNet; the SRGAN gets half as much (default: ${PLANS.software.minutes} on a CPU, ${PLANS.gpu.minutes} on a GPU)`,
    positive,
  )
  .option('--vgg <FILE>', 'VGG19 weights: train the SRGAN on its features instead of the mean squared error')
  .action(start);

function positive(text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new InvalidArgumentError(`expected a number above 0, got ${text}`);
  return value;
}

async function start({ out, minutes, adapter, vgg }: StartOptions): Promise<void> {
  const stamp = new Date().toISOString().slice(0, 19).replaceAll(/[:T]/g, '-');
  const folder = out ?? join('runs', `start-${stamp}`);
  const done: { config: TrainConfig; result: SessionResult }[] = [];
  let config: TrainConfig | undefined;
  let asked = 0;
  await withDisplay(
    () => config!,
    adapter === undefined ? {} : { adapter },
    async session => {
      const { device } = session;
      const plan = device.traits.software ? PLANS.software : PLANS.gpu;
      asked = minutes ?? plan.minutes;
      const time = asked * 60;
      // Before minutes of training: report an unusable file at once.
      const { name, options } = await lossOf(plan, vgg, device);
      const data = { ...plan.pictures, data: SOURCES, eval: SOURCES, logEvery: 5, sampleEvery: 0 };
      const first = { ...data, ...plan.srresnet, model: 'srresnet', out: join(folder, 'srresnet') };
      session.onLine?.(
        `SRResNet of ${plan.srresnet.blocks} blocks and ${plan.srresnet.channels} channels on ${device.adapterName}`,
      );
      const onProgress = ({ source, done, total }: { source: string; done: number; total: number }) =>
        session.onPhase?.(`preparing ${source}`, done, total);
      const { pictures } = await loadTrainingPictures(parseConfig(first), {
        onProgress,
        ...(session.signal && { signal: session.signal }),
      });
      const stage = async (draft: Record<string, unknown>, seconds: number, least: number) => {
        config = await timed(draft, seconds, minutes === undefined ? least : 1, pictures, session);
        const result = await startSession(config, { ...session, pictures, command: commandOf(config) });
        done.push({ config, result });
        return result;
      };
      const result = await stage(first, time, LEAST_STEPS);
      if (!result.finished) return result;
      const second = { ...data, ...plan.srgan, ...options, model: name, init: first.out, out: join(folder, 'srgan') };
      session.onLine?.(`${name}, starting from that SRResNet`);
      return await stage(second, time / 2, LEAST_SRGAN_STEPS);
    },
  );
  for (const { result, config } of done) printResult(result, config, false);
  const lost = done[0].result.scores.filter(scores => {
    const { model, bicubic } = setMeans(scores);
    return model.psnr <= bicubic.psnr;
  });
  if (lost.length > 0) {
    process.stderr.write(
      `not better than bicubic on ${lost.map(({ data }) => data).join(' and ')}: try --minutes ${2 * asked}\n`,
    );
    process.exitCode = 1;
  }
}

/** The SRGAN variant: uses the deepest features that the weights have and the plan allows. */
async function lossOf({ deepest: [i, j] }: Plan, vgg: string | undefined, device: Device) {
  if (vgg === undefined) return { name: 'srgan-mse', options: {} };
  setCurrentDevice(device);
  using network = await loadVgg19(vgg);
  const layer = network.has(i, j) ? `conv${i}_${j}` : network.layers.at(-1)!;
  return { name: `srgan-${layer.replace('conv', 'vgg').replace('_', '')}`, options: { vgg } };
}

/** A configuration with as many updates as fit into `seconds`, based on a short measurement. */
async function timed(
  draft: Record<string, unknown>,
  seconds: number,
  least: number,
  pictures: readonly TrainingPicture[],
  session: Omit<SessionOptions, 'command'>,
): Promise<TrainConfig> {
  const each = await secondsPerStep(parseConfig(draft), pictures, session);
  const steps = Math.max(least, Math.round(seconds / each));
  const time = ((steps * each) / 60).toFixed(1);
  session.onLine?.(`${(each * 1000).toFixed(0)} ms per update: ${steps} updates, about ${time} minutes of training`);
  const every = Math.ceil(steps / 4);
  const sampleEvery = draft.model === 'srresnet' ? 0 : every;
  return parseConfig({ ...draft, steps, evalEvery: every, sampleEvery, saveEvery: every });
}

/** Seconds per update, measured for three seconds after warm-up, on networks that are then discarded. */
async function secondsPerStep(
  given: TrainConfig,
  pictures: readonly TrainingPicture[],
  { device, onPhase, signal }: Omit<SessionOptions, 'command'>,
): Promise<number> {
  setCurrentDevice(device);
  const { networks, config } = await firstNetworks(given, await readInitialWeights(given.init));
  using _ = networks;
  using source = new CropSource(device, pictures, config);
  using trainer = new Trainer(networks.training(config), source);
  await trainer.warmUp(
    () => config.lr,
    (done, total) => onPhase?.('warming up kernels', done, total),
  );
  const times: number[] = [];
  const began = performance.now();
  let before = began;
  onPhase?.('measuring an update', 0, 1);
  for await (const { step } of trainer.run(10_000, () => config.lr, signal)) {
    const now = performance.now();
    times.push(now - before);
    before = now;
    if (now - began > 3000 && step > 8) break;
  }
  onPhase?.('measuring an update', 1, 1);
  signal?.throwIfAborted();
  return times.reduce((sum, time) => sum + time, 0) / times.length / 1000;
}

await runScript(program);

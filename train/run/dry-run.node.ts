/** All that a run would do before its first update, and what it would take: nothing is trained, and nothing written. */
import { access, constants, statfs } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { count, mebibytes } from '../../common/text.ts';
import { setCurrentDevice } from '../../engine/init.ts';
import { codeOf, reasonOf } from '../../files/file-error.ts';
import { convolutionFlops } from '../../kernels/products/conv2d/flops.ts';
import type { TrainConfig } from '../config/config.ts';
import { RunFolderError } from '../errors.ts';
import { hasCheckpoint, readCheckpoint } from '../run-folder/checkpoint-store.node.ts';
import { readRunConfig, refuseOccupied } from '../run-folder/folder.node.ts';
import { readPictureRecord } from '../run-folder/picture-record.node.ts';
import { readInitialWeights } from './initial-weights.node.ts';
import { checkPlan, withLimitAdvice } from './limit-advice.ts';
import { firstNetworks, type Networks, restoredNetworks } from './networks.node.ts';
import { checkPictures, recordOf, withResumeAdvice } from './picture-check.node.ts';
import { prepare } from './preparation.node.ts';
import { checkGoal } from './session-goal.ts';
import type { SessionOptions } from './session-options.node.ts';
import { countersOf, restoreTrainer, saveState } from './state.ts';

/** What a run would need: memory and disk in bytes. Times are not estimated. */
export interface DryRun {
  /** Completed from the files that it names. */
  readonly config: TrainConfig;
  /** Updates that the resumed run has made; 0 for a new one. */
  readonly step: number;
  /** Number of training pictures, and of pictures in each evaluation set. */
  readonly pictures: number;
  /** See `pictures`. */
  readonly sets: readonly { readonly data: string; readonly pictures: number }[];
  /** Number of parameters of each network. */
  readonly parameters: Readonly<Record<string, number>>;
  /** What an update takes. */
  readonly update: {
    /** Kernel dispatches of an update. */
    readonly dispatches: number;
    /** Arithmetic of the convolutions of an update and their gradients, counted as direct convolution. */
    readonly convolutionGflop: number;
    /** Peak GPU memory of an update: temporaries, networks, optimizers, results. */
    readonly bytes: number;
    /** GPU memory of the pictures. */
    readonly pictureBytes: number;
  };
  /** What the run folder takes. */
  readonly disk: {
    readonly checkpointBytes: number;
    /** Most checkpoints at any time: last, best, those of --keep, and one being written. */
    readonly checkpoints: number;
    /** Free space on the disk of the run folder. */
    readonly freeBytes: number;
  };
}

/**
 * Prepares a run like `startSession` or `resumeSession`, up to the plan of an update. Trains and writes nothing.
 * @throws what they would throw up to the first update: ConfigError, PictureSourceError, RunFolderError, CheckpointError,
 *   UpdateSizeError, OutOfMemoryError.
 */
export async function dryRun(
  given: TrainConfig,
  { resume = false, ...options }: Omit<SessionOptions, 'command'> & { readonly resume?: boolean },
): Promise<DryRun> {
  setCurrentDevice(options.device);
  const folder = resolve(given.out);
  if (!resume) await refuseOccupied(folder);
  const disk = await writableAncestor(folder);
  const last = join(folder, 'checkpoints', 'last');
  const files = resume && (await hasCheckpoint(last)) ? await readCheckpoint(last) : undefined;
  if (files) checkGoal(given.steps, undefined, countersOf(files, last).step);
  const { networks, config } = files
    ? { networks: await restoredNetworks(given, files, last), config: given }
    : await firstNetworks(given, await readInitialWeights(given.init), note => options.onLine?.(`note: ${note}`));
  using _ = networks;
  using prepared = await prepare(config, networks, options, disk).catch(error => {
    throw resume ? withResumeAdvice(error, config) : error;
  });
  const { trainer, pictures, sets } = prepared;
  if (files) {
    const [before, now] = [await readPictureRecord(folder), recordOf(pictures, sets)];
    const stored = await readRunConfig(folder);
    for (const line of checkPictures({ stored, config, before, now })) options.onLine?.(line);
  }
  const { best, bestBy } = files ? restoreTrainer(files, last, trainer) : { best: null };
  const planned = trainer.plan();
  try {
    checkPlan(planned, options.device);
  } catch (error) {
    throw withLimitAdvice(error, config);
  }
  const { figures, lowered } = planned;
  const flops = new Map(lowered.calls.map(({ operation, problem }) => [problem, convolutionFlops(operation, problem)]));
  const state = await saveState(networks, trainer, best, bestBy);
  const { bavail, bsize } = await statfs(disk);
  return {
    config,
    step: trainer.step,
    pictures: pictures.length,
    sets: sets.map(set => ({ data: set.data, pictures: set.pictures.length })),
    parameters: parametersOf(networks),
    update: {
      dispatches: figures.dispatches,
      convolutionGflop: [...flops.values()].reduce<number>((sum, flop) => sum + (flop ?? 0), 0) / 1e9,
      bytes: figures.temporaryBytes + figures.variableBytes + figures.resultBytes,
      pictureBytes: figures.constantBytes,
    },
    disk: {
      checkpointBytes: [...state.values()].reduce((sum, { length }) => sum + length, 0),
      checkpoints: mostCheckpoints(config),
      freeBytes: bavail * bsize,
    },
  };
}

function parametersOf({ generator, discriminator, vgg }: Networks): Record<string, number> {
  const named = { generator, discriminator, vgg };
  return Object.fromEntries(
    Object.entries(named).flatMap(([name, net]) => (net ? [[name, net.parameterCount] as const] : [])),
  );
}

function mostCheckpoints({ keep, steps, saveEvery }: TrainConfig): number {
  const numbered = Math.floor(steps / saveEvery);
  return 3 + (keep === 0 ? numbered : Math.min(keep + 1, numbered));
}

/** The folder, or its nearest existing parent. @throws RunFolderError if it is not writable. */
async function writableAncestor(folder: string): Promise<string> {
  for (let path = folder; ; path = dirname(path)) {
    try {
      await access(path, constants.W_OK);
      return path;
    } catch (error) {
      if (codeOf(error) !== 'ENOENT' || dirname(path) === path)
        throw new RunFolderError(folder, `cannot be written: ${reasonOf(error)}`, { cause: error });
    }
  }
}

/** Formats a dry run for the terminal. */
export function dryRunLines({ config, step, pictures, sets, parameters, update, disk }: DryRun): string[] {
  const { batch, accumulate, crop, steps } = config;
  const networks = Object.entries(parameters).map(([name, size]) => `${name} ${count(size)}`);
  const needed = disk.checkpoints * disk.checkpointBytes;
  const short = needed > disk.freeBytes ? ', not enough' : '';
  return [
    step > 0 ? `would resume after ${count(step)} of ${count(steps)} updates` : `would make ${count(steps)} updates`,
    `parameters  ${networks.join(', ')}`,
    `pictures    ${count(pictures)} to train on${sets.map(set => `, ${count(set.pictures)} of ${set.data} to evaluate on`).join('')}`,
    `update      ${count(batch * accumulate)} crops of ${crop}x${crop}: ${count(update.dispatches)} dispatches, ` +
      `${update.convolutionGflop.toFixed(2)} GFLOP in convolutions`,
    `GPU memory  ${mebibytes(update.bytes)} for an update, ${mebibytes(update.pictureBytes)} for the pictures`,
    `disk        at most ${disk.checkpoints} checkpoints of ${mebibytes(disk.checkpointBytes)}, ${mebibytes(disk.freeBytes)} free${short}`,
    'dry run: nothing was trained or written',
  ];
}

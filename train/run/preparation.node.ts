/** What a run has before its first update: its pictures read, its batches planned, its trainer made. */

import type { TrainConfig } from '../config/config.ts';
import { type BatchSource, CropSource } from '../pictures/crop-source.ts';
import { type EvaluationSet, loadEvaluationSets } from '../pictures/evaluation-sets.node.ts';
import { type LoadedPictures, loadTrainingPictures } from '../pictures/pictures.node.ts';
import { StreamedCrops } from '../pictures/streamed-crops.node.ts';
import type { TrainingPicture } from '../pictures/training-picture.node.ts';
import { count, mebibytes } from '../readable.ts';
import { Trainer } from '../trainer.ts';
import type { Networks } from './networks.node.ts';
import { overlapWarnings } from './picture-check.node.ts';
import type { SessionOptions } from './run.node.ts';

/** Gives its memory back, but for the networks', when it is disposed of. */
export interface Preparation extends Disposable {
  readonly source: BatchSource;
  readonly trainer: Trainer;
  readonly pictures: readonly TrainingPicture[];
  readonly sets: readonly EvaluationSet[];
}

/**
 * Reads what the configuration names, telling of each file left out, and makes a trainer of the networks. Pictures that
 * take more than the configuration's budget go into a scratch file in the folder `scratch`.
 */
export async function prepare(
  config: TrainConfig,
  networks: Networks,
  { device, signal, pictures: loaded, onPhase, onLine }: Omit<SessionOptions, 'command'>,
  scratch: string,
): Promise<Preparation> {
  const progress = (verb: string) => ({
    onProgress: ({ source, done, total }: { source: string; done: number; total: number }) =>
      onPhase?.(`${verb} ${source}`, done, total),
    ...(signal && { signal }),
    onNote: (note: string) => onLine?.(`note: ${note}`),
  });
  const loss = networks.explanation(config);
  if (loss !== undefined) onLine?.(loss);
  const { dataBudget } = config;
  const onSpill = (about: number, free: number) =>
    onLine?.(
      `the pictures take more than --data-budget ${count(dataBudget)} MiB: they are streamed from a scratch file in ` +
        `${scratch}, about ${mebibytes(about)}, ${mebibytes(free)} free${about > free ? ': more than there is' : ''}`,
    );
  const held: Disposable[] = [];
  const dispose = () => {
    for (const each of held.toReversed()) each[Symbol.dispose]();
  };
  try {
    const budget = dataBudget * 2 ** 20;
    const reading = { ...progress('reading'), budget, folder: scratch, onSpill };
    const training: LoadedPictures = loaded
      ? { pictures: loaded, skipped: [], bytesInMemory: 0, [Symbol.dispose]() {} }
      : await loadTrainingPictures(config, reading);
    held.push(training);
    const { pictures, packed, skipped: left } = training;
    const scored = await loadEvaluationSets(config.eval, { ...reading, budget: budget - training.bytesInMemory });
    held.push(scored);
    const { sets, skipped } = scored;
    for (const { message } of [...left, ...skipped]) onLine?.(`skipped: ${message}`);
    if (left.length > 0) onLine?.(`${left.length} files skipped, ${pictures.length} pictures to train on`);
    for (const warning of overlapWarnings(pictures, sets)) onLine?.(warning);
    const { batch, accumulate } = config;
    const options = { ...config, batch: batch * accumulate };
    const source = packed ? new StreamedCrops(device, packed, options) : new CropSource(device, pictures, options);
    held.push(source);
    const onLooking = (done: number, total: number) => onPhase?.('looking for what was not finite first', done, total);
    const { maxNonFinite } = config;
    const trainer = new Trainer(networks.training(config), source, { accumulate, maxNonFinite, onLooking });
    held.push(trainer);
    return { source, trainer, pictures, sets, [Symbol.dispose]: dispose };
  } catch (error) {
    dispose();
    throw error;
  }
}

/** Prepares a run up to its first update: reads the pictures and creates the trainer. */

import { count, MIB, mebibytes } from '../../common/text.ts';
import type { TrainConfig } from '../config/config.ts';
import { type BatchSource, CropSource } from '../pictures/crop-source.ts';
import { type EvaluationSet, loadEvaluationSets } from '../pictures/evaluation-sets.node.ts';
import { type LoadedPictures, loadTrainingPictures } from '../pictures/pictures.node.ts';
import { StreamedCrops } from '../pictures/streamed-crops.node.ts';
import type { TrainingPicture } from '../pictures/training-picture.node.ts';
import { Trainer } from '../trainer.ts';
import type { Networks } from './networks.node.ts';
import { overlapWarnings } from './picture-check.node.ts';
import type { SessionOptions } from './session-options.node.ts';

/** Disposing frees all memory except the networks'. */
export interface Preparation extends Disposable {
  readonly source: BatchSource;
  readonly trainer: Trainer;
  readonly pictures: readonly TrainingPicture[];
  readonly sets: readonly EvaluationSet[];
}

/**
 * Reads the pictures that the configuration names, with a line for each skipped file, and creates a trainer for the
 * networks. Pictures that exceed the configuration's memory budget go into a scratch file in the folder `scratch`.
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
      `the pictures exceed --data-budget ${count(dataBudget)} MiB: streaming them from a scratch file of about ` +
        `${mebibytes(about)} in ${scratch} (${mebibytes(free)} free${about > free ? ', not enough' : ''})`,
    );
  const held: Disposable[] = [];
  const dispose = () => {
    for (const each of held.toReversed()) each[Symbol.dispose]();
  };
  try {
    const budget = dataBudget * MIB;
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
    if (left.length > 0) onLine?.(`skipped ${left.length} files; training on ${pictures.length} pictures`);
    for (const warning of overlapWarnings(pictures, sets)) onLine?.(warning);
    const { batch, accumulate } = config;
    const options = { ...config, batch: batch * accumulate };
    const source = packed ? new StreamedCrops(device, packed, options) : new CropSource(device, pictures, options);
    held.push(source);
    const onDiagnosis = (done: number, total: number) => onPhase?.('finding the first NaN or infinity', done, total);
    const { maxNonFinite } = config;
    const trainer = new Trainer(networks.training(config), source, { accumulate, maxNonFinite, onDiagnosis });
    held.push(trainer);
    return { source, trainer, pictures, sets, [Symbol.dispose]: dispose };
  } catch (error) {
    dispose();
    throw error;
  }
}

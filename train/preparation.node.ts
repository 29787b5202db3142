/** What a run has before its first update: its pictures read, its batches planned, its trainer made. */

import type { TrainConfig } from './config.ts';
import { CropSource } from './crop-source.ts';
import type { Networks } from './networks.node.ts';
import { type EvaluationSet, loadEvaluationSets, loadTrainingPictures, type TrainingPicture } from './pictures.node.ts';
import type { SessionOptions } from './run.node.ts';
import { Trainer } from './trainer.ts';

/** Gives its memory back, but for the networks', when it is disposed of. */
export interface Preparation extends Disposable {
  readonly source: CropSource;
  readonly trainer: Trainer;
  readonly pictures: readonly TrainingPicture[];
  readonly sets: readonly EvaluationSet[];
}

/** Reads what the configuration names, telling of each file left out, and makes a trainer of the networks. */
export async function prepare(
  config: TrainConfig,
  networks: Networks,
  { device, signal, pictures: loaded, onPhase, onLine }: Omit<SessionOptions, 'command'>,
): Promise<Preparation> {
  const progress = (verb: string) => ({
    onProgress: ({ source, done, total }: { source: string; done: number; total: number }) =>
      onPhase?.(`${verb} ${source}`, done, total),
    ...(signal && { signal }),
  });
  const loss = networks.explanation(config);
  if (loss !== undefined) onLine?.(loss);
  const training = loaded ? { pictures: loaded, skipped: [] } : await loadTrainingPictures(config, progress('reading'));
  const { pictures } = training;
  const { sets, skipped } = await loadEvaluationSets(config.eval, progress('reading'));
  for (const { message } of [...training.skipped, ...skipped]) onLine?.(`skipped: ${message}`);
  if (training.skipped.length > 0)
    onLine?.(`${training.skipped.length} files skipped, ${pictures.length} pictures to train on`);
  const { batch, accumulate } = config;
  const source = new CropSource(device, pictures, { ...config, batch: batch * accumulate });
  try {
    const trainer = new Trainer(networks.training(config), source, accumulate);
    const dispose = () => {
      trainer.dispose();
      source.dispose();
    };
    return { source, trainer, pictures, sets, [Symbol.dispose]: dispose };
  } catch (error) {
    source.dispose();
    throw error;
  }
}

/** A run that is open: its folder locked, its networks on the GPU, its pictures read, its trainer ready. */
import type { TrainConfig } from '../config/config.ts';
import type { EvaluationSet } from '../pictures/evaluation-sets.node.ts';
import type { TrainingPicture } from '../pictures/training-picture.node.ts';
import type { Recalibration } from '../recalibration.ts';
import type { RunFolder } from '../run-folder/folder.node.ts';
import type { Trainer } from '../trainer.ts';
import type { Networks } from './networks.node.ts';
import type { Counters } from './state.ts';

export interface OpenRun {
  readonly folder: RunFolder;
  readonly config: TrainConfig;
  readonly networks: Networks;
  readonly trainer: Trainer;
  /** Recomputes the running statistics of the evaluated generator, with `--recalibrate`. */
  readonly recalibration: Recalibration | undefined;
  /** Pictures to evaluate on. */
  readonly sets: readonly EvaluationSet[];
  /** Pictures to train on. */
  readonly pictures: readonly TrainingPicture[];
  /** Counters of the checkpoint that the run resumes from. */
  readonly resumed: Counters | undefined;
}

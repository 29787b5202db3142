/** What a session has put together before its first update. */
import type { TrainConfig } from '../config/config.ts';
import type { EvaluationSet } from '../pictures/evaluation-sets.node.ts';
import type { TrainingPicture } from '../pictures/training-picture.node.ts';
import type { Recalibration } from '../recalibration.ts';
import type { RunFolder } from '../run-folder/folder.node.ts';
import type { Trainer } from '../trainer.ts';
import type { Networks } from './networks.node.ts';
import type { Counters } from './state.ts';

/** What a run consists of. */
export interface RunParts {
  readonly folder: RunFolder;
  readonly config: TrainConfig;
  readonly networks: Networks;
  readonly trainer: Trainer;
  readonly recalibration: Recalibration | undefined;
  readonly sets: readonly EvaluationSet[];
  readonly pictures: readonly TrainingPicture[];
  /** Of the checkpoint that it goes on from. */
  readonly resumed: Counters | undefined;
}

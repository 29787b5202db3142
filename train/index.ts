/** `daybreak/train`: losses, optimizer, and the trainer. */

export { ContentTraining, type ContentTrainingOptions } from './content-training.ts';
export { NonFiniteError, TrainError } from './errors.ts';
export {
  adversarialLoss,
  type ContentTerm,
  contentL1,
  contentMse,
  contentSquares,
  discriminatorLoss,
  type FeatureNetwork,
  type VggDivisor,
  type VggTermOptions,
  variationTerm,
  vggTerm,
} from './loss-terms.ts';
export type { CropOptions } from './pictures/crop-plan.ts';
export { type BatchSource, CropSource, type PicturePair, type ResidentOptions } from './pictures/crop-source.ts';
export { learningRateAt, type Schedule } from './schedule.ts';
export type { Skip } from './skip.ts';
export { type SrganOptions, SrganTraining } from './srgan.ts';
export { type Moments, type Skipped, type StepResult, Trainer, type TrainerOptions } from './trainer.ts';
export type { Crops, Judged, Recording, Role, Trained, Training } from './training.ts';

/** `daybreak/train`: the optimizer and the trainer. */

export { Adam, type AdamOptions, type UpdateOptions } from './adam.ts';
export { type CropOptions, CropSource, type PicturePair } from './crop-source.ts';
export { NonFiniteError, TrainError } from './errors.ts';
export { learningRateAt, type Schedule } from './schedule.ts';
export { type StepResult, Trainer } from './trainer.ts';

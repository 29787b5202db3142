/** `daybreak/train` in Node: everything of `train/index.ts`, and training sessions in run folders. */

export { type ConfigFile, parseConfig, type TrainConfig } from './config/config.ts';
export { readConfigFile } from './config/config-file.node.ts';
export { CheckpointError, ConfigError, PictureSourceError, RunFolderError, UpdateSizeError } from './errors.ts';
export * from './index.ts';
export type { TrainingPicture } from './pictures/training-picture.node.ts';
export type { ProfileOptions } from './profile/session-profile.node.ts';
export type { ReportImage, ReportScores } from './report/report-content.ts';
export { type DryRun, dryRun } from './run/dry-run.node.ts';
export {
  resumedConfig,
  resumeSession,
  type SessionOptions,
  type SessionResult,
  startSession,
} from './run/session.node.ts';

/** What a training session is given beside its configuration, and what it returns. */
import type { Device } from '../../engine/device/device.ts';
import type { TrainingPicture } from '../pictures/training-picture.node.ts';
import type { ProfileSummary } from '../profile/profile.ts';
import type { ProfileOptions } from '../profile/session-profile.node.ts';
import type { ReportScores } from '../report/report-content.ts';
import type { StepResult } from '../trainer.ts';

export interface SessionOptions {
  readonly device: Device;
  /**
   * Opens another device after one was lost: the run then goes on from its last checkpoint, with a line that says so,
   * but for three losses in a row without a checkpoint between. Default: a loss ends the session.
   */
  readonly reopen?: () => Promise<Device>;
  /** Stop after this many updates, as if interrupted: the configuration's `steps` stay the goal. */
  readonly stopAfter?: number;
  readonly signal?: AbortSignal;
  /** The command line that trains this again, for the report. */
  readonly command: string;
  /** A long piece of work that is not training: reading, generating, compiling, scoring. */
  readonly onPhase?: (name: string, done: number, total: number) => void;
  /** `gpuBytes`: GPU memory held, in use or kept for reuse. */
  readonly onStep?: (status: StepResult & { readonly imagesPerSecond: number; readonly gpuBytes: number }) => void;
  readonly onLine?: (text: string) => void;
  /** Pictures that are loaded already. */
  readonly pictures?: readonly TrainingPicture[];
  /** Profile the first updates after the warm-up. They are the same as without, to the bit. */
  readonly profile?: ProfileOptions;
}

export interface SessionResult {
  readonly folder: string;
  /** The file of the generator that is scored and shown, in the checkpoint `last`. */
  readonly model: string;
  /** Updates made. */
  readonly step: number;
  /** All updates of the configuration are made, and scored. */
  readonly finished: boolean;
  /** Scores of the finished network beside bicubic's. */
  readonly scores: readonly ReportScores[];
  /** Of these, updates that were skipped because they were not finite; left out where none were. */
  readonly skipped?: number;
  /** Seconds in which the GPU waited for crops, over the whole run. */
  readonly waitedForData: number;
  /** Where it was asked for, and enough updates were made. */
  readonly profile?: ProfileSummary;
}

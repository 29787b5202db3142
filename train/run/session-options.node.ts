/** Options and result of a training session. */
import type { Device } from '../../engine/device/device.ts';
import type { TrainingPicture } from '../pictures/training-picture.node.ts';
import type { ProfileSummary } from '../profile/profile.ts';
import type { ProfileOptions } from '../profile/session-profile.node.ts';
import type { ReportScores } from '../report/report-content.ts';
import type { StepResult } from '../trainer.ts';

/** Options of {@link startSession} and {@link resumeSession}. */
export interface SessionOptions {
  /** The device to train on. */
  readonly device: Device;
  /**
   * Opens a new device after the GPU device was lost. The run then resumes from its last checkpoint and prints a line. Gives
   * up after three losses in a row without a new checkpoint. Default: a lost device ends the session.
   */
  readonly reopen?: () => Promise<Device>;
  /** Stop after this many updates in total, as if interrupted. The run can be resumed up to `steps`. */
  readonly stopAfter?: number;
  /** Saves and stops. Scoring stops after the current picture or tile. */
  readonly signal?: AbortSignal;
  /** Command line that repeats this training, for the report. */
  readonly command: string;
  /** Progress of work other than training: reading pictures, generating them, compiling kernels, scoring. */
  readonly onPhase?: (name: string, done: number, total: number) => void;
  /** Result of each update. `gpuBytes`: GPU memory held, in use or pooled. */
  readonly onStep?: (status: StepResult & { readonly imagesPerSecond: number; readonly gpuBytes: number }) => void;
  /** Notes and warnings, one line each. */
  readonly onLine?: (text: string) => void;
  /** Training pictures that are loaded already. Default: those that the configuration names. */
  readonly pictures?: readonly TrainingPicture[];
  /** Profiles the first updates after the warm-up. Results are the same to the bit. */
  readonly profile?: ProfileOptions;
}

/** Result of {@link startSession} and {@link resumeSession}. */
export interface SessionResult {
  /** The run folder. */
  readonly folder: string;
  /** File of the evaluated generator, in the checkpoint `last`. */
  readonly model: string;
  /** Updates in total. */
  readonly step: number;
  /** Whether all updates of the configuration are made and evaluated. */
  readonly finished: boolean;
  /** Scores of the finished network, beside bicubic's. */
  readonly scores: readonly ReportScores[];
  /** Updates that were skipped because they contained NaN or infinity; absent if none were. */
  readonly skipped?: number;
  /** Seconds in which the GPU waited for crops, in the whole run. */
  readonly waitedForData: number;
  /** Present if requested and enough updates were made. */
  readonly profile?: ProfileSummary;
}

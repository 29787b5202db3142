import type { TrainConfig } from '../../train/config/config.ts';
import { resumedConfig, resumeSession, type SessionOptions, type SessionResult } from '../../train/run/session.node.ts';

/** Resumes the run in a folder as the command line does. `changes` may be wrong on purpose. */
export const resumeRun = async (
  out: string,
  changes: Readonly<Record<string, unknown>>,
  options: SessionOptions,
): Promise<SessionResult> => await resumeSession(await resumedConfig(out, changes as Partial<TrainConfig>), options);

/** What a run shows for the eye: samples on the way, comparison pictures and the report at its end. */
import type { Method } from '../eval/methods.ts';
import { writePicture } from '../image/files.node.ts';
import type { TrainConfig } from './config.ts';
import type { EvaluationSet, TrainingPicture } from './pictures.node.ts';
import { writeReport } from './report.node.ts';
import type { ReportPicture, ReportScores } from './report-content.ts';
import { type RunFolder, readEnvironment } from './run-folder.node.ts';

export interface RunReport {
  readonly config: TrainConfig;
  readonly command: string;
  readonly scores: readonly ReportScores[];
  readonly sets: readonly EvaluationSet[];
  readonly pictures: readonly TrainingPicture[];
  readonly method: Method;
}

/** Writes `report.html`. */
export async function reportRun(folder: RunFolder, run: RunReport): Promise<void> {
  const environment = await readEnvironment(folder.path);
  if (!environment) return;
  const pictures: ReportPicture[] = [];
  await writeReport(folder.path, {
    config: run.config,
    environment,
    metrics: await folder.readMetrics(),
    scores: run.scores,
    pictures,
    command: run.command,
  });
}

/** Writes how far the network is after `step` updates. */
export async function sampleRows(
  folder: RunFolder,
  step: number,
  sets: readonly EvaluationSet[],
  pictures: readonly TrainingPicture[],
  method: Method,
): Promise<void> {
  const shown = sets[0]?.pictures[0] ?? pictures[0];
  if (shown) await writePicture(folder.samplePath(step, shown.name), await method(shown.lr));
}

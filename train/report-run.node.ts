/** What a run shows for the eye: samples on the way, comparison pictures and the report at its end. */
import { join } from 'node:path';
import { type ComparisonRow, comparisonPicture } from '../eval/comparison.ts';
import { interpolation, type Method } from '../eval/methods.ts';
import { writeAtomically } from '../image/files.node.ts';
import { encodePng } from '../image/index.ts';
import { type TrainConfig, variantOfConfig } from './config.ts';
import type { EvaluationSet, TrainingPicture } from './pictures.node.ts';
import { writeReport } from './report.node.ts';
import type { ReportPicture, ReportScores } from './report-content.ts';
import { type RunFolder, readEnvironment } from './run-folder.node.ts';

/** What can be shown of a run. */
export interface Exhibits {
  readonly config: TrainConfig;
  readonly sets: readonly EvaluationSet[];
  /** Shown where nothing is held out. */
  readonly pictures: readonly TrainingPicture[];
  readonly method: Method;
}

/** Pictures of each set that are compared: enough to judge by, few enough for a page. */
const COMPARED = 4;

/** Writes the comparison pictures and `report.html`. */
export async function reportRun(
  folder: RunFolder,
  exhibits: Exhibits,
  {
    command,
    scores,
    step,
  }: { readonly command: string; readonly scores: readonly ReportScores[]; readonly step: number },
): Promise<void> {
  const environment = await readEnvironment(folder.path);
  if (!environment) return;
  const pictures: ReportPicture[] = [];
  for (const [i, { data, pictures: all }] of exhibited(exhibits).entries()) {
    const png = await compare(exhibits, data, all.slice(0, COMPARED), step);
    await writeAtomically(join(folder.path, `comparison${i === 0 ? '' : `-${i + 1}`}.png`), png);
    pictures.push({ title: data, caption: `After ${step} updates; PSNR and SSIM by the protocol matlab.`, png });
  }
  const metrics = await folder.readMetrics();
  await writeReport(folder.path, { config: exhibits.config, environment, metrics, scores, pictures, command });
}

/** Writes how far the network is after `step` updates: the first picture of the first set. */
export async function writeSample(folder: RunFolder, exhibits: Exhibits, step: number): Promise<void> {
  const [set] = exhibited(exhibits);
  const [shown] = set?.pictures ?? [];
  if (!set || !shown) return;
  await writeAtomically(folder.samplePath(step, shown.name), await compare(exhibits, set.data, [shown], step));
}

/** The held-out sets, or the first pictures trained on where there are none. */
function exhibited({ sets, pictures }: Exhibits): readonly EvaluationSet[] {
  return sets.length > 0 ? sets : [{ data: 'pictures trained on', pictures: pictures.slice(0, COMPARED) }];
}

async function compare(
  { config, method }: Exhibits,
  data: string,
  pictures: readonly TrainingPicture[],
  step: number,
): Promise<Uint8Array> {
  const { label } = variantOfConfig(config);
  const bicubic = interpolation('bicubic');
  const rows: ComparisonRow[] = [];
  for (const { name, hr, lr } of pictures) {
    const results = [
      { label: 'bicubic', picture: await bicubic(lr) },
      { label, picture: await method(lr) },
    ];
    rows.push({ name, hr, lr, results });
  }
  const note = `${label} of ${config.blocks} blocks and ${config.channels} channels after ${step} updates`;
  return await encodePng(comparisonPicture(rows, { heading: data, note }));
}

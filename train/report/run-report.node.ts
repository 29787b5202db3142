/** Writes the comparison pictures and the report of a run when it ends or stops. */
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ComparisonRow } from '../../eval/comparison.ts';
import { encodePng } from '../../image/index.ts';
import { type RunFolder, readEnvironment } from '../run-folder/folder.node.ts';
import { replaceFile } from '../run-folder/replace-file.node.ts';
import { writeReport } from './report.node.ts';
import type { ReportContent, ReportPicture } from './report-content.ts';
import { COMPARED, type ComparedRun, comparedSets, comparisonRow, drawComparison } from './run-comparison.ts';
import { development } from './samples.node.ts';

/** Writes a comparison picture for each set, after `step` updates. */
export async function comparisons(folder: RunFolder, run: ComparedRun, step: number): Promise<ReportPicture[]> {
  // Comparisons of an earlier stop would remain if this one fails.
  for (const name of await readdir(folder.path))
    if (/^comparison(-\d+)?\.png$/.test(name)) await rm(join(folder.path, name), { force: true });
  const pictures: ReportPicture[] = [];
  for (const [i, { data, pictures: all }] of comparedSets(run).entries()) {
    const rows: ComparisonRow[] = [];
    for (const picture of all.slice(0, COMPARED)) rows.push(await comparisonRow(run, picture));
    const png = await encodePng(drawComparison(run, data, rows, step));
    await replaceFile(join(folder.path, `comparison${i === 0 ? '' : `-${i + 1}`}.png`), png);
    pictures.push({ title: data, caption: `After ${step} updates. PSNR and SSIM by the protocol matlab.`, png });
  }
  return pictures;
}

/** The strip of the run's samples; empty if there are none. */
export async function developmentStrip(folder: RunFolder, run: ComparedRun, step: number): Promise<ReportPicture[]> {
  const strip = await development(folder, run, step);
  if (!strip) return [];
  const caption = `A region of ${strip.name} after increasing numbers of updates.`;
  return [{ title: 'Development', caption, png: strip.png }];
}

/** Writes `report.html` from the run folder and the given content. */
export async function reportRun(
  folder: RunFolder,
  content: Pick<ReportContent, 'config' | 'command' | 'scores' | 'pictures' | 'loss'>,
): Promise<void> {
  const environment = await readEnvironment(folder.path);
  if (environment) await writeReport(folder.path, { ...content, environment, metrics: await folder.readMetrics() });
}

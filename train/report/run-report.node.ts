/** What a run leaves for the eye at its end, or at a stop: comparison pictures and the report. */
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ComparisonRow } from '../../eval/comparison.ts';
import { encodePng } from '../../image/index.ts';
import { type RunFolder, readEnvironment } from '../run-folder/folder.node.ts';
import { replaceFile } from '../write.node.ts';
import { COMPARED, comparisonOf, type Exhibits, exhibited, rowOf } from './exhibits.ts';
import { writeReport } from './report.node.ts';
import type { ReportContent, ReportPicture } from './report-content.ts';
import { development } from './samples.node.ts';

/** Writes the comparison pictures of a run after `step` updates, one for each set. */
export async function comparisons(folder: RunFolder, exhibits: Exhibits, step: number): Promise<ReportPicture[]> {
  // Those of an earlier stop would stay if the network makes none now.
  for (const name of await readdir(folder.path))
    if (/^comparison(-\d+)?\.png$/.test(name)) await rm(join(folder.path, name), { force: true });
  const pictures: ReportPicture[] = [];
  for (const [i, { data, pictures: all }] of exhibited(exhibits).entries()) {
    const rows: ComparisonRow[] = [];
    for (const picture of all.slice(0, COMPARED)) rows.push(await rowOf(exhibits, picture));
    const png = await encodePng(comparisonOf(exhibits, data, rows, step));
    await replaceFile(join(folder.path, `comparison${i === 0 ? '' : `-${i + 1}`}.png`), png);
    pictures.push({ title: data, caption: `After ${step} updates; PSNR and SSIM by the protocol matlab.`, png });
  }
  return pictures;
}

/** What the samples of a run show, where there are any. */
export async function developmentStrip(folder: RunFolder, exhibits: Exhibits, step: number): Promise<ReportPicture[]> {
  const strip = await development(folder, exhibits, step);
  if (!strip) return [];
  const caption = `A part of ${strip.name}, each picture the network as it was after so many updates.`;
  return [{ title: 'Development', caption, png: strip.png }];
}

/** Writes `report.html`. */
export async function reportRun(
  folder: RunFolder,
  content: Pick<ReportContent, 'config' | 'command' | 'scores' | 'pictures' | 'loss'>,
): Promise<void> {
  const environment = await readEnvironment(folder.path);
  if (environment) await writeReport(folder.path, { ...content, environment, metrics: await folder.readMetrics() });
}

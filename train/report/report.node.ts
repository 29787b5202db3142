/** Writes `report.html` into a run folder. */

import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { replaceFile } from '../run-folder/replace-file.node.ts';
import type { ReportContent } from './content.ts';
import { type PlotLibrary, pageOf } from './page.ts';

/**
 * Writes the report of a run: one file, complete in itself, to be read in a browser with or without JavaScript.
 * @returns its path.
 * @throws RunFolderError where it cannot be written, ImageError for a picture that is no PNG.
 */
export async function writeReport(runFolder: string, content: ReportContent): Promise<string> {
  const path = join(runFolder, 'report.html');
  await replaceFile(path, pageOf(content, await plotLibrary()));
  return path;
}

async function plotLibrary(): Promise<PlotLibrary> {
  const folder = dirname(createRequire(import.meta.url).resolve('uplot'));
  const [script, style] = await Promise.all(
    ['uPlot.iife.min.js', 'uPlot.min.css'].map(name => readFile(join(folder, name), 'utf8')),
  );
  return { script, style };
}

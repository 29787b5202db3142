/** Writes `report.html` into a run folder. */

import { join } from 'node:path';
import { replaceFile } from '../run-folder/replace-file.node.ts';
import { pageOf } from './page.ts';
import type { ReportContent } from './report-content.ts';

/**
 * Writes the report of a run as one self-contained file, which browsers show with or without JavaScript.
 * @returns its path.
 * @throws RunFolderError if it cannot be written, ImageError for a picture that is not a PNG.
 */
export async function writeReport(runFolder: string, content: ReportContent): Promise<string> {
  const path = join(runFolder, 'report.html');
  await replaceFile(path, pageOf(content));
  return path;
}

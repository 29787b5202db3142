/** Writes the report of a study. */

import { join } from 'node:path';
import { daybreakVersion } from '../../common/machine.node.ts';
import { jsonText } from '../../common/text.ts';
import { writeText } from '../../files/output.node.ts';
import { analyse } from '../analysis.ts';
import { StudyError } from '../errors.ts';
import type { OpenStudy } from '../study-folder.node.ts';
import { readVotes } from '../votes.node.ts';
import { pageOf, type ReportContent } from './page.ts';
import { comparisonsCsv, ratersCsv, ratingsCsv, reportJson, scoresCsv } from './tables.ts';

/** A report that is computed but not written. */
export interface MosReport extends ReportContent {
  /** File name → content. */
  readonly files: Readonly<Record<string, string>>;
}

/**
 * Computes a report, also while the study is served.
 * @param exclude numbers of raters whose votes are left out, which the report says.
 * @throws StudyError for an unknown rater, or if the votes cannot be read.
 */
export async function reportOf(
  open: OpenStudy,
  { exclude = [] }: { readonly exclude?: readonly number[] } = {},
): Promise<MosReport> {
  const all = await readVotes(open);
  const unknown = exclude.find(number => !all.raters.some(rater => rater.number === number));
  if (unknown !== undefined) throw new StudyError(open.folder, `--exclude: there is no rater ${unknown}`);
  const votes = {
    raters: all.raters.filter(({ number }) => !exclude.includes(number)),
    votes: all.votes.filter(({ rater }) => !exclude.includes(rater)),
  };
  const analysis = analyse(open.study, votes);
  const content = { study: open.study, analysis, excluded: exclude, daybreak: daybreakVersion() };
  const files = {
    'report.html': pageOf(content),
    'report.json': jsonText(reportJson(content)),
    'scores.csv': scoresCsv(analysis),
    'comparisons.csv': comparisonsCsv(analysis),
    'raters.csv': ratersCsv(analysis),
    'ratings.csv': ratingsCsv(open.study, votes),
  };
  return { ...content, files };
}

/** Writes the files of a report into a folder, and returns the page's path. @throws FileError if that fails. */
export async function writeMosReport(folder: string, { files }: MosReport): Promise<string> {
  for (const [name, text] of Object.entries(files)) await writeText(join(folder, name), text);
  return join(folder, 'report.html');
}

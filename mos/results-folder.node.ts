/** The results of one program, by the names of the originals. */

import { join } from 'node:path';
import { matchResults } from '../eval/results.ts';
import { isPicture } from '../image/formats.ts';
import { listFolder } from '../image/list-folder.node.ts';
import { StudyError } from './errors.ts';

/**
 * The result of each original in a folder (see `matchResults`). A name without decoration takes precedence.
 * @param names of the originals.
 * @returns name → path; names without a result are missing.
 * @throws StudyError if several files fit one name; ImageError if the folder cannot be read.
 */
export async function findResults(folder: string, names: readonly string[]): Promise<Map<string, string>> {
  const { entries } = await listFolder(folder);
  const { groups } = matchResults(names, entries.map(({ name }) => name).filter(isPicture));
  const found = new Map<string, string>();
  for (const name of names) {
    const fitting = groups.flatMap(({ decoration, files }) => {
      const file = files.get(name);
      return file === undefined ? [] : [{ decoration, file }];
    });
    const plain = fitting.filter(({ decoration }) => decoration === '');
    const [one, ...more] = plain.length > 0 ? plain : fitting;
    if (one === undefined) continue;
    if (more.length > 0) {
      const listed = [one, ...more].slice(0, 3).map(({ file }) => file);
      throw new StudyError(
        folder,
        `several files for ${name} (${listed.join(', ')}): expected the results of one method`,
      );
    }
    found.set(name, join(folder, one.file));
  }
  return found;
}

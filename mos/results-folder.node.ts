/** Finds the results of other programs by the names of the originals. */

import { basename, extname, join } from 'node:path';
import { isPicture } from '../image/formats.ts';
import { listFolder } from '../image/list-folder.node.ts';
import { StudyError } from './errors.ts';

/** What a name may end with besides the name of a method: `baby_HR_x4_SwinIR`, `babyx4`, `img_001_SRF_4_LR`. */
const DECORATION = /^(?:[_-].*|x\d+(?:[_-].*)?)$/i;
/** Marks of originals, which results often lack. */
const ORIGINAL_MARK = /[_-](?:HR|GT)$/i;

const stemOf = (path: string) => basename(path, extname(path));

/**
 * The result of each original in a folder, by name: the original's, or that with a decoration such as `_SRResNet-MSE`,
 * `x4` or `_x4_SwinIR`. A name without decoration takes precedence.
 * @param names of the originals.
 * @returns name → path; names without a result are missing.
 * @throws StudyError if several files fit one name; ImageError if the folder cannot be read.
 */
export async function findResults(folder: string, names: readonly string[]): Promise<Map<string, string>> {
  const { entries } = await listFolder(folder);
  const files = entries.map(({ name }) => name).filter(isPicture);
  const byName = new Map<string, string[]>();
  for (const file of files) {
    const owner = ownerOf(stemOf(file), names);
    if (owner !== undefined) byName.set(owner, [...(byName.get(owner) ?? []), file]);
  }
  const found = new Map<string, string>();
  for (const [name, fitting] of byName) {
    const exact = fitting.filter(file => stemOf(file) === name);
    const [one, ...more] = exact.length > 0 ? exact : fitting;
    if (more.length > 0) {
      const listed = [one, ...more].slice(0, 3).join(', ');
      throw new StudyError(folder, `several files for ${name} (${listed}): expected the results of one method`);
    }
    found.set(name, join(folder, one));
  }
  return found;
}

/** The longest name that a file's begins with, followed by nothing or a decoration. */
function ownerOf(stem: string, names: readonly string[]): string | undefined {
  const fits = (beginning: string) =>
    stem === beginning || (stem.startsWith(beginning) && DECORATION.test(stem.slice(beginning.length)));
  const matching = names.filter(name => fits(name) || fits(name.replace(ORIGINAL_MARK, '')));
  return matching.sort((a, b) => b.length - a.length)[0];
}

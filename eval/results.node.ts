/** Pictures that any program made from a set, as rows to score: `daybreak eval --results`. */

import { basename, join, resolve } from 'node:path';
import { counted } from '../common/text.ts';
import { ImageError } from '../image/errors.ts';
import { readPicture } from '../image/files.node.ts';
import { isPicture } from '../image/formats.ts';
import { listFolder } from '../image/list-folder.node.ts';
import { crop, describe, type Picture } from '../image/picture.ts';
import type { Pair, Results } from './evaluate.ts';
import { isSetFolder } from './layout.ts';
import { type MatchedResults, matchResults, type Unmatched } from './results.ts';

/** The results of one method. */
export interface OpenedResults {
  readonly label: string;
  readonly folder: string;
  readonly results: Results;
}

/**
 * Opens a folder of results, or one with a folder for each method. Files are matched to the originals by name (see
 * `matchResults`); files of one folder whose names end differently (`baby_SRGAN.png`, `baby_SRResNet.png`) are several
 * methods.
 * @param originals the names of the set's pictures.
 * @param onNote called with a line about files that are not used.
 * @throws ImageError if the folder cannot be read or holds no result of the set.
 */
export async function openResults(
  folder: string,
  originals: readonly string[],
  onNote: (note: string) => void,
): Promise<OpenedResults[]> {
  const { entries } = await listFolder(folder);
  const inside = await groupsOf(folder, originals, onNote);
  const own = basename(resolve(folder));
  const label = ({ decoration }: MatchedResults, name: string, alone: boolean) => (alone ? name : decoration || name);
  const opened = inside.map(group => open(folder, label(group, own, inside.length === 1), group));
  if (opened.length === 0) {
    for (const entry of entries) {
      if (!entry.isDirectory()) continue;
      if (isSetFolder(entry.name)) {
        onNote(`${join(folder, entry.name)}: skipped, named like originals or LR`);
        continue;
      }
      const path = join(folder, entry.name);
      const groups = await groupsOf(path, originals, onNote);
      for (const group of groups) {
        const name = groups.length === 1 ? entry.name : [entry.name, group.decoration].filter(Boolean).join('/');
        opened.push(open(path, name, group));
      }
    }
  }
  if (opened.length === 0) {
    throw new ImageError(folder, `no results of this set: expected names such as ${originals[0]}_METHOD.png`);
  }
  return opened;
}

async function groupsOf(
  folder: string,
  originals: readonly string[],
  onNote: (note: string) => void,
): Promise<readonly MatchedResults[]> {
  const { entries } = await listFolder(folder);
  const files = entries.filter(entry => !entry.isDirectory() && isPicture(entry.name)).map(({ name }) => name);
  const { groups, unmatched } = matchResults(originals, files);
  if (groups.length > 0) for (const note of notesOf(unmatched)) onNote(`${folder}: ${note}`);
  return groups;
}

function notesOf(unmatched: readonly Unmatched[]): string[] {
  const of = (reason: Unmatched['reason']) => unmatched.filter(one => one.reason === reason).map(({ file }) => file);
  const line = (files: readonly string[], what: string) => {
    const shown = files.slice(0, 3).join(', ') + (files.length > 3 ? ', …' : '');
    return files.length === 0 ? [] : [`skipped ${counted(files.length, 'file')} ${what} (${shown})`];
  };
  return [
    ...line(of('no original'), 'whose names begin with no picture of the set'),
    ...line(of('original or LR'), 'named like originals or LR'),
    ...line(of('second'), 'with the name of another result'),
  ];
}

function open(folder: string, label: string, { files }: MatchedResults): OpenedResults {
  const of = async ({ name, hr }: Pair): Promise<Picture> => {
    const file = files.get(name);
    if (file === undefined) throw new ImageError(join(folder, name), `no result of ${label} for this picture`);
    return await fitting(join(folder, file), hr);
  };
  return { label, folder, results: { of } };
}

/** Reads a result. Originals are cropped to multiples of 4 at the right and bottom; a result of the whole is, too. */
async function fitting(path: string, hr: Picture): Promise<Picture> {
  const picture = await readPicture(path);
  const [right, bottom] = [picture.width - hr.width, picture.height - hr.height];
  if (right < 0 || bottom < 0 || right > 3 || bottom > 3) {
    throw new ImageError(path, `${describe(picture)}: expected ${hr.width}x${hr.height}, the size of the original`);
  }
  return right === 0 && bottom === 0 ? picture : crop(picture, 0, 0, hr.width, hr.height);
}

/** Which picture files lie in a folder. */

import type { Dirent, Stats } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { ImageError } from '../image/errors.ts';
import { compareNames } from '../image/files.node.ts';
import { isOtherPicture, PICTURE_EXTENSIONS } from '../image/formats.ts';
import { placeOf } from './places.node.ts';

/** What a folder holds. */
export interface FoundPictures {
  /** Paths relative to the folder, in natural order. */
  readonly pictures: readonly string[];
  /** Files and folders with a picture's name or place that are none or cannot be listed. */
  readonly refused: readonly ImageError[];
  /** Where subfolders were not asked for: the first of them in which pictures lie. */
  readonly leftOut: string | undefined;
  /** Files that are pictures by their names, of formats that are not read: their endings, one for each. */
  readonly unread: readonly string[];
}

/** How a folder is searched. */
export interface Search {
  /** Folders in it are searched too. */
  readonly recursive: boolean;
  /** A folder that is not entered, by its path without links. */
  readonly without?: string | undefined;
}

/** Folders that are looked into only to say that there are pictures in them. */
const GLANCES = 500;

/**
 * The files in a folder whose names end as a picture's. Hidden files and folders are left out. A link to a file counts as
 * that file; a link to a folder is not followed, so that no search goes round in a circle or leaves the folder's tree.
 */
export async function findPictures(folder: string, { recursive, without }: Search): Promise<FoundPictures> {
  const root = await placeOf(folder);
  const pictures: string[] = [];
  const refused: ImageError[] = [];
  const aside: string[] = [];
  const unread: string[] = [];
  const folders = [''];
  for (let below = folders.pop(); below !== undefined; below = folders.pop()) {
    for (const entry of await list(join(folder, below), refused)) {
      const path = join(below, entry.name);
      if (entry.isDirectory()) {
        if (join(root, path) !== without) (recursive ? folders : aside).push(path);
      } else if (isPictureName(entry.name)) {
        if (await mayBeRead(join(folder, path), entry)) pictures.push(path);
        else if (!entry.isSymbolicLink()) refused.push(noFile(join(folder, path)));
      } else if (isOtherPicture(entry.name)) unread.push(endingOf(entry.name));
    }
  }
  const leftOut = await firstWithPictures(folder, aside, root, without);
  return { pictures: pictures.sort(compareNames), refused, leftOut, unread };
}

/** What a thing is that is neither file nor folder: reading it might wait for ever. */
export function noFile(path: string): ImageError {
  return new ImageError(path, 'is neither a file nor a folder (a pipe, a device or a socket?)');
}

const endingOf = (name: string) => extname(name).toLowerCase();

const isPictureName = (name: string) => PICTURE_EXTENSIONS.includes(endingOf(name));

async function list(folder: string, refused: ImageError[]): Promise<Dirent[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries.filter(({ name }) => !name.startsWith('.'));
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    refused.push(new ImageError(folder, `cannot list this folder (${code})`, { cause }));
    return [];
  }
}

/** Files, links to files, and links to nothing, of which whoever reads them will say that they cannot be read. */
async function mayBeRead(path: string, entry: Dirent): Promise<boolean> {
  if (entry.isFile()) return true;
  const state: Stats | undefined = await stat(path).catch(() => undefined);
  return state === undefined || state.isFile();
}

/** The first of `folders` that holds pictures, itself or deeper, as far as that is soon known. */
async function firstWithPictures(
  root: string,
  folders: readonly string[],
  place: string,
  without: string | undefined,
): Promise<string | undefined> {
  const left = [...folders].sort(compareNames).reverse();
  for (let glances = 0; glances < GLANCES; glances++) {
    const below = left.pop();
    if (below === undefined) return undefined;
    for (const entry of await list(join(root, below), [])) {
      const path = join(below, entry.name);
      if (!entry.isDirectory() && isPictureName(entry.name)) return below;
      if (entry.isDirectory() && join(place, path) !== without) left.push(path);
    }
  }
  return undefined;
}

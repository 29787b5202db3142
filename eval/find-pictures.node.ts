/** Finds the picture files in a folder. */

import type { Dirent, Stats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ImageError } from '../image/errors.ts';
import { extensionOf, isOtherPicture, isPicture } from '../image/formats.ts';
import { compareNames, type FolderContents, listFolder } from '../image/list-folder.node.ts';
import { realPathOf } from './real-paths.node.ts';

/** The pictures found in a folder. */
export interface FoundPictures {
  /** Paths relative to the folder, in natural order. */
  readonly pictures: readonly string[];
  /** Errors for non-files named like pictures, and for folders that cannot be listed. */
  readonly refused: readonly ImageError[];
  /** Without `recursive`, the first subfolder with pictures. */
  readonly skippedFolder: string | undefined;
  /** Extensions of pictures in unsupported formats, one per file. */
  readonly unread: readonly string[];
  /** Number of pictures, and with `recursive` also of subfolders, whose names are not valid UTF-8. */
  readonly undecodable: number;
}

/** Options of a search. */
export interface Search {
  /** Search subfolders, too. */
  readonly recursive: boolean;
  /** The real path of a folder to skip. */
  readonly without?: string | undefined;
}

/** Maximum number of skipped subfolders to search for pictures. */
const MOST_SEARCHED = 500;

/**
 * The files in a folder with a picture's extension. Skips hidden files and folders. Links to files are followed; links
 * to folders are not, so that a search cannot loop or leave the folder.
 */
export async function findPictures(folder: string, { recursive, without }: Search): Promise<FoundPictures> {
  const root = await realPathOf(folder);
  const pictures: string[] = [];
  const refused: ImageError[] = [];
  const skippedFolders: string[] = [];
  const unread: string[] = [];
  let undecodable = 0;
  const folders = [''];
  for (let below = folders.pop(); below !== undefined; below = folders.pop()) {
    const contents = await list(join(folder, below), refused);
    undecodable += contents.undecodable.filter(
      entry => isPicture(entry.name) || (recursive && entry.isDirectory()),
    ).length;
    for (const entry of contents.entries) {
      const path = join(below, entry.name);
      if (entry.isDirectory()) {
        if (join(root, path) !== without) (recursive ? folders : skippedFolders).push(path);
      } else if (isPicture(entry.name)) {
        if (await mayBeRead(join(folder, path), entry)) pictures.push(path);
        else if (!entry.isSymbolicLink()) refused.push(noFile(join(folder, path)));
      } else if (isOtherPicture(entry.name)) unread.push(extensionOf(entry.name));
    }
  }
  const skippedFolder = await firstWithPictures(folder, skippedFolders, root, without);
  return { pictures: pictures.sort(compareNames), refused, skippedFolder, unread, undecodable };
}

/** The error for a path that is neither a file nor a folder: reading it might block forever. */
export function noFile(path: string): ImageError {
  return new ImageError(path, 'is neither a file nor a folder (a pipe, a device or a socket?)');
}

/** The contents of a folder; empty, with an error in `refused`, if it cannot be listed. */
async function list(folder: string, refused: ImageError[]): Promise<FolderContents> {
  try {
    return await listFolder(folder);
  } catch (error) {
    if (!(error instanceof ImageError)) throw error;
    refused.push(error);
    return { entries: [], undecodable: [] };
  }
}

/** True for files, links to files, and broken links, which fail when they are read. */
async function mayBeRead(path: string, entry: Dirent): Promise<boolean> {
  if (entry.isFile()) return true;
  const state: Stats | undefined = await stat(path).catch(() => undefined);
  return state === undefined || state.isFile();
}

/** The first of `folders` that contains pictures at any depth, within MOST_SEARCHED folders. */
async function firstWithPictures(
  root: string,
  folders: readonly string[],
  realRoot: string,
  without: string | undefined,
): Promise<string | undefined> {
  const pending = [...folders].sort(compareNames).reverse();
  for (let searched = 0; searched < MOST_SEARCHED; searched++) {
    const below = pending.pop();
    if (below === undefined) return undefined;
    for (const entry of (await list(join(root, below), [])).entries) {
      const path = join(below, entry.name);
      if (!entry.isDirectory() && isPicture(entry.name)) return below;
      if (entry.isDirectory() && join(realRoot, path) !== without) pending.push(path);
    }
  }
  return undefined;
}

/** Pictures to score on, from a folder: originals and, where they are given, their quarter-size versions. */

import { stat } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import { ImageError } from '../image/errors.ts';
import { listPictures, readPicture } from '../image/files.node.ts';
import { cropToMultiple, describe, splitAlpha } from '../image/picture.ts';
import { shrink } from '../image/resize.ts';
import type { Pair } from './evaluate.ts';
import { BORDER, SMALLEST_SIDE } from './protocols.ts';

/** Originals are this many times as wide and high as what a method starts from. */
const SCALE = BORDER;

/** What a data set's folder holds; nothing is decoded yet. */
export interface DataSet {
  readonly folder: string;
  /** Where the low-resolution pictures come from, in words for people. */
  readonly origin: string;
  readonly entries: readonly { readonly name: string; readonly hr: string; readonly lr: string | undefined }[];
  /** Files that belong to no pair. */
  readonly strays: readonly ImageError[];
}

const stem = (path: string) => basename(path, extname(path));

async function isFolder(path: string): Promise<boolean> {
  return await stat(path).then(
    found => found.isDirectory(),
    () => false,
  );
}

/**
 * Looks into a folder that holds `HR/*.png` and optionally `LRx4/*.png` (pairs have equal names), or just pictures,
 * which are the originals then. PNG and JPEG.
 * @throws ImageError where the folder cannot be read or holds no picture.
 */
export async function openDataSet(folder: string): Promise<DataSet> {
  const inside = join(folder, 'HR');
  const originals = await listPictures((await isFolder(inside)) ? inside : folder);
  if (originals.length === 0) {
    throw new ImageError(folder, 'no pictures here: expected HR/*.png and optionally LRx4/*.png, or just pictures');
  }
  const strays: ImageError[] = [];
  const named = new Map<string, string>();
  for (const path of originals) {
    const taken = named.get(stem(path));
    if (taken === undefined) named.set(stem(path), path);
    else strays.push(new ImageError(path, `left out: ${basename(taken)} has the same name`));
  }
  const lowFolder = join(folder, 'LRx4');
  if (!(await isFolder(lowFolder))) {
    const entries = [...named].map(([name, hr]) => ({ name, hr, lr: undefined }));
    return { folder, origin: 'LR made from HR: bicubic, 1/4, edges clamped, 8 bit', entries, strays };
  }
  const low = new Map((await listPictures(lowFolder)).map(path => [stem(path), path]));
  for (const [name, hr] of named) {
    if (!low.has(name)) strays.push(new ImageError(hr, `LRx4 holds no picture named ${name}`));
  }
  for (const [name, lr] of low) {
    if (!named.has(name)) strays.push(new ImageError(lr, `there is no original named ${name}`));
  }
  const entries = [...named].filter(([name]) => low.has(name)).map(([name, hr]) => ({ name, hr, lr: low.get(name) }));
  return { folder, origin: 'LR from LRx4', entries, strays };
}

/**
 * Reads the pairs one after the other. Originals are cropped (from the top left) to sides that are multiples of 4; alpha
 * is dropped.
 * Strays and files that are broken, too small or do not fit together are handed to `onSkip`, one error each, and left
 * out.
 */
export async function* readPairs(
  set: DataSet,
  options: { readonly onSkip?: (error: ImageError) => void; readonly signal?: AbortSignal } = {},
): AsyncGenerator<Pair, void, undefined> {
  for (const stray of set.strays) options.onSkip?.(stray);
  for (const { name, hr, lr } of set.entries) {
    options.signal?.throwIfAborted();
    let pair: Pair;
    try {
      pair = await readPair(name, hr, lr);
    } catch (error) {
      if (!(error instanceof ImageError)) throw error;
      options.onSkip?.(error);
      continue;
    }
    yield pair;
  }
}

async function readPair(name: string, hrPath: string, lrPath: string | undefined): Promise<Pair> {
  const original = splitAlpha(await readPicture(hrPath)).colour;
  if (original.width < SMALLEST_SIDE || original.height < SMALLEST_SIDE) {
    const least = `${SMALLEST_SIDE}x${SMALLEST_SIDE}`;
    throw new ImageError(hrPath, `${describe(original)}: too small to score, at least ${least}`);
  }
  const hr = cropToMultiple(original, SCALE);
  if (lrPath === undefined) return { name, hr, lr: shrink(hr, SCALE) };
  const lr = splitAlpha(await readPicture(lrPath)).colour;
  if (lr.width * SCALE !== hr.width || lr.height * SCALE !== hr.height) {
    const wanted = `${hr.width / SCALE}x${hr.height / SCALE}`;
    throw new ImageError(lrPath, `${describe(lr)}: expected ${wanted}, a quarter of ${describe(original)}`);
  }
  return { name, hr, lr };
}

/** Reads data sets for scoring from folders: originals and, if given, their quarter-size versions. */

import type { Dirent } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { printable } from '../common/text.ts';
import { ImageError } from '../image/errors.ts';
import { readPicture } from '../image/files.node.ts';
import { isOtherPicture, isPicture } from '../image/formats.ts';
import { listFolder } from '../image/list-folder.node.ts';
import { cropToMultiple, describe, type Picture, peak, splitAlpha } from '../image/picture.ts';
import { pillowShrink } from '../image/pillow.ts';
import { shrink } from '../image/resize.ts';
import type { Pair } from './evaluate.ts';
import { isLowFolder, isSetFolder, layoutOf } from './layout.ts';
import { BORDER, SMALLEST_SIDE } from './protocols.ts';
import { undecodableNote, unreadNote } from './skipped-notes.ts';

/** Scale from LR to original. */
const SCALE = BORDER;

/** The contents of a data set's folder, before decoding. */
export interface DataSet {
  readonly folder: string;
  /** Where the LR pictures come from, as text. */
  readonly origin: string;
  /** Makes the LR of entries without one. */
  readonly makeLow: (hr: Picture) => Picture;
  readonly entries: readonly { readonly name: string; readonly hr: string; readonly lr: string | undefined }[];
  /** Files that belong to no pair. */
  readonly strays: readonly ImageError[];
  /** One line each about unsupported formats and skipped results of other methods. */
  readonly notes: readonly string[];
}

/** Programs whose bicubic makes LR pictures. */
export const LOW_MAKERS = ['matlab', 'pillow'] as const;
export type LowMaker = (typeof LOW_MAKERS)[number];

const MAKERS: Readonly<Record<LowMaker, { readonly make: (hr: Picture) => Picture; readonly origin: string }>> = {
  matlab: { make: hr => shrink(hr, SCALE), origin: 'LR made from HR: bicubic, 1/4, edges clamped, 8 bit' },
  pillow: { make: hr => pillowShrink(hr, SCALE), origin: "LR made from HR: Pillow's bicubic, 1/4" },
};

/** Options for reading a data set. */
export interface ReadOptions {
  /** Called with an error for each skipped file. */
  readonly onSkip?: ((error: ImageError) => void) | undefined;
  /** Called with a line about each problem in a picture that is used. */
  readonly onNote?: ((note: string) => void) | undefined;
  /** Hears the bytes of each file that is read, those of an original before those of its LR. */
  readonly onBytes?: ((path: string, bytes: Uint8Array) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Help text for options with a folder for `openDataSet`. */
export const DATA_HELP = 'holds HR/*.png and optionally LRx4/*.png, or just pictures';

/**
 * Opens a folder with originals and optionally their LR pictures in one of the layouts of published sets (see
 * `layoutOf`), or with only originals.
 * @param made Make the LR pictures this way, even if the set has some. Default: read them, or make MATLAB's.
 * @throws ImageError if the folder cannot be read, holds no picture, or holds several sets.
 */
export async function openDataSet(folder: string, made?: LowMaker): Promise<DataSet> {
  const { root, paths, undecodable } = await contentOf(folder);
  const layout = layoutOf(paths);
  if ('several' in layout) {
    throw new ImageError(folder, `holds several sets: use one of its folders ${layout.several.join(', ')}`);
  }
  const skipped = [unreadNote(layout.unread), undecodableNote(undecodable)].filter(note => note !== undefined);
  if (layout.entries.length === 0 && layout.strays.length === 0) {
    const expected = 'expected HR/*.png and optionally LRx4/*.png, or just pictures';
    throw new ImageError(folder, `no pictures here: ${skipped.join('; ') || expected}`);
  }
  const path = (below: string) => join(root, below);
  const maker = MAKERS[made ?? 'matlab'];
  return {
    folder,
    origin: layout.low === undefined || made !== undefined ? maker.origin : `LR from ${layout.low}`,
    makeLow: maker.make,
    entries: layout.entries.map(({ name, hr, lr }) => ({
      name,
      hr: path(hr),
      lr: lr === undefined || made !== undefined ? undefined : path(lr),
    })),
    strays: layout.strays.map(({ file, problem }) => new ImageError(path(file), problem)),
    notes: [...skipped, ...layout.notes].map(note => `${printable(folder)}: ${note}`),
  };
}

/** The paths for `layoutOf`, and the number of pictures beside them whose names are not valid UTF-8. */
interface Content {
  readonly paths: readonly string[];
  readonly undecodable: number;
}

/** A set's content, and the folder to which the paths are relative. */
async function contentOf(folder: string): Promise<Content & { readonly root: string }> {
  const own = { root: folder, ...(await contentBelow(folder)) };
  // DIV2K's folders are siblings: the folder of originals implies that of its LR.
  const beginning = /^(.+)_HR$/i.exec(basename(resolve(folder)))?.[1];
  if (beginning === undefined || own.paths.some(path => path.endsWith('/'))) return own;
  const root = dirname(resolve(folder));
  const around = await contentBelow(root).catch(() => undefined);
  const paths = (around?.paths ?? []).filter(
    path => path.toLowerCase().startsWith(`${beginning.toLowerCase()}_`) && path.includes('/'),
  );
  const hasLow = paths.some(path => path.endsWith('/') && isLowFolder(path.slice(0, path.indexOf('/'))));
  return hasLow ? { root, paths, undecodable: own.undecodable } : own;
}

/** Pictures, and a set's folders with their pictures, in natural order. */
async function contentBelow(folder: string, below = ''): Promise<Content> {
  const contents = await listFolder(join(folder, below));
  const paths: string[] = [];
  let undecodable = contents.undecodable.filter(({ name }) => isPictureName(name)).length;
  for (const entry of contents.entries) {
    const path = `${below}${entry.name}`;
    if (!(await isFolder(join(folder, path), entry))) {
      if (isPictureName(entry.name)) paths.push(path);
    } else if (below === '' ? isSetFolder(entry.name) : isLowFolder(below.slice(0, -1)) && /^x4$/i.test(entry.name)) {
      const inside = await contentBelow(folder, `${path}/`);
      paths.push(`${path}/`, ...inside.paths);
      undecodable += inside.undecodable;
    }
  }
  return { paths, undecodable };
}

async function isFolder(path: string, entry: Dirent): Promise<boolean> {
  if (!entry.isSymbolicLink()) return entry.isDirectory();
  return await stat(path).then(
    found => found.isDirectory(),
    () => false,
  );
}

const isPictureName = (name: string) => isPicture(name) || isOtherPicture(name);

/**
 * Reads the pairs one by one. Originals are cropped (right and bottom) to sides that are multiples of 4; alpha is
 * dropped, with a note if it hides anything. Strays and files that are broken, too small or do not match are passed to
 * `onSkip` and skipped. Only one pair is held at a time.
 */
export async function* readPairs(set: DataSet, options: ReadOptions = {}): AsyncGenerator<Pair, void, undefined> {
  for (const stray of set.strays) options.onSkip?.(stray);
  for (const { name, hr, lr } of set.entries) {
    options.signal?.throwIfAborted();
    const pair = await readPair(name, hr, lr, set.makeLow, options);
    if (pair instanceof ImageError) options.onSkip?.(pair);
    else yield pair;
  }
}

/** Reads a pair. Reports an error to `onSkip`. */
async function readPair(
  name: string,
  hr: string,
  lr: string | undefined,
  makeLow: DataSet['makeLow'],
  { onNote, onBytes }: ReadOptions,
): Promise<Pair | ImageError> {
  try {
    const seeThrough: string[] = [];
    const pair = await decodePair(name, hr, lr, makeLow, path => seeThrough.push(path), onBytes);
    if (seeThrough.length > 0) {
      onNote?.(`${printable(seeThrough[0])}: alpha is dropped, and transparent pixels count with their hidden colours`);
    }
    return pair;
  } catch (error) {
    if (error instanceof ImageError) return error;
    throw error;
  }
}

async function decodePair(
  name: string,
  hrPath: string,
  lrPath: string | undefined,
  makeLow: DataSet['makeLow'],
  onAlpha: (path: string) => void,
  onBytes: ReadOptions['onBytes'],
): Promise<Pair> {
  const colourOf = async (path: string): Promise<Picture> => {
    const { colour, alpha } = splitAlpha(await readPicture(path, bytes => onBytes?.(path, bytes)));
    if (alpha !== undefined && !isOpaque(alpha)) onAlpha(path);
    return colour;
  };
  const original = await colourOf(hrPath);
  if (original.width < SMALLEST_SIDE || original.height < SMALLEST_SIDE) {
    const least = `${SMALLEST_SIDE}x${SMALLEST_SIDE}`;
    throw new ImageError(hrPath, `${describe(original)}: too small to score, expected at least ${least}`);
  }
  const hr = cropToMultiple(original, SCALE);
  if (lrPath === undefined) return { name, hr, lr: makeLow(hr) };
  const lr = await colourOf(lrPath);
  if (lr.width * SCALE !== hr.width || lr.height * SCALE !== hr.height) {
    const wanted = `${hr.width / SCALE}x${hr.height / SCALE}`;
    throw new ImageError(lrPath, `${describe(lr)}: expected ${wanted}, a quarter of ${describe(original)}`);
  }
  return { name, hr, lr };
}

function isOpaque(alpha: Picture): boolean {
  const white = peak(alpha);
  return alpha.data.every(sample => sample === white);
}

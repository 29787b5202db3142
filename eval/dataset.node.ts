/** Pictures to score on, from a folder: originals and, where they are given, their quarter-size versions. */

import type { Dirent } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { codeOf } from '../image/disk.node.ts';
import { ImageError, printable } from '../image/errors.ts';
import { compareNames, readPicture } from '../image/files.node.ts';
import { isOtherPicture, PICTURE_EXTENSIONS } from '../image/formats.ts';
import { cropToMultiple, describe, type Picture, peak, splitAlpha } from '../image/picture.ts';
import { shrink } from '../image/resize.ts';
import type { Pair } from './evaluate.ts';
import { isLowFolder, isSetFolder, layoutOf } from './layout.ts';
import { BORDER, SMALLEST_SIDE } from './protocols.ts';
import { unreadNote } from './unread.ts';

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
  /** What people should know beside: pictures of formats that are not read, results of other methods. A line each. */
  readonly notes: readonly string[];
}

/** How a data set is read. */
export interface ReadOptions {
  /** Hears, one error each, of what is left out. */
  readonly onSkip?: ((error: ImageError) => void) | undefined;
  /** Hears, as lines for people, what was not as it should be in a picture that is read. */
  readonly onNote?: ((note: string) => void) | undefined;
  /** Hears the bytes of each file that is read, those of an original before those of its LR. */
  readonly onBytes?: ((path: string, bytes: Uint8Array) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What `--data` and its kin say of the folders that `openDataSet` takes. */
export const DATA_HELP = 'holds HR/*.png and optionally LRx4/*.png, or just pictures';

/**
 * Looks into a folder that holds originals and optionally the LR pictures that belong to them, in one of the layouts of
 * published sets (see `layoutOf`), or just pictures, which are the originals then.
 * @throws ImageError where the folder cannot be read, holds no picture, or holds several sets.
 */
export async function openDataSet(folder: string): Promise<DataSet> {
  const { root, paths } = await contentOf(folder);
  const layout = layoutOf(paths);
  if ('several' in layout) {
    throw new ImageError(folder, `holds several sets: name one of ${layout.several.join(', ')} in it`);
  }
  const unread = unreadNote(layout.unread);
  if (layout.entries.length === 0 && layout.strays.length === 0) {
    const expected = 'expected HR/*.png and optionally LRx4/*.png, or just pictures';
    throw new ImageError(folder, `no pictures here: ${unread ?? expected}`);
  }
  const path = (below: string) => join(root, below);
  return {
    folder,
    origin: layout.low === undefined ? 'LR made from HR: bicubic, 1/4, edges clamped, 8 bit' : `LR from ${layout.low}`,
    entries: layout.entries.map(({ name, hr, lr }) => ({ name, hr: path(hr), lr: lr === undefined ? lr : path(lr) })),
    strays: layout.strays.map(({ file, problem }) => new ImageError(path(file), problem)),
    notes: [...(unread === undefined ? [] : [unread]), ...layout.notes].map(note => `${printable(folder)}: ${note}`),
  };
}

/** The paths that `layoutOf` wants, and the folder to which they are relative. */
async function contentOf(folder: string): Promise<{ root: string; paths: string[] }> {
  const paths = await pathsIn(folder, '');
  // DIV2K's folders lie side by side: who names that of the originals means their LR too.
  const beginning = /^(.+)_HR$/i.exec(basename(resolve(folder)))?.[1];
  if (beginning === undefined || paths.some(path => path.endsWith('/'))) return { root: folder, paths };
  const above = resolve(folder, '..');
  const around = await pathsIn(above, '').catch(() => []);
  const own = around.filter(path => path.toLowerCase().startsWith(`${beginning.toLowerCase()}_`) && path.includes('/'));
  return own.some(path => path.endsWith('/') && isLowFolder(path.slice(0, path.indexOf('/'))))
    ? { root: dirname(resolve(folder)), paths: own }
    : { root: folder, paths };
}

/** Pictures, and the folders of a set with theirs, in natural order. */
async function pathsIn(folder: string, below: string): Promise<string[]> {
  const entries = await list(join(folder, below));
  const paths: string[] = [];
  for (const entry of entries) {
    const path = `${below}${entry.name}`;
    if (!(await isFolder(join(folder, path), entry))) {
      if (isPictureName(entry.name)) paths.push(path);
    } else if (below === '' ? isSetFolder(entry.name) : isLowFolder(below.slice(0, -1)) && /^x4$/i.test(entry.name)) {
      paths.push(`${path}/`, ...(await pathsIn(folder, `${path}/`)));
    }
  }
  return paths;
}

async function list(folder: string): Promise<Dirent[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries.filter(({ name }) => !name.startsWith('.')).sort((a, b) => compareNames(a.name, b.name));
  } catch (error) {
    throw new ImageError(folder, `cannot list this folder (${codeOf(error)})`, { cause: error });
  }
}

async function isFolder(path: string, entry: Dirent): Promise<boolean> {
  if (!entry.isSymbolicLink()) return entry.isDirectory();
  return await stat(path).then(
    found => found.isDirectory(),
    () => false,
  );
}

const isPictureName = (name: string) =>
  isOtherPicture(name) || PICTURE_EXTENSIONS.some(ending => name.toLowerCase().endsWith(ending));

/**
 * Reads the pairs one after the other. Originals are cropped (from the top left) to sides that are multiples of 4; alpha
 * is dropped, and told of where it hides anything.
 * Strays and files that are broken, too small or do not fit together are handed to `onSkip`, one error each, and left
 * out. No pair is held longer than until the next is asked for.
 */
export async function* readPairs(set: DataSet, options: ReadOptions = {}): AsyncGenerator<Pair, void, undefined> {
  for (const stray of set.strays) options.onSkip?.(stray);
  for (const { name, hr, lr } of set.entries) {
    options.signal?.throwIfAborted();
    const pair = await readPair(name, hr, lr, options);
    if (pair instanceof ImageError) options.onSkip?.(pair);
    else yield pair;
  }
}

/** A pair, or why there is none. */
async function readPair(
  name: string,
  hr: string,
  lr: string | undefined,
  { onNote, onBytes }: ReadOptions,
): Promise<Pair | ImageError> {
  try {
    const seeThrough: string[] = [];
    const pair = await decodePair(name, hr, lr, path => seeThrough.push(path), onBytes);
    if (seeThrough.length > 0) {
      onNote?.(`${printable(seeThrough[0])}: alpha is dropped, and the colours of transparent pixels count`);
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
    throw new ImageError(hrPath, `${describe(original)}: too small to score, at least ${least}`);
  }
  const hr = cropToMultiple(original, SCALE);
  if (lrPath === undefined) return { name, hr, lr: shrink(hr, SCALE) };
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

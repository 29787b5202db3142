/** Picture files on a disk: which lie in a folder, read one, write one so that nothing is lost when writing fails. */

import { readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, extname, join } from 'node:path';
import { decode, encodePng } from '#codec';
import { decodeFile, encodeFitted } from './codec.node.ts';
import { codeOf, meaningOf, writeSynced } from './disk.node.ts';
import { ImageError } from './errors.ts';
import { DEFAULT_MAX_PIXELS, type Format, formatForName, isOtherPicture, PICTURE_EXTENSIONS } from './formats.ts';
import { fitted } from './losses.ts';
import { makeFolder } from './make-folder.node.ts';
import type { Picture, Samples } from './picture.ts';
import type { DecodeOptions, EncodeOptions, PictureFile } from './picture-file.ts';
import { unfinishedPath } from './unfinished.node.ts';

export type { Metadata, PictureFile } from './picture-file.ts';

const natural = new Intl.Collator('en', { numeric: true });

/** Orders names as people do: img_2 before img_10. The same on every machine, whatever its locale. */
export function compareNames(a: string, b: string): number {
  return natural.compare(a, b) || (a < b ? -1 : a > b ? 1 : 0);
}

/**
 * Paths of the picture files (PICTURE_EXTENSIONS) in a folder (not in folders below it), in natural order; hidden files are left out.
 * @throws ImageError where the folder cannot be read.
 */
export async function listPictures(folder: string): Promise<string[]> {
  return (await listFolder(folder)).pictures;
}

/**
 * `listPictures`, and beside it the names of the files that are pictures of formats which are not read.
 * @throws ImageError where the folder cannot be read.
 */
export async function listFolder(folder: string): Promise<{ pictures: string[]; unread: string[] }> {
  let entries: string[];
  try {
    entries = await readdir(folder);
  } catch (error) {
    throw new ImageError(folder, `cannot list this folder (${codeOf(error)})`, { cause: error });
  }
  const shown = entries.filter(entry => !entry.startsWith('.')).sort(compareNames);
  return {
    pictures: shown
      .filter(entry => PICTURE_EXTENSIONS.includes(extname(entry).toLowerCase()))
      .map(entry => join(folder, entry)),
    unread: shown.filter(isOtherPicture),
  };
}

/**
 * Reads and decodes one picture file (see `decode`).
 * @param onBytes hears the file's bytes, before they are decoded.
 * @throws ImageError naming the file where it is missing, unreadable, damaged or unsupported.
 */
export async function readPicture(path: string, onBytes?: (bytes: Uint8Array) => void): Promise<Picture> {
  const bytes = await bytesOf(path);
  onBytes?.(bytes);
  return await decode(bytes, path);
}

/**
 * Reads and decodes one picture file with all it holds: 16 bits stay 16, grey stays grey (see `decodeFile`).
 * @throws ImageError naming the file where it is missing, unreadable, damaged, unsupported or larger than `maxPixels`;
 *   the signal's reason where it is aborted.
 */
export async function openPicture(
  path: string,
  { signal, ...options }: DecodeOptions & { readonly signal?: AbortSignal | undefined } = {},
): Promise<PictureFile> {
  const bytes = await bytesOf(path, options.maxPixels, signal);
  signal?.throwIfAborted();
  const file = await decodeFile(bytes, path, options);
  signal?.throwIfAborted();
  return file;
}

/**
 * Reads a stream to its end and decodes the picture file that comes out of it, as `openPicture`.
 * @param name For messages.
 * @throws ImageError as `openPicture`, also as soon as more comes than a picture of `maxPixels` takes.
 */
export async function openPictureFrom(
  stream: AsyncIterable<Uint8Array>,
  name: string,
  { signal, ...options }: DecodeOptions & { readonly signal?: AbortSignal | undefined } = {},
): Promise<PictureFile> {
  const most = mostBytes(options.maxPixels);
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of stream) {
    signal?.throwIfAborted();
    pieces.push(piece);
    length += piece.length;
    if (length > most) throw new ImageError(name, `more than ${most} bytes, which the limit of pixels takes at most`);
  }
  const file = await decodeFile(Buffer.concat(pieces), name, options);
  signal?.throwIfAborted();
  return file;
}

/**
 * Writes a picture in the format of its name's ending (OUTPUT_EXTENSIONS), making its folder if need be; the file
 * appears whole or not at all.
 * @returns a line for everything that the format cannot hold (see `fitted`).
 * @throws ImageError for other endings, or where the file cannot be written.
 */
export async function savePicture(
  path: string,
  picture: Picture<Samples>,
  { metadata, quality }: EncodeOptions = {},
): Promise<readonly string[]> {
  const { bytes, losses } = await pictureBytes(picture, formatForName(path), { metadata, quality }, path);
  await writeAtomically(path, bytes);
  return losses;
}

/**
 * The bytes of a picture's file, and a line for everything that its format cannot hold (see `fitted`).
 * @param name For messages.
 * @throws ImageError where the format cannot hold the picture, or needs sharp and it is missing.
 */
export async function pictureBytes(
  picture: Picture<Samples>,
  format: Format,
  { metadata, quality }: EncodeOptions,
  name: string,
): Promise<{ readonly bytes: Uint8Array; readonly losses: readonly string[] }> {
  const suited = fitted(picture, format, metadata);
  return { bytes: await encodeFitted(suited, format, quality, name), losses: suited.losses };
}

/** Beyond eight bytes a pixel, which 16 bit RGBA takes uncompressed, a file has this much for all else. */
const ROOM_FOR_METADATA = 1 << 26;

const mostBytes = (maxPixels = DEFAULT_MAX_PIXELS) => 8 * maxPixels + ROOM_FOR_METADATA;

async function bytesOf(path: string, maxPixels = DEFAULT_MAX_PIXELS, signal?: AbortSignal): Promise<Uint8Array> {
  const most = mostBytes(maxPixels);
  try {
    const found = await stat(path);
    // A pipe or a device may never end.
    if (!found.isFile()) throw new ImageError(path, 'cannot be read (not a file)');
    if (found.size > most) {
      throw new ImageError(path, `${found.size} bytes are more than ${maxPixels} pixels, the limit, take (${most})`);
    }
    return await readFile(path, signal && { signal });
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof ImageError) throw error;
    throw new ImageError(path, `cannot be read (${codeOf(error)})`, { cause: error });
  }
}

/**
 * Writes a picture as a PNG file, making its folder if need be.
 * @throws ImageError for another ending than .png, or where the file cannot be written.
 */
export async function writePicture(path: string, picture: Picture): Promise<void> {
  if (extname(path).toLowerCase() !== '.png') throw new ImageError(path, 'pictures are written as .png only');
  await writeAtomically(path, await encodePng(picture));
}

/** Writes beside the file and renames: whoever reads `path` finds the old file or the new one, never half of it. */
export async function writeAtomically(path: string, bytes: Uint8Array): Promise<void> {
  const temporary = unfinishedPath(path);
  try {
    await makeFolder(dirname(path));
    await writeSynced(temporary, bytes);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw unwritable(path, error);
  }
}

/** That a file cannot be written, as the system's error says. */
export function unwritable(path: string, error: unknown): ImageError {
  const code = codeOf(error);
  const reason = [meaningOf(code), code].filter(Boolean).join(', ');
  return new ImageError(path, `cannot be written (${reason})`, { cause: error });
}

/**
 * Whether a file (or anything else) is there.
 * @throws ImageError where none can be, as its name is too long.
 */
export async function isThere(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (codeOf(error) === 'ENAMETOOLONG') throw unwritable(path, error);
    return false;
  }
}

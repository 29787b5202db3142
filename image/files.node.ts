/** Reads and writes picture files. */

import { readFile, stat } from 'node:fs/promises';
import { extname } from 'node:path';
import { decode, encodePng } from '#codec';
import { codeOf, reasonOf, unwritable } from '../files/file-error.ts';
import { writeAtomically } from '../files/write.node.ts';
import { decodeFile, encodePicture } from './codec.node.ts';
import { ImageError } from './errors.ts';
import { DEFAULT_MAX_PIXELS, formatForName } from './formats.ts';
import type { Picture, Samples } from './picture.ts';
import type { DecodeOptions, EncodeOptions, PictureFile } from './picture-file.ts';

export type { Metadata, PictureFile } from './picture-file.ts';

/**
 * Reads and decodes one picture file (see `decode`).
 * @param onBytes Called with the file's bytes before they are decoded.
 * @throws ImageError if the file is missing, unreadable, damaged or unsupported.
 */
export async function readPicture(path: string, onBytes?: (bytes: Uint8Array) => void): Promise<Picture> {
  const bytes = await bytesOf(path);
  onBytes?.(bytes);
  return await decode(bytes, path);
}

/**
 * Reads and decodes one picture file with its metadata: 16 bits stay 16, grey stays grey (see `decodeFile`).
 * @throws ImageError if the file is missing, unreadable, damaged, unsupported or larger than `maxPixels`; the signal's
 *   reason if it is aborted.
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
 * Reads a stream to its end and decodes it like `openPicture`.
 * @param name For messages.
 * @throws ImageError like `openPicture`, and as soon as the stream exceeds the size of a picture of `maxPixels`.
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
    if (length > most) throw new ImageError(name, `more than ${most} bytes, the most that the pixel limit allows`);
  }
  const file = await decodeFile(Buffer.concat(pieces), name, options);
  signal?.throwIfAborted();
  return file;
}

/**
 * Writes a picture atomically, in the format of its extension (OUTPUT_EXTENSIONS). Creates the folder if needed.
 * @returns one line for each thing that the format cannot hold (see `fitted`).
 * @throws ImageError for other extensions, FileError if the file cannot be written.
 */
export async function savePicture(
  path: string,
  picture: Picture<Samples>,
  options: EncodeOptions = {},
): Promise<readonly string[]> {
  const { bytes, losses } = await encodePicture(picture, formatForName(path), options, path);
  await writeAtomically(path, bytes);
  return losses;
}

/** Bytes allowed for metadata, beyond the eight bytes per pixel of uncompressed 16-bit RGBA. */
const ROOM_FOR_METADATA = 1 << 26;

const mostBytes = (maxPixels = DEFAULT_MAX_PIXELS) => 8 * maxPixels + ROOM_FOR_METADATA;

async function bytesOf(path: string, maxPixels = DEFAULT_MAX_PIXELS, signal?: AbortSignal): Promise<Uint8Array> {
  const most = mostBytes(maxPixels);
  try {
    const found = await stat(path);
    // A pipe or a device may never end.
    if (!found.isFile()) throw new ImageError(path, 'cannot be read: not a file');
    if (found.size > most) {
      throw new ImageError(
        path,
        `${found.size} bytes exceed ${most}, the most that the limit of ${maxPixels} pixels allows`,
      );
    }
    return await readFile(path, signal && { signal });
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof ImageError) throw error;
    throw new ImageError(path, `cannot be read: ${reasonOf(error)}`, { cause: error });
  }
}

/**
 * Writes a picture as PNG. Creates the folder if needed.
 * @throws ImageError for an extension other than .png, FileError if the file cannot be written.
 */
export async function writePicture(path: string, picture: Picture): Promise<void> {
  if (extname(path).toLowerCase() !== '.png') throw new ImageError(path, 'pictures are written as .png only');
  await writeAtomically(path, await encodePng(picture));
}

/**
 * Whether the path exists.
 * @throws FileError if the name is too long.
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

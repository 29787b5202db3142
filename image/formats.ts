/** Which picture formats are known, told by a file's first bytes, and what is refused before decoding. */

import { ImageError } from './errors.ts';
import { isPng } from './png-header.ts';

export type Format = 'png' | 'jpeg';

const EXTENSIONS: Readonly<Record<string, Format>> = { '.png': 'png', '.jpg': 'jpeg', '.jpeg': 'jpeg' };

/** File names that are taken for pictures when a folder is listed. */
export const PICTURE_EXTENSIONS: readonly string[] = Object.keys(EXTENSIONS);

/** Endings of the files that pictures can be written to. */
export const OUTPUT_EXTENSIONS: readonly string[] = PICTURE_EXTENSIONS;

/**
 * The format that a file name's ending asks for.
 * @throws ImageError for an ending that is not in OUTPUT_EXTENSIONS.
 */
export function formatForName(name: string): Format {
  const format = EXTENSIONS[/\.[^./\\]*$/.exec(name)?.[0].toLowerCase() ?? ''];
  if (format === undefined) throw new ImageError(name, `pictures are written as ${OUTPUT_EXTENSIONS.join(', ')}`);
  return format;
}

/** No picture of more pixels is made or read unless asked for (as libvips: 16383²). */
export const MAX_PIXELS = 0x3fff * 0x3fff;

/** More pixels than this are refused: a few damaged bytes in a header can ask for any amount of memory. */
export const DEFAULT_MAX_PIXELS = MAX_PIXELS;

const OTHERS: readonly (readonly [string, RegExp])[] = [
  ['GIF', /^GIF8/],
  ['BMP', /^BM/],
  ['TIFF', /^(II\*\0|MM\0\*)/],
  ['WebP', /^RIFF[\s\S]{4}WEBP/],
  ['AVIF or HEIF', /^[\s\S]{4}ftyp/],
];

/**
 * The format of a file by its first bytes; its name's ending does not matter.
 * @throws ImageError for an empty file or one that is neither PNG nor JPEG.
 */
export function formatOf(bytes: Uint8Array, name: string): Format {
  if (bytes.length === 0) throw new ImageError(name, 'empty file');
  if (isPng(bytes)) return 'png';
  if (bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[2] === 0xff) return 'jpeg';
  const start = String.fromCharCode(...bytes.subarray(0, 16));
  const other = OTHERS.find(([, pattern]) => pattern.test(start));
  throw new ImageError(name, other ? `${other[0]} is not supported: PNG or JPEG` : 'not a picture (PNG or JPEG)');
}

/** @throws ImageError where the sides promise more than `maxPixels`. */
export function checkSize(width: number, height: number, name: string, maxPixels = DEFAULT_MAX_PIXELS): void {
  if (width * height > maxPixels) {
    throw new ImageError(name, `${width}x${height} pixels are more than the limit of ${maxPixels}`);
  }
}

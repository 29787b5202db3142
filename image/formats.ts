/** The supported picture formats, detection by a file's first bytes, and the pixel limit. */

import { ImageError, PictureSizeError } from './errors.ts';
import { isPng } from './png-header.ts';

/** Formats that can be read and written. */
export type Format = 'png' | 'jpeg' | 'webp' | 'avif' | 'tiff';

/** Formats that can be read. */
export type ReadFormat = Format | 'gif';

/** Display names. */
export const FORMAT_NAMES: Readonly<Record<ReadFormat, string>> = {
  png: 'PNG',
  jpeg: 'JPEG',
  webp: 'WebP',
  avif: 'AVIF',
  tiff: 'TIFF',
  gif: 'GIF',
};

const EXTENSIONS: Readonly<Record<string, Format>> = {
  '.png': 'png',
  '.jpg': 'jpeg',
  '.jpeg': 'jpeg',
  '.jfif': 'jpeg',
  '.jpe': 'jpeg',
  '.jif': 'jpeg',
  '.pjpeg': 'jpeg',
  '.webp': 'webp',
  '.avif': 'avif',
  '.tif': 'tiff',
  '.tiff': 'tiff',
};

/** Extensions that can be written. */
export const OUTPUT_EXTENSIONS: readonly string[] = Object.keys(EXTENSIONS);

/** Extensions that count as pictures when a folder is listed. */
export const PICTURE_EXTENSIONS: readonly string[] = [...OUTPUT_EXTENSIONS, '.gif'];

/** Extensions of unsupported formats from other programs, phones and cameras. */
const OTHER_EXTENSIONS =
  /\.(gif|bmp|hei[cf]|hif|jxl|jp2|psd|svg|p[bgpn]m|tga|exr|dng|cr[23]|nef|arw|orf|rw2|raf|pef|srw)$/i;

/** The extension of a name or path, in lower case with its dot; empty if there is none. */
export const extensionOf = (name: string): string => /\.[^./\\]*$/.exec(name)?.[0].toLowerCase() ?? '';

/** True for names of pictures that can be read, by their extensions. */
export const isPicture = (name: string): boolean => PICTURE_EXTENSIONS.includes(extensionOf(name));

/** True for names of pictures in formats that cannot be written. Of these, only .gif can be read. */
export const isOtherPicture = (name: string): boolean => OTHER_EXTENSIONS.test(name);

/**
 * Default pixel limit, because a few damaged header bytes can request any amount of memory. 16383², as in libvips and
 * the maximum of WebP. Decoding takes 6 to 18 bytes per pixel.
 */
export const DEFAULT_MAX_PIXELS = 0x3fff * 0x3fff;

/**
 * The format of a file name's extension.
 * @throws ImageError for an extension that is not in OUTPUT_EXTENSIONS.
 */
export function formatForName(name: string): Format {
  const format = EXTENSIONS[extensionOf(name)];
  if (format === undefined) throw new ImageError(name, `pictures are written as ${OUTPUT_EXTENSIONS.join(', ')}`);
  return format;
}

const STARTS: readonly (readonly [ReadFormat, RegExp])[] = [
  ['jpeg', /^\xff\xd8\xff/],
  ['webp', /^RIFF[\s\S]{4}WEBP/],
  // Brands: the major one, a version, and the compatible ones.
  ['avif', /^[\s\S]{4}ftyp(?:[\s\S]{4})*?avi[fs]/],
  ['tiff', /^(?:II[*+]\0|MM\0[*+])/],
  ['gif', /^GIF8[79]a/],
];

const OTHERS: readonly (readonly [string, RegExp])[] = [
  ['BMP', /^BM/],
  ['HEIF (HEIC)', /^[\s\S]{4}ftyp/],
  ['JPEG XL', /^(?:\xff\n|\0\0\0\fJXL )/],
  ['JPEG 2000', /^(?:\xff\x4f\xff\x51|\0\0\0\fjP )/],
  ['SVG', /^(?:<\?xml|<svg)/],
];

const SUPPORTED = Object.values(FORMAT_NAMES).join(', ');

/**
 * Detects a file's format by its first bytes, regardless of its extension.
 * @throws ImageError for an empty file or one of another format.
 */
export function formatOf(bytes: Uint8Array, name: string): ReadFormat {
  if (bytes.length === 0) throw new ImageError(name, 'empty file');
  if (isPng(bytes)) return 'png';
  const start = String.fromCharCode(...bytes.subarray(0, 48));
  const known = STARTS.find(([, pattern]) => pattern.test(start));
  if (known) return known[0];
  const other = OTHERS.find(([, pattern]) => pattern.test(start));
  throw new ImageError(
    name,
    other ? `${other[0]} is not supported: convert it to one of ${SUPPORTED}` : `not a picture (${SUPPORTED})`,
  );
}

/** @throws PictureSizeError for more than `maxPixels`. */
export function checkSize(width: number, height: number, name: string, maxPixels = DEFAULT_MAX_PIXELS): void {
  if (width * height > maxPixels) {
    throw new PictureSizeError(name, width, height, maxPixels);
  }
}

/** Maximum sides per format. For JPEG and AVIF, the limits of their libraries. */
const LONGEST_SIDE = { jpeg: 65_500, webp: 16_383, avif: 65_535, tiff: 0x7fff_ffff } as const;

/** @throws ImageError if a side is too long for the format. */
export function checkSides(width: number, height: number, format: Format, name: string): void {
  if (format === 'png' || Math.max(width, height) <= LONGEST_SIDE[format]) return;
  const problem = `${width}x${height} exceeds the limit of ${FORMAT_NAMES[format]} (${LONGEST_SIDE[format]} pixels per side)`;
  throw new ImageError(name, `${problem}: choose PNG or TIFF`);
}

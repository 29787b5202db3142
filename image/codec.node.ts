/**
 * Decodes and encodes picture files on Node: PNG directly and with pngjs, other formats with sharp if it is installed.
 */

import { colouredAsAsked } from './colours/as-asked.node.ts';
import { sayingSrgb } from './colours/exif-space.ts';
import { readProfile } from './colours/icc.ts';
import { meaningOf } from './colours/meaning.ts';
import { DEFAULT_MAX_PIXELS, type Format, formatOf } from './formats.ts';
import { fitted } from './losses.ts';
import { exifFor, isIdle, resolutionOfExif, statedOrientation } from './metadata/exif.ts';
import { turnedResolution } from './metadata/resolution.ts';
import { withoutCompanions, xmpFor } from './metadata/xmp.ts';
import { upright } from './orientation.ts';
import { type Picture, peak, type Samples, toEightBit } from './picture.ts';
import type { DecodeOptions, EncodeOptions, PictureFile } from './picture-file.ts';
import { decodePng, encodePngAside } from './png.node.ts';
import { decodeBySharp, encodeBySharp } from './sharp.node.ts';

/**
 * Decodes a file to 8 bits for training and scoring (16-bit samples become round(v · 255 / 65535)); otherwise like
 * `decodeFile`.
 *
 * @throws ImageError for empty, damaged, truncated or unsupported files, and for formats other than PNG if sharp is not
 *   installed.
 */
export async function decode(bytes: Uint8Array, name: string): Promise<Picture> {
  return toEightBit((await decodeFile(bytes, name)).picture);
}

/**
 * Decodes a file with its metadata. The first bytes determine the format; `name` is for messages.
 *
 * Samples are the file's own: grey stays one channel, 16 bits stay, gamma is not applied, and neither are profiles
 * unless `colours` is `srgb`. Palettes expand to RGB; fewer than 8 bits scale to 0…255; alpha, including a transparent
 * colour or palette entry, becomes an alpha channel; premultiplied alpha (TIFF) is divided out. CMYK and Lab are
 * converted to sRGB. The picture is rotated upright according to its orientation, which the metadata then state as 1.
 *
 * @throws ImageError for empty, damaged, truncated or unsupported files, files of more than `maxPixels` pixels,
 *   and for formats other than PNG if sharp is not installed.
 */
export async function decodeFile(bytes: Uint8Array, name: string, options: DecodeOptions = {}): Promise<PictureFile> {
  const format = formatOf(bytes, name);
  const { maxPixels = DEFAULT_MAX_PIXELS, colours = 'own' } = options;
  const decoded =
    format === 'png' ? await decodePng(bytes, name, maxPixels) : await decodeBySharp(bytes, format, name, maxPixels);
  const picture = upright(decoded.picture, decoded.orientation);
  const { icc, exif, xmp, comments } = decoded.metadata;
  const stated = decoded.metadata.resolution ?? resolutionOfExif(exif);
  const resolution = stated && decoded.orientation > 4 ? turnedResolution(stated) : stated;
  const useful = exif && !isIdle(exif, format === 'tiff') ? exif : undefined;
  const carried = useful && exifFor(useful, picture, resolution);
  const packet = xmp && withoutCompanions(xmp).xmp;
  const warnings = [...decoded.warnings, ...(colours === 'own' ? decoded.notCarried : [])];
  if (useful && !carried) warnings.push('its EXIF is damaged and was dropped');
  if (xmp && !packet) warnings.push('its XMP is damaged and was dropped');
  if (icc && !readProfile(icc)) warnings.push('its colour profile is damaged and was dropped');
  const bits = peak(picture) > 255 ? 16 : 8;
  const meaning = meaningOf({ ...decoded.colours, icc }, { channels: picture.channels, bits }, format);
  const coloured = await colouredAsAsked(picture, meaning, colours, warnings);
  return {
    picture: coloured.picture,
    format,
    metadata: {
      icc: coloured.icc,
      cicp: coloured.cicp,
      exif: carried && coloured.saysSrgb ? sayingSrgb(carried) : carried,
      // XMP's copy of the orientation rotates no picture. It is kept if EXIF states no orientation.
      xmp: packet && xmpFor(packet, picture, format === 'avif' || statedOrientation(exif) !== undefined),
      resolution,
      comments,
    },
    convertedFrom: coloured.convertedFrom,
    warnings,
  };
}

/** An encoded picture. */
export interface EncodedPicture {
  readonly bytes: Uint8Array;
  /** One line for each thing that the format cannot hold (see `fitted`). */
  readonly losses: readonly string[];
}

/**
 * Encodes a picture and its metadata: exactly in PNG and TIFF, approximately in the other formats.
 *
 * @param name For messages.
 * @throws ImageError if the picture is too large for the format, or the format needs sharp and it is not installed.
 */
export async function encodePicture(
  picture: Picture<Samples>,
  format: Format,
  { metadata: wanted, quality }: EncodeOptions,
  name: string,
): Promise<EncodedPicture> {
  const { picture: suited, metadata, losses } = fitted(picture, format, wanted);
  const bytes =
    format === 'png'
      ? await encodePngAside(suited, metadata)
      : await encodeBySharp(suited, format, metadata, quality, name);
  return { bytes, losses };
}

/** The bytes of `encodePicture`. */
export async function encodeFile(
  picture: Picture<Samples>,
  format: Format,
  options: EncodeOptions = {},
  name = 'picture',
): Promise<Uint8Array> {
  return (await encodePicture(picture, format, options, name)).bytes;
}

/** Encodes the picture losslessly as PNG: 8 or 16 bits; grey or RGB, with or without alpha. */
export async function encodePng(picture: Picture<Samples>): Promise<Uint8Array> {
  return await encodePngAside(picture);
}

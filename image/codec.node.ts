/** Picture files to pictures and back under Node: PNG here and by pngjs, the others by sharp where it is installed. */

import { colouredAsAsked } from './colours/as-asked.node.ts';
import { sayingSrgb } from './colours/exif-space.ts';
import { readProfile } from './colours/icc.ts';
import { meaningOf } from './colours/meaning.ts';
import { DEFAULT_MAX_PIXELS, type Format, formatOf } from './formats.ts';
import { type Fitted, fitted } from './losses.ts';
import { exifFor, isIdle, resolutionOfExif, statedOrientation } from './metadata/exif.ts';
import { turnedResolution } from './metadata/resolution.ts';
import { withoutCompanions, xmpFor } from './metadata/xmp.ts';
import { upright } from './orientation.ts';
import { type Picture, peak, type Samples, toEightBit } from './picture.ts';
import type { DecodeOptions, EncodeOptions, PictureFile } from './picture-file.ts';
import { decodePng, encodePngAside } from './png.node.ts';
import { decodeBySharp, encodeBySharp } from './sharp.node.ts';

/**
 * The picture of a file in 8 bit (16-bit samples become round(v · 255 / 65535)), for training and scores; as `decodeFile`
 * otherwise.
 *
 * @throws ImageError for empty, damaged, truncated or unsupported files, and for other formats than PNG where sharp is
 *   missing.
 */
export async function decode(bytes: Uint8Array, name: string): Promise<Picture> {
  return toEightBit((await decodeFile(bytes, name)).picture);
}

/**
 * A file with all it holds, its format told by its first bytes; `name` is for messages.
 *
 * Samples are those of the file: grey stays one channel, 16 bits stay, profiles (unless `colours` asks for sRGB) and gammas
 * are not applied. Palettes
 * expand to RGB; fewer than 8 bits scale to 0…255; alpha, also a transparent colour or palette entry, becomes an alpha
 * channel, premultiplied alpha (TIFF) is divided out. CMYK and Lab are converted to sRGB. The picture is turned upright
 * after its orientation, which is then 1 in the metadata.
 *
 * @throws ImageError for empty, damaged, truncated or unsupported files, those of more than `maxPixels` pixels, and for
 *   other formats than PNG where sharp is missing.
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
  const told = exif && !isIdle(exif, format === 'tiff') ? exif : undefined;
  const carried = told && exifFor(told, picture, resolution);
  const packet = xmp && withoutCompanions(xmp).xmp;
  const warnings = [...decoded.warnings, ...(colours === 'own' ? decoded.notCarried : [])];
  if (told && !carried) warnings.push('its EXIF is damaged and left out');
  if (xmp && !packet) warnings.push('its XMP is damaged and left out');
  if (icc && !readProfile(icc)) warnings.push('its colour profile is damaged and left out');
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
      // XMP's copy of the orientation is of no account: it turns no picture, and stays where EXIF says nothing.
      xmp: packet && xmpFor(packet, picture, format === 'avif' || statedOrientation(exif) !== undefined),
      resolution,
      comments,
    },
    convertedFrom: coloured.convertedFrom,
    warnings,
  };
}

/**
 * The bytes of a file of this format: exactly the picture and its metadata in PNG and TIFF, near them in the others (see
 * `fitted` for what they cannot hold).
 *
 * @param name For messages.
 * @throws ImageError where the picture is too large for the format, or the format needs sharp and it is missing.
 */
export async function encodeFile(
  picture: Picture<Samples>,
  format: Format,
  { metadata, quality }: EncodeOptions = {},
  name = 'picture',
): Promise<Uint8Array> {
  return await encodeFitted(fitted(picture, format, metadata), format, quality, name);
}

/**
 * The bytes of a file of what was fitted to its format.
 * @param quality See `EncodeOptions`.
 * @throws ImageError as `encodeFile`.
 */
export async function encodeFitted(
  { picture, metadata }: Fitted,
  format: Format,
  quality: number | undefined,
  name: string,
): Promise<Uint8Array> {
  if (format === 'png') return await encodePngAside(picture, metadata);
  return await encodeBySharp(picture, format, metadata, quality, name);
}

/** The bytes of a PNG file that holds exactly this picture: 8 or 16 bit; grey, RGB, with or without alpha. */
export async function encodePng(picture: Picture<Samples>): Promise<Uint8Array> {
  return await encodePngAside(picture);
}

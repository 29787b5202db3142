/** Colours told by EXIF (EXIF 2.32, 4.6.5.B ColorSpace; DCF 2.0, 3.4 the optional colour space, Adobe RGB). */

import { EXIF_DIRECTORY } from '../exif.ts';
import { numberOf, readTiffStructure, subDirectory } from '../tiff-tags.ts';

const COLOUR_SPACE = 0xa001;
const SHORT = 3;
const INTEROPERABILITY_DIRECTORY = 0xa005;
const INTEROPERABILITY_INDEX = 1;

/** Cameras write it, though the standard knows only sRGB (1) and uncalibrated (65535). */
const ADOBE_RGB_OF_CAMERAS = 2;
const SRGB = 1;
const UNCALIBRATED = 0xffff;

/** True where EXIF, or a TIFF file's own directories, say that the picture's numbers are Adobe RGB. */
export function saysAdobeRgb(exif: Uint8Array): boolean {
  const tiff = readTiffStructure(exif);
  const details = tiff && subDirectory(tiff, EXIF_DIRECTORY);
  if (tiff === undefined || details === undefined) return false;
  const space = numberOf(tiff, details.tags.get(COLOUR_SPACE));
  if (space === ADOBE_RGB_OF_CAMERAS) return true;
  if (space !== UNCALIBRATED) return false;
  const index = subDirectory(tiff, INTEROPERABILITY_DIRECTORY, details)?.tags.get(INTEROPERABILITY_INDEX);
  return index !== undefined && String.fromCharCode(...tiff.bytes.subarray(index.valueAt, index.valueAt + 3)) === 'R03';
}

/** EXIF that no longer says so of a picture that is sRGB; any other is returned itself. */
export function sayingSrgb(exif: Uint8Array): Uint8Array {
  if (!saysAdobeRgb(exif)) return exif;
  const copy = readTiffStructure(new Uint8Array(exif));
  const space = copy && subDirectory(copy, EXIF_DIRECTORY)?.tags.get(COLOUR_SPACE);
  if (copy === undefined || space === undefined) return exif;
  if (space.type === SHORT) copy.view.setUint16(space.valueAt, SRGB, copy.littleEndian);
  else copy.view.setUint32(space.valueAt, SRGB, copy.littleEndian);
  return copy.bytes;
}

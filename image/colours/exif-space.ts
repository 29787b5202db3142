/**
 * Colour spaces given by EXIF and TIFF tags: ColorSpace, Gamma (EXIF 2.32, 4.6.5), InteroperabilityIndex (DCF 2.0: the
 * optional colour space, Adobe RGB), WhitePoint and PrimaryChromaticities (TIFF 6.0, section 20).
 */

import { EXIF_DIRECTORY } from '../metadata/exif.ts';
import {
  type Directory,
  numberOf,
  readTiffStructure,
  subDirectory,
  type TiffStructure,
} from '../metadata/tiff-tags.ts';
import { spaceOf } from './chromaticities.ts';
import { ADOBE_RGB, type Chromaticities, type Chromaticity, type RgbSpace, toProfileXyz } from './rgb-space.ts';

const WHITE_POINT = 0x13e;
const PRIMARY_CHROMATICITIES = 0x13f;
const GAMMA = 0xa500;
const COLOUR_SPACE = 0xa001;
const SHORT = 3;
const RATIONAL = 5;
const INTEROPERABILITY_DIRECTORY = 0xa005;
const INTEROPERABILITY_INDEX = 1;

/** Written by cameras, though the standard defines only sRGB (1) and uncalibrated (65535). */
const ADOBE_RGB_OF_CAMERAS = 2;
const SRGB = 1;
const UNCALIBRATED = 0xffff;

/** The colour space in the tags of EXIF or of a TIFF file. Undefined if they state none, or sRGB. */
export function exifSpace(exif: Uint8Array): RgbSpace | undefined {
  const tiff = readTiffStructure(exif);
  if (tiff === undefined) return undefined;
  const details = subDirectory(tiff, EXIF_DIRECTORY);
  const space = numberOf(tiff, details?.tags.get(COLOUR_SPACE));
  if (space === SRGB) return undefined;
  if (details && (space === ADOBE_RGB_OF_CAMERAS || (space === UNCALIBRATED && indexOf(tiff, details) === 'R03')))
    return ADOBE_RGB;
  const chromaticities = chromaticitiesOf(tiff);
  const [gamma = 0] = rationals(tiff, details, GAMMA);
  return chromaticities && spaceOf(chromaticities, gamma > 0.05 && gamma < 20 ? 1 / gamma : undefined);
}

/** The InteroperabilityIndex: R98, THM or R03. */
function indexOf(tiff: TiffStructure, details: Directory): string {
  const index = subDirectory(tiff, INTEROPERABILITY_DIRECTORY, details)?.tags.get(INTEROPERABILITY_INDEX);
  return index ? String.fromCharCode(...tiff.bytes.subarray(index.valueAt, index.valueAt + 3)) : '';
}

/** WhitePoint and PrimaryChromaticities (TIFF 6.0, section 20), if both exist and form a colour space. */
function chromaticitiesOf(tiff: TiffStructure): Chromaticities | undefined {
  const white = rationals(tiff, tiff.first, WHITE_POINT);
  const rest = rationals(tiff, tiff.first, PRIMARY_CHROMATICITIES);
  if (white.length < 2 || rest.length < 6) return undefined;
  const at = (values: readonly number[], index: number): Chromaticity => [values[index], values[index + 1]];
  const all = { white: at(white, 0), red: at(rest, 0), green: at(rest, 2), blue: at(rest, 4) };
  return toProfileXyz(all) && all;
}

/** The first six values, at most, of a tag of type RATIONAL. */
function rationals(tiff: TiffStructure, directory: Directory | undefined, tag: number): number[] {
  const { view, littleEndian } = tiff;
  const found = directory?.tags.get(tag);
  if (found?.type !== RATIONAL) return [];
  const long = (at: number) => view.getUint32(at, littleEndian);
  return Array.from({ length: Math.min(6, found.count) }, (_, i) => {
    const at = found.valueAt + 8 * i;
    return long(at) / long(at + 4);
  });
}

/** A copy of the EXIF whose ColorSpace, if it has one, is sRGB. Without that tag, the same EXIF. */
export function sayingSrgb(exif: Uint8Array): Uint8Array {
  if (exifSpace(exif) === undefined) return exif;
  const copy = readTiffStructure(new Uint8Array(exif));
  const space = copy && subDirectory(copy, EXIF_DIRECTORY)?.tags.get(COLOUR_SPACE);
  if (copy === undefined || space === undefined) return exif;
  if (space.type === SHORT) copy.view.setUint16(space.valueAt, SRGB, copy.littleEndian);
  else copy.view.setUint32(space.valueAt, SRGB, copy.littleEndian);
  return copy.bytes;
}

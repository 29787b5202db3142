/** Reads orientation and resolution from EXIF, and updates EXIF to a rotated and resized picture. */

import {
  RESOLUTION_UNIT,
  type Resolution,
  resolutionOfTags,
  setResolution,
  X_RESOLUTION,
  Y_RESOLUTION,
} from './resolution.ts';
import { numberOf, readTiffStructure, setNumber, subDirectory } from './tiff-tags.ts';

const IMAGE_WIDTH = 0x100;
const IMAGE_LENGTH = 0x101;
const ORIENTATION = 0x112;
export const EXIF_DIRECTORY = 0x8769;
const PIXEL_X = 0xa002;
const PIXEL_Y = 0xa003;

/** The orientation 1…8, or undefined if it is missing or invalid. The first of several counts. */
export function statedOrientation(exif: Uint8Array | undefined): number | undefined {
  const tiff = exif && readTiffStructure(exif);
  const stated = tiff && numberOf(tiff, tiff.first.tags.get(ORIENTATION));
  return stated !== undefined && stated >= 1 && stated <= 8 ? stated : undefined;
}

/** Like `statedOrientation`, with 1 (upright) as the default. */
export function orientationOf(exif: Uint8Array | undefined): number {
  return statedOrientation(exif) ?? 1;
}

/** Tags of orientation and resolution, which are stored elsewhere too. */
const OF_POSITION: readonly number[] = [ORIENTATION, X_RESOLUTION, Y_RESOLUTION, RESOLUTION_UNIT];

/**
 * True for EXIF without tags; with `position`, also if it has only orientation and resolution, as every TIFF file does.
 */
export function isIdle(exif: Uint8Array, position: boolean): boolean {
  const tiff = readTiffStructure(exif);
  return tiff?.first.next === 0 && tiff.first.all.every(({ tag }) => position && OF_POSITION.includes(tag));
}

/** The resolution in EXIF, if any. */
export function resolutionOfExif(exif: Uint8Array | undefined): Resolution | undefined {
  const tiff = exif && readTiffStructure(exif);
  return tiff && resolutionOfTags(tiff, tiff.first);
}

/**
 * A copy updated to an upright picture of this size: orientation 1 in every copy of the tag, width and height, the
 * given resolution if EXIF states one, and no thumbnail, which would show the old picture. Undefined if the bytes are
 * not EXIF. Everything else keeps its offset, because a maker note may use offsets from the start.
 */
export function exifFor(
  exif: Uint8Array,
  { width, height }: { width: number; height: number },
  resolution?: Resolution,
): Uint8Array | undefined {
  const tiff = readTiffStructure(new Uint8Array(exif));
  if (tiff === undefined || tiff.big) return undefined;
  setNumber(tiff, tiff.first, ORIENTATION, 1);
  setNumber(tiff, tiff.first, IMAGE_WIDTH, width);
  setNumber(tiff, tiff.first, IMAGE_LENGTH, height);
  if (resolution) setResolution(tiff, tiff.first, resolution);
  tiff.view.setUint32(tiff.first.nextAt, 0);
  const details = subDirectory(tiff, EXIF_DIRECTORY);
  if (details) {
    setNumber(tiff, details, PIXEL_X, width);
    setNumber(tiff, details, PIXEL_Y, height);
  }
  return tiff.bytes;
}

/** What EXIF says of a picture's position and size, and EXIF that is true of a picture turned upright and resized. */

import { numberOf, readTiffStructure, setNumber, subDirectory } from './tiff-tags.ts';

const IMAGE_WIDTH = 0x100;
const IMAGE_LENGTH = 0x101;
const ORIENTATION = 0x112;
export const EXIF_DIRECTORY = 0x8769;
const PIXEL_X = 0xa002;
const PIXEL_Y = 0xa003;

/** 1…8 as EXIF counts them; 1, upright, where nothing (or nonsense) is said. */
export function orientationOf(exif: Uint8Array | undefined): number {
  const tiff = exif && readTiffStructure(exif);
  const stated = tiff && numberOf(tiff, tiff.first.tags.get(ORIENTATION));
  return stated !== undefined && stated >= 1 && stated <= 8 ? stated : 1;
}

/**
 * A copy that says what is true of an upright picture of this size: orientation 1, its width and height, and no
 * thumbnail, which would show the old one. Undefined where the bytes are no EXIF. Nothing else moves: a maker's note
 * may count from the beginning.
 */
export function exifFor(
  exif: Uint8Array,
  { width, height }: { width: number; height: number },
): Uint8Array | undefined {
  const tiff = readTiffStructure(new Uint8Array(exif));
  if (tiff === undefined) return undefined;
  const { tags, nextAt } = tiff.first;
  setNumber(tiff, tags.get(ORIENTATION), 1);
  setNumber(tiff, tags.get(IMAGE_WIDTH), width);
  setNumber(tiff, tags.get(IMAGE_LENGTH), height);
  tiff.view.setUint32(nextAt, 0);
  const details = subDirectory(tiff, EXIF_DIRECTORY)?.tags;
  setNumber(tiff, details?.get(PIXEL_X), width);
  setNumber(tiff, details?.get(PIXEL_Y), height);
  return tiff.bytes;
}

/** An XMP packet with its copy of the orientation, `tiff:Orientation`, set to upright. */
export function uprightXmp(xmp: Uint8Array): Uint8Array {
  const copy = new Uint8Array(xmp);
  // Latin letters are single bytes in UTF-8, and one digit takes the place of another.
  const text = new TextDecoder('latin1').decode(xmp);
  for (const match of text.matchAll(/tiff:Orientation(?:\s*=\s*["']|>)([2-8])(?=["'<])/g)) {
    copy[match.index + match[0].length - 1] = 0x31;
  }
  return copy;
}

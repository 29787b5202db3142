/** What a JPEG file is too small for: a segment has 16 bits for its length. */

import { splitXmp, XMP_MARK } from './extended-xmp.ts';

/** A segment's length counts its own two bytes. */
export const LONGEST_SEGMENT = 0xffff - 2;

export const EXIF_MARK = 'Exif\0\0';

/** Room for the note that leads from the first part of an XMP packet to the second. */
const GUID_NOTE = 250;

/** The most bytes of a packet that go into one segment, and into it with that note. */
export const LONGEST_XMP = LONGEST_SEGMENT - XMP_MARK.length;
export const LONGEST_MAIN_XMP = LONGEST_XMP - GUID_NOTE;

/** True for EXIF that no JPEG file holds. */
export const isLongExif = (exif: Uint8Array): boolean => exif.length > LONGEST_SEGMENT - EXIF_MARK.length;

/** True for a packet that no JPEG file holds: too long, and not to be parted. */
export function isLongXmp(xmp: Uint8Array): boolean {
  return xmp.length > LONGEST_XMP && splitXmp(xmp, LONGEST_MAIN_XMP) === undefined;
}

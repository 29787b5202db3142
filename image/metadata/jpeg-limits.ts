/** Size limits of JPEG metadata: a segment's length has 16 bits. */

import { splitXmp, XMP_MARK } from './extended-xmp.ts';

/** A segment's length counts its own two bytes. */
export const LONGEST_SEGMENT = 0xffff - 2;

export const EXIF_MARK = 'Exif\0\0';

/** Bytes reserved for the reference from the first part of an XMP packet to the second. */
const GUID_NOTE = 250;

/** Maximum bytes of a packet in one segment, without and with that reference. */
export const LONGEST_XMP = LONGEST_SEGMENT - XMP_MARK.length;
export const LONGEST_MAIN_XMP = LONGEST_XMP - GUID_NOTE;

/** True for EXIF too long for JPEG. */
export const isLongExif = (exif: Uint8Array): boolean => exif.length > LONGEST_SEGMENT - EXIF_MARK.length;

/** True for a packet that is too long for JPEG and cannot be split. */
export function isLongXmp(xmp: Uint8Array): boolean {
  return xmp.length > LONGEST_XMP && splitXmp(xmp, LONGEST_MAIN_XMP) === undefined;
}

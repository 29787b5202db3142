/** Replaces the metadata of an encoded JPEG file (JFIF 1.02, EXIF 2.32, XMP part 3). */

import { createHash } from 'node:crypto';
import { concat } from './bytes.ts';
import { EXTENDED_HEAD, EXTENDED_MARK, splitXmp, withGuid, XMP_MARK } from './extended-xmp.ts';
import { EXIF_MARK, isLongExif, LONGEST_MAIN_XMP, LONGEST_SEGMENT, LONGEST_XMP } from './jpeg-limits.ts';
import { APP0, APP1, COM, jpegSegments } from './jpeg-segments.ts';
import { jfifDensity, type Resolution } from './resolution.ts';
import { bytesOfLatin } from './xmp.ts';

export interface JpegExtras {
  readonly exif?: Uint8Array | undefined;
  readonly xmp?: Uint8Array | undefined;
  readonly resolution?: Resolution | undefined;
  readonly comments?: readonly Uint8Array[] | undefined;
}

/** Replaces the file's metadata. Drops what is too long (see `jpeg-limits.ts`). */
export function withJpegMetadata(file: Uint8Array, { exif, xmp, resolution, comments = [] }: JpegExtras): Uint8Array {
  const pieces: Uint8Array[] = [file.subarray(0, 2), jfif(resolution)];
  if (exif && !isLongExif(exif)) pieces.push(...segment(APP1, [bytesOfLatin(EXIF_MARK), exif]));
  if (xmp) pieces.push(...(xmpSegments(xmp) ?? []));
  for (const comment of comments) {
    if (comment.length <= LONGEST_SEGMENT) pieces.push(...segment(COM, [comment]));
  }
  let rest = 2;
  for (const { marker, at, end } of jpegSegments(file)) {
    if (marker !== APP0 && marker !== APP1 && marker < APP0) break;
    if (marker !== APP0 && marker !== APP1) pieces.push(file.subarray(at, end));
    rest = end;
  }
  return concat([...pieces, file.subarray(rest)]);
}

function segment(marker: number, data: readonly Uint8Array[]): Uint8Array[] {
  const length = data.reduce((sum, piece) => sum + piece.length, 2);
  return [Uint8Array.of(0xff, marker, length >> 8, length & 0xff), ...data];
}

function jfif(resolution: Resolution | undefined): Uint8Array {
  const [unit, across, down] = jfifDensity(resolution);
  const density = [unit, across >> 8, across & 0xff, down >> 8, down & 0xff];
  return concat(segment(APP0, [bytesOfLatin('JFIF\0'), Uint8Array.of(1, 2, ...density, 0, 0)]));
}

/** The segments of a packet, split in two parts if needed. Undefined if it cannot be split. */
function xmpSegments(xmp: Uint8Array): Uint8Array[] | undefined {
  if (xmp.length <= LONGEST_XMP) return segment(APP1, [bytesOfLatin(XMP_MARK), xmp]);
  const parts = splitXmp(xmp, LONGEST_MAIN_XMP);
  if (parts === undefined) return undefined;
  const extended = bytesOfLatin(parts.extended);
  const guid = createHash('md5').update(extended).digest('hex').toUpperCase();
  const out = segment(APP1, [bytesOfLatin(XMP_MARK), bytesOfLatin(withGuid(parts.main, guid))]);
  for (let at = 0; at < extended.length; at += LONGEST_SEGMENT - EXTENDED_HEAD) {
    const head = new Uint8Array(EXTENDED_HEAD);
    head.set(bytesOfLatin(EXTENDED_MARK + guid));
    const view = new DataView(head.buffer);
    view.setUint32(EXTENDED_HEAD - 8, extended.length);
    view.setUint32(EXTENDED_HEAD - 4, at);
    out.push(...segment(APP1, [head, extended.subarray(at, at + LONGEST_SEGMENT - EXTENDED_HEAD)]));
  }
  return out;
}

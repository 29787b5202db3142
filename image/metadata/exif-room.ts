/**
 * EXIF blocks of exactly the wanted bytes in files that libvips writes: it adds tags to every block, or writes one of its own
 * (a resolution, a colour space "uncalibrated") where none is wanted. So it is given a block of one long text, over which the
 * wanted bytes are written.
 */

import { concat } from './bytes.ts';
import { indexOfLetters } from './jpeg-segments.ts';
import { ASCII } from './tiff-tags.ts';
import { bytesOfLatin } from './xmp.ts';

const IMAGE_DESCRIPTION = 0x10e;
const MARK = 'Daybreak: room for EXIF ';

/** Bytes between the beginning of a block and its first text. */
const FARTHEST = 1024;

/** A directory of no tags. */
const EMPTY = Uint8Array.of(0x49, 0x49, 42, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0);

/** A block that has room for this one. */
export function roomFor(exif: Uint8Array | undefined): Uint8Array {
  const length = MARK.length + (exif ?? EMPTY).length + 1;
  const head = new Uint8Array(26);
  const view = new DataView(head.buffer);
  head.set(EMPTY.subarray(0, 8));
  view.setUint16(8, 1, true);
  view.setUint16(10, IMAGE_DESCRIPTION, true);
  view.setUint16(12, ASCII, true);
  view.setUint32(14, length, true);
  view.setUint32(18, head.length, true);
  return concat([head, bytesOfLatin(MARK), new Uint8Array(length - MARK.length - 1).fill(0x2e), new Uint8Array(1)]);
}

/** Writes a block, or one that says nothing, over what `roomFor` made in the file. False where that is not there. */
export function fillRoom(file: Uint8Array, exif: Uint8Array | undefined): boolean {
  const block = exif ?? EMPTY;
  const mark = indexOfLetters(file, MARK);
  if (mark < 0) return false;
  let start = mark;
  while (start >= 0 && mark - start < FARTHEST && indexOfLetters(file.subarray(start, start + 4), 'II*\0') < 0) start--;
  const end = mark + MARK.length + block.length;
  if (start < 0 || mark - start >= FARTHEST || end > file.length) return false;
  file.fill(0, start, end);
  file.set(block, start);
  return true;
}

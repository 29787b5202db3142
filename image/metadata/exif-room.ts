/**
 * Writes exact EXIF bytes into files from libvips, which adds tags to every block, or writes its own block (a
 * resolution, a colour space "uncalibrated") if there should be none. libvips gets a placeholder block with one long
 * text, which is then overwritten with the wanted bytes.
 */

import { concat } from './bytes.ts';
import { indexOfLetters } from './jpeg-segments.ts';
import { ASCII } from './tiff-tags.ts';
import { bytesOfLatin } from './xmp.ts';

const IMAGE_DESCRIPTION = 0x10e;
const MARK = 'Daybreak: room for EXIF ';

/** Maximum distance from the start of a block to its first text. */
const FARTHEST = 1024;

/** An empty directory. */
const EMPTY = Uint8Array.of(0x49, 0x49, 42, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0);

/** A placeholder block with room for this EXIF. */
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

/** Overwrites the placeholder of `roomFor` with a block, or an empty one. False if the placeholder is not found. */
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

/** Repairs TIFF tags that a strict reader rejects (TIFF 6.0, section 2). */

import { concat } from './bytes.ts';
import type { Directory, TiffStructure } from './tiff-tags.ts';

/**
 * Tags on which the pixels and their colours depend: TIFF 6.0, Adobe's supplements (extra samples, JPEG tables), and
 * the ones of XMP, IPTC, Photoshop and ICC. All others are descriptive, and are read from the file itself.
 */
const NEEDED: readonly (readonly [from: number, to: number])[] = [
  [254, 259],
  [262, 263],
  [266, 266],
  [273, 274],
  [277, 284],
  [290, 293],
  [296, 296],
  [301, 301],
  [317, 327],
  [330, 343],
  [347, 347],
  [512, 532],
  [700, 700],
  [33723, 33723],
  [34377, 34377],
  [34675, 34675],
];

const isNeeded = (tag: number) => NEEDED.some(([from, to]) => tag >= from && tag <= to);

/** libtiff's messages about unsorted tags, and about texts with a missing or embedded terminator. */
const HARMLESS = /^ASCII value for tag |tags are not sorted in ascending order/;

/** Whether a reader's message is only about the order of tags or about texts. */
export const isAboutTags = (message: string): boolean => HARMLESS.test(message);

/**
 * A copy of the file with a new directory at its end that replaces this one as the only page. It has only the tags that
 * pixels depend on, sorted. Undefined if one of these is damaged or duplicated.
 */
export function repairedTiff({ bytes, littleEndian, big }: TiffStructure, page: Directory): Uint8Array | undefined {
  const needed = page.all.filter(({ tag }) => isNeeded(tag)).sort((a, b) => a.tag - b.tag);
  const twice = needed.some(({ tag }, i) => needed[i - 1]?.tag === tag);
  if (twice || page.ignored.some(isNeeded)) return undefined;
  const [countBytes, entryBytes, offsetBytes] = big ? [8, 20, 8] : [2, 12, 4];
  const start = bytes.length + (-bytes.length & 7);
  const directory = new Uint8Array(countBytes + needed.length * entryBytes + offsetBytes);
  const view = new DataView(directory.buffer);
  if (big) view.setBigUint64(0, BigInt(needed.length), littleEndian);
  else view.setUint16(0, needed.length, littleEndian);
  needed.forEach(({ at }, i) => {
    directory.set(bytes.subarray(at, at + entryBytes), countBytes + i * entryBytes);
  });
  const out = concat([bytes, new Uint8Array(start - bytes.length), directory]);
  const head = new DataView(out.buffer);
  if (big) head.setBigUint64(8, BigInt(start), littleEndian);
  else head.setUint32(4, start, littleEndian);
  return out;
}

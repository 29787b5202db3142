/** EXIF out of a TIFF file, whose own tags it is there, and into one: libvips does neither. */

import { EXIF_DIRECTORY } from './exif.ts';
import {
  type Directory,
  readTiffStructure,
  subDirectory,
  type Tag,
  type TiffStructure,
  TYPE_BYTES,
} from './tiff-tags.ts';

const GPS_DIRECTORY = 0x8825;
const LONG = 4;

/** Tags of the first directory that say something of the picture rather than of the file: TIFF 6.0, EXIF 2.32, XP. */
const DESCRIPTIVE = [
  0x10e, 0x10f, 0x110, 0x112, 0x11a, 0x11b, 0x128, 0x131, 0x132, 0x13b, 0x13c, 0x4746, 0x8298, 0x9c9b, 0x9c9c, 0x9c9d,
  0x9c9e, 0x9c9f,
];

/** A maker's note may count from the beginning of its file, and the directory of interoperability is of no use. */
const NOT_MOVED = [0x927c, 0xa005];

/** An entry whose value is in the byte order that is written, or an entry of the file as it stands. */
type Entry = { tag: number; type: number; count: number; value: Uint8Array } | { tag: number; entry: Uint8Array };

/** The EXIF block of a TIFF file, or undefined where it says nothing. */
export function exifOfTiff(bytes: Uint8Array): Uint8Array | undefined {
  const tiff = readTiffStructure(bytes);
  if (tiff === undefined) return undefined;
  const { littleEndian } = tiff;
  const described = entriesOf(tiff, tiff.first, littleEndian, tag => DESCRIPTIVE.includes(tag));
  const under = entriesUnder(tiff, littleEndian);
  if (described.length === 0 && under.every(([, entries]) => entries.length === 0)) return undefined;
  const head = littleEndian ? [0x49, 0x49, 42, 0] : [0x4d, 0x4d, 0, 42];
  const written = directories(described, under, 8, littleEndian);
  return pointingTo(written.firstAt, concat([Uint8Array.of(...head, 0, 0, 0, 0), written.bytes]), littleEndian);
}

/** The TIFF file with this EXIF: a new first directory at its end takes the place of the old one. */
export function withExif(file: Uint8Array, exif: Uint8Array): Uint8Array {
  const tiff = readTiffStructure(file);
  const source = readTiffStructure(exif);
  if (tiff === undefined || source === undefined) return file;
  const { littleEndian, first } = tiff;
  const own = [...first.tags.values()].map(({ tag, at }) => ({ tag, entry: file.subarray(at, at + 12) }));
  const added = entriesOf(source, source.first, littleEndian, tag => DESCRIPTIVE.includes(tag) && !first.tags.has(tag));
  const start = file.length + (file.length % 2);
  const under = entriesUnder(source, littleEndian);
  const written = directories([...own, ...added], under, start, littleEndian);
  return pointingTo(written.firstAt, concat([file, new Uint8Array(start - file.length), written.bytes]), littleEndian);
}

/** The structure with its first directory at this place. */
function pointingTo(firstAt: number, bytes: Uint8Array, littleEndian: boolean): Uint8Array {
  new DataView(bytes.buffer).setUint32(4, firstAt, littleEndian);
  return bytes;
}

/** What the directories of EXIF and of positions hold. */
function entriesUnder(tiff: TiffStructure, littleEndian: boolean) {
  return [EXIF_DIRECTORY, GPS_DIRECTORY].map(tag => {
    const inner = subDirectory(tiff, tag);
    const entries = inner ? entriesOf(tiff, inner, littleEndian, each => !NOT_MOVED.includes(each)) : [];
    return [tag, entries] as const;
  });
}

function entriesOf(
  tiff: TiffStructure,
  directory: Directory,
  littleEndian: boolean,
  wanted: (tag: number) => boolean,
): Entry[] {
  const tags = [...directory.tags.values()].filter(({ tag }) => wanted(tag));
  return tags.map(tag => ({ ...tag, value: valueIn(tiff, tag, littleEndian) }));
}

function valueIn({ bytes, littleEndian }: TiffStructure, { type, valueAt, length }: Tag, wanted: boolean): Uint8Array {
  const value = bytes.slice(valueAt, valueAt + length);
  // A fraction is two whole numbers.
  const unit = type === 5 || type === 10 ? 4 : TYPE_BYTES[type];
  if (littleEndian !== wanted) for (let at = 0; at < length; at += unit) value.subarray(at, at + unit).reverse();
  return value;
}

/** The directories that the first one points to, and after them the first one, to be put at `start`. */
function directories(
  first: readonly Entry[],
  under: readonly (readonly [tag: number, entries: readonly Entry[]])[],
  start: number,
  littleEndian: boolean,
): { readonly bytes: Uint8Array; readonly firstAt: number } {
  const pieces: Uint8Array[] = [];
  const pointers: Entry[] = [];
  let end = start;
  for (const [tag, entries] of under) {
    if (entries.length === 0) continue;
    const value = new Uint8Array(4);
    new DataView(value.buffer).setUint32(0, end, littleEndian);
    pointers.push({ tag, type: LONG, count: 1, value });
    pieces.push(directory(entries, end, littleEndian));
    end += pieces[pieces.length - 1].length;
  }
  pieces.push(directory([...first, ...pointers], end, littleEndian));
  return { bytes: concat(pieces), firstAt: end };
}

/** Entries in the order of their tags, the offset of no next directory, and the values that do not fit into entries. */
function directory(entries: readonly Entry[], start: number, littleEndian: boolean): Uint8Array {
  const sorted = [...entries].sort((a, b) => a.tag - b.tag);
  const head = new Uint8Array(2 + 12 * sorted.length + 4);
  const view = new DataView(head.buffer);
  view.setUint16(0, sorted.length, littleEndian);
  const values: Uint8Array[] = [];
  let end = start + head.length;
  sorted.forEach((entry, i) => {
    const at = 2 + 12 * i;
    if ('entry' in entry) {
      head.set(entry.entry, at);
      return;
    }
    view.setUint16(at, entry.tag, littleEndian);
    view.setUint16(at + 2, entry.type, littleEndian);
    view.setUint32(at + 4, entry.count, littleEndian);
    if (entry.value.length <= 4) head.set(entry.value, at + 8);
    else {
      view.setUint32(at + 8, end, littleEndian);
      values.push(entry.value, new Uint8Array(entry.value.length % 2));
      end += entry.value.length + (entry.value.length % 2);
    }
  });
  return concat([head, ...values]);
}

function concat(pieces: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    out.set(piece, at);
    at += piece.length;
  }
  return out;
}

/** EXIF out of a TIFF file, whose own tags it is there, and into one: libvips does neither. */

import { concat } from './bytes.ts';
import { EXIF_DIRECTORY } from './exif.ts';
import {
  RESOLUTION_UNIT,
  type Resolution,
  resolutionTags,
  setResolution,
  X_RESOLUTION,
  Y_RESOLUTION,
} from './resolution.ts';
import {
  ASCII,
  type Directory,
  LONG,
  RATIONAL,
  readTiffStructure,
  SHORT,
  subDirectory,
  type Tag,
  type TiffStructure,
  TYPE_BYTES,
} from './tiff-tags.ts';

const GPS_DIRECTORY = 0x8825;
const ORIENTATION = 0x112;

/** Tags of the first directory that say something of the picture rather than of the file: TIFF 6.0, EXIF 2.32, XP. */
const DESCRIPTIVE = [
  0x10e, 0x10f, 0x110, 0x112, 0x11a, 0x11b, 0x128, 0x131, 0x132, 0x13b, 0x13c, 0x4746, 0x8298, 0x9c9b, 0x9c9c, 0x9c9d,
  0x9c9e, 0x9c9f,
];

/** A maker's note may count from the beginning of its file, and the directory of interoperability is of no use. */
const NOT_MOVED = [0x927c, 0xa005];

/** An entry whose value is in the byte order that is written, or an entry of the file as it stands. */
type Entry = { tag: number; type: number; count: number; value: Uint8Array } | { tag: number; entry: Uint8Array };

/** Tags that speak of one page alone. */
const OF_ONE_PAGE = [ORIENTATION, X_RESOLUTION, Y_RESOLUTION, RESOLUTION_UNIT];

/**
 * The EXIF block of a TIFF or BigTIFF file, or undefined where it says nothing: of the page that is read, and what the first
 * page says of both.
 */
export function exifOfTiff(tiff: TiffStructure, page: Directory = tiff.first): Uint8Array | undefined {
  const { littleEndian, first } = tiff;
  const own = entriesOf(tiff, page, littleEndian, tag => DESCRIPTIVE.includes(tag));
  const shared = (tag: number) => DESCRIPTIVE.includes(tag) && !OF_ONE_PAGE.includes(tag) && !page.tags.has(tag);
  const described = page === first ? own : [...own, ...entriesOf(tiff, first, littleEndian, shared)];
  const under = entriesUnder(tiff, page, littleEndian);
  if (described.length === 0 && under.every(([, entries]) => entries.length === 0)) return undefined;
  return exifBlock(described, under, littleEndian);
}

function exifBlock(described: readonly Entry[], under: Parameters<typeof directories>[1], littleEndian: boolean) {
  const head = littleEndian ? [0x49, 0x49, 42, 0] : [0x4d, 0x4d, 0, 42];
  const written = directories(described, under, 8, littleEndian);
  return pointingTo(written.firstAt, concat([Uint8Array.of(...head, 0, 0, 0, 0), written.bytes]), littleEndian);
}

/**
 * The TIFF file that libvips wrote with this EXIF, for which a new first directory at its end takes the place of the old
 * one, and this resolution: libvips says 25.4 dots an inch where there is none. Without EXIF the file itself is changed.
 */
export function completedTiff(
  file: Uint8Array,
  exif: Uint8Array | undefined,
  resolution: Resolution | undefined,
): Uint8Array {
  const tiff = readTiffStructure(file);
  if (tiff === undefined) return file;
  const { littleEndian, first } = tiff;
  const source = exif && readTiffStructure(exif);
  const inPlace = setResolution(tiff, first, resolution);
  if (tiff.big || (inPlace && source === undefined)) return file;
  const own = [...first.tags.values()].map(({ tag, at }) => ({ tag, entry: file.subarray(at, at + 12) }));
  const missing = inPlace ? [] : resolutionEntries(resolution, littleEndian).filter(({ tag }) => !first.tags.has(tag));
  const added = source
    ? entriesOf(source, source.first, littleEndian, tag => DESCRIPTIVE.includes(tag) && !first.tags.has(tag))
    : [];
  const start = file.length + (file.length % 2);
  const under = source ? entriesUnder(source, source.first, littleEndian) : [];
  const described = [...own, ...missing, ...added.filter(({ tag }) => !missing.some(each => each.tag === tag))];
  const written = directories(described, under, start, littleEndian);
  return pointingTo(written.firstAt, concat([file, new Uint8Array(start - file.length), written.bytes]), littleEndian);
}

/**
 * EXIF with this resolution, for formats that say it nowhere else: a new first directory at its end where it stated none, or
 * a block of nothing else where there was no EXIF.
 */
export function exifWithResolution(exif: Uint8Array | undefined, resolution: Resolution): Uint8Array {
  if (exif === undefined) return exifBlock(resolutionEntries(resolution, true), [], true);
  const tiff = readTiffStructure(new Uint8Array(exif));
  if (tiff === undefined || tiff.big || setResolution(tiff, tiff.first, resolution)) return tiff?.bytes ?? exif;
  const { littleEndian, first, bytes } = tiff;
  const own = first.all
    .filter(({ tag }) => ![X_RESOLUTION, Y_RESOLUTION, RESOLUTION_UNIT].includes(tag))
    .map(({ tag, at }) => ({ tag, entry: bytes.subarray(at, at + 12) }));
  const start = bytes.length + (bytes.length % 2);
  const written = directories([...own, ...resolutionEntries(resolution, littleEndian)], [], start, littleEndian);
  return pointingTo(
    written.firstAt,
    concat([bytes, new Uint8Array(start - bytes.length), written.bytes]),
    littleEndian,
  );
}

function resolutionEntries(resolution: Resolution | undefined, littleEndian: boolean): Entry[] {
  const { across, down, unit } = resolutionTags(resolution);
  const numbers = (each: 2 | 4, values: readonly number[]) => {
    const value = new Uint8Array(each * values.length);
    const view = new DataView(value.buffer);
    values.forEach((number, i) => {
      if (each === 2) view.setUint16(2 * i, number, littleEndian);
      else view.setUint32(4 * i, number, littleEndian);
    });
    return value;
  };
  return [
    { tag: X_RESOLUTION, type: RATIONAL, count: 1, value: numbers(4, across) },
    { tag: Y_RESOLUTION, type: RATIONAL, count: 1, value: numbers(4, down) },
    { tag: RESOLUTION_UNIT, type: SHORT, count: 1, value: numbers(2, [unit]) },
  ];
}

/** The structure with its first directory at this place. */
function pointingTo(firstAt: number, bytes: Uint8Array, littleEndian: boolean): Uint8Array {
  new DataView(bytes.buffer).setUint32(4, firstAt, littleEndian);
  return bytes;
}

/** What the directories of EXIF and of positions hold. */
function entriesUnder(tiff: TiffStructure, page: Directory, littleEndian: boolean) {
  return [EXIF_DIRECTORY, GPS_DIRECTORY].map(tag => {
    const inner = subDirectory(tiff, tag, page) ?? subDirectory(tiff, tag);
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
  // EXIF has no types of BigTIFF.
  const tags = [...directory.tags.values()].filter(({ tag, type }) => wanted(tag) && type <= 12);
  return tags.map(tag => ({ ...tag, ...valueIn(tiff, tag, littleEndian) }));
}

/** A value in this byte order, and a text with the zero at its end that it must have. */
function valueIn(
  { bytes, littleEndian }: TiffStructure,
  { type, count, valueAt, length }: Tag,
  wanted: boolean,
): { readonly value: Uint8Array; readonly count: number } {
  const value = new Uint8Array(bytes.subarray(valueAt, valueAt + length));
  if (type === ASCII && value[length - 1] !== 0) return { value: concat([value, new Uint8Array(1)]), count: count + 1 };
  // A fraction is two whole numbers.
  const unit = type === RATIONAL || type === 10 ? 4 : TYPE_BYTES[type];
  if (littleEndian !== wanted) for (let at = 0; at < length; at += unit) value.subarray(at, at + unit).reverse();
  return { value, count };
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

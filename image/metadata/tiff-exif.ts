/** Extracts EXIF from a TIFF file's own tags, and writes it into one: libvips does neither. */

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

/** Tags of the first directory that describe the picture rather than the file: TIFF 6.0, EXIF 2.32, XP. */
const DESCRIPTIVE = [
  0x10e, 0x10f, 0x110, 0x112, 0x11a, 0x11b, 0x128, 0x131, 0x132, 0x13b, 0x13c, 0x4746, 0x8298, 0x9c9b, 0x9c9c, 0x9c9d,
  0x9c9e, 0x9c9f,
];

/** Not copied: a maker note may use offsets from the start of its file; the interoperability directory is useless. */
const NOT_MOVED = [0x927c, 0xa005];

/** An entry with its value in the output's byte order, or a raw entry of the file. */
type Entry = { tag: number; type: number; count: number; value: Uint8Array } | { tag: number; entry: Uint8Array };

/** Tags that apply to one page only. */
const OF_ONE_PAGE = [ORIENTATION, X_RESOLUTION, Y_RESOLUTION, RESOLUTION_UNIT];

/**
 * The EXIF block of a TIFF or BigTIFF file: the tags of the page that is read, plus shared tags of the first page.
 * Undefined if there are none.
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
 * Adds EXIF to a TIFF file from libvips, through a new first directory at its end, and sets the resolution: libvips
 * writes 25.4 dots per inch if there is none. Without EXIF the file is changed in place.
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
 * EXIF with this resolution, for formats that store it nowhere else. Appends a new first directory if EXIF stated none,
 * or returns a block with only the resolution if there was no EXIF.
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

/** The structure with its first directory at this offset. */
function pointingTo(firstAt: number, bytes: Uint8Array, littleEndian: boolean): Uint8Array {
  new DataView(bytes.buffer).setUint32(4, firstAt, littleEndian);
  return bytes;
}

/** The entries of the EXIF and GPS directories. */
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
  // EXIF does not have BigTIFF's types.
  const tags = [...directory.tags.values()].filter(({ tag, type }) => wanted(tag) && type <= 12);
  return tags.map(tag => ({ ...tag, ...valueIn(tiff, tag, littleEndian) }));
}

/** A value in this byte order; adds the zero that must end a text. */
function valueIn(
  { bytes, littleEndian }: TiffStructure,
  { type, count, valueAt, length }: Tag,
  wanted: boolean,
): { readonly value: Uint8Array; readonly count: number } {
  const value = new Uint8Array(bytes.subarray(valueAt, valueAt + length));
  if (type === ASCII && value[length - 1] !== 0) return { value: concat([value, new Uint8Array(1)]), count: count + 1 };
  // A fraction is two integers.
  const unit = type === RATIONAL || type === 10 ? 4 : TYPE_BYTES[type];
  if (littleEndian !== wanted) for (let at = 0; at < length; at += unit) value.subarray(at, at + unit).reverse();
  return { value, count };
}

/** The subdirectories followed by the first directory, for offset `start`. */
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

/** Entries sorted by tag, a zero next-directory offset, and the values that do not fit into entries. */
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

/**
 * Reads the tags of TIFF and EXIF structures (TIFF 6.0, section 2; EXIF 2.32, section 4.6), and of BigTIFF, whose
 * offsets and counts have 64 bits.
 */

export interface Tag {
  readonly tag: number;
  readonly type: number;
  readonly count: number;
  /** Offset of its entry, which has 12 bytes, or 20 in BigTIFF. */
  readonly at: number;
  /** Offset of its value, and the length in bytes. */
  readonly valueAt: number;
  readonly length: number;
}

export interface Directory {
  /** By number; the first of duplicate tags. */
  readonly tags: ReadonlyMap<number, Tag>;
  /** Every tag in file order. */
  readonly all: readonly Tag[];
  /** Numbers of skipped tags: of unknown type, or with values outside the file. */
  readonly ignored: readonly number[];
  /** Where the offset of the next directory is stored, and this offset: 0 if there is none. */
  readonly nextAt: number;
  readonly next: number;
}

export interface TiffStructure {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly littleEndian: boolean;
  /** BigTIFF. */
  readonly big: boolean;
  readonly first: Directory;
}

/** Bytes per value of each type: BYTE (1) to DOUBLE (12), IFD (13), and BigTIFF's LONG8, SLONG8 and IFD8 (16…18). */
export const TYPE_BYTES: readonly number[] = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8, 8, 8];

export const BYTE = 1;
export const ASCII = 2;
export const SHORT = 3;
export const LONG = 4;
export const RATIONAL = 5;
const IFD = 13;
const LONG8 = 16;
const IFD8 = 18;

/** Page limit, because a chain of directories may be circular. */
const MOST_DIRECTORIES = 10_000;

type Layout = Pick<TiffStructure, 'view' | 'littleEndian' | 'big'>;

/** Parses the bytes without copying them. Undefined if they are not a TIFF structure. */
export function readTiffStructure(bytes: Uint8Array): TiffStructure | undefined {
  if (bytes.length < 8 || bytes[0] !== bytes[1] || (bytes[0] !== 0x49 && bytes[0] !== 0x4d)) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const littleEndian = bytes[0] === 0x49;
  const version = view.getUint16(2, littleEndian);
  const big = version === 43;
  if (version !== 42 && !(big && bytes.length >= 16 && view.getUint16(4, littleEndian) === 8)) return undefined;
  const layout = { view, littleEndian, big };
  const first = readDirectory(layout, offsetIn(layout, big ? 8 : 4));
  return first && { bytes, ...layout, first };
}

/** A count or an offset of 32 or 64 bits. */
function offsetIn({ view, littleEndian, big }: Layout, at: number): number {
  return big ? Number(view.getBigUint64(at, littleEndian)) : view.getUint32(at, littleEndian);
}

/** Skips tags of unknown type, or with values outside the file. */
function readDirectory(layout: Layout, at: number): Directory | undefined {
  const { view, littleEndian, big } = layout;
  const [countBytes, entryBytes, offsetBytes] = big ? [8, 20, 8] : [2, 12, 4];
  if (at < 8 || at + countBytes > view.byteLength) return undefined;
  const entries = big ? offsetIn(layout, at) : view.getUint16(at, littleEndian);
  const nextAt = at + countBytes + entries * entryBytes;
  if (nextAt + offsetBytes > view.byteLength) return undefined;
  const all: Tag[] = [];
  const tags = new Map<number, Tag>();
  const ignored: number[] = [];
  for (let entry = at + countBytes; entry < nextAt; entry += entryBytes) {
    const [tag, type] = [view.getUint16(entry, littleEndian), view.getUint16(entry + 2, littleEndian)];
    const count = offsetIn(layout, entry + 4);
    const length = count * (TYPE_BYTES[type] ?? 0);
    const held = entry + 4 + offsetBytes;
    const valueAt = length <= offsetBytes ? held : offsetIn(layout, held);
    if (length === 0 || valueAt + length > view.byteLength) {
      ignored.push(tag);
      continue;
    }
    const read = { tag, type, count, at: entry, valueAt, length };
    all.push(read);
    if (!tags.has(tag)) tags.set(tag, read);
  }
  return { tags, all, ignored, nextAt, next: offsetIn(layout, nextAt) };
}

/** The chain of directories, one per page. */
export function* directoriesOf(tiff: TiffStructure): Generator<Directory> {
  const seen = new Set<number>();
  let directory: Directory | undefined = tiff.first;
  while (directory !== undefined && seen.size < MOST_DIRECTORIES) {
    yield directory;
    const { next } = directory;
    if (next === 0 || seen.has(next)) return;
    seen.add(next);
    directory = readDirectory(tiff, next);
  }
}

/** The directory that a tag points to, for example the EXIF directory. */
export function subDirectory(tiff: TiffStructure, tag: number, from: Directory = tiff.first): Directory | undefined {
  const pointer = from.tags.get(tag);
  if (pointer === undefined || ![LONG, IFD, LONG8, IFD8].includes(pointer.type)) return undefined;
  return readDirectory(tiff, numberOf(tiff, pointer) ?? 0);
}

/** The first value of an integer tag. */
export function numberOf({ view, littleEndian }: Layout, tag: Tag | undefined): number | undefined {
  if (tag === undefined) return undefined;
  if (tag.type === BYTE) return view.getUint8(tag.valueAt);
  if (tag.type === SHORT) return view.getUint16(tag.valueAt, littleEndian);
  if (tag.type === LONG || tag.type === IFD) return view.getUint32(tag.valueAt, littleEndian);
  if (tag.type === LONG8 || tag.type === IFD8) return Number(view.getBigUint64(tag.valueAt, littleEndian));
  return undefined;
}

/** Overwrites the first value in every copy of an integer tag that can hold the value. */
export function setNumber({ view, littleEndian }: Layout, directory: Directory, number: number, value: number): void {
  for (const { tag, type, valueAt } of directory.all) {
    if (tag !== number) continue;
    if (type === BYTE && value < 0x100) view.setUint8(valueAt, value);
    if (type === SHORT && value < 0x10000) view.setUint16(valueAt, value, littleEndian);
    if (type === LONG) view.setUint32(valueAt, value, littleEndian);
    if (type === LONG8) view.setBigUint64(valueAt, BigInt(value), littleEndian);
  }
}

/** The tags of a TIFF structure, which is also what EXIF is (TIFF 6.0, section 2; EXIF 2.32, section 4.6). */

export interface Tag {
  readonly tag: number;
  readonly type: number;
  readonly count: number;
  /** Where its entry of 12 bytes begins. */
  readonly at: number;
  /** Where its value begins, and its length in bytes. */
  readonly valueAt: number;
  readonly length: number;
}

export interface Directory {
  readonly tags: ReadonlyMap<number, Tag>;
  /** Where the offset of the next directory stands. */
  readonly nextAt: number;
}

export interface TiffStructure {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly littleEndian: boolean;
  readonly first: Directory;
}

/** Bytes a value of each type takes, from BYTE (1) to DOUBLE (12). */
export const TYPE_BYTES = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8] as const;

const SHORT = 3;
const LONG = 4;

/** The structure of these bytes, which are not copied, or undefined where they are none. BigTIFF is none. */
export function readTiffStructure(bytes: Uint8Array): TiffStructure | undefined {
  if (bytes.length < 8 || bytes[0] !== bytes[1] || (bytes[0] !== 0x49 && bytes[0] !== 0x4d)) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const littleEndian = bytes[0] === 0x49;
  if (view.getUint16(2, littleEndian) !== 42) return undefined;
  const first = readDirectory(view, littleEndian, view.getUint32(4, littleEndian));
  return first && { bytes, view, littleEndian, first };
}

/** Tags whose values lie outside of the file, and those of unknown type, are left out. */
function readDirectory(view: DataView, littleEndian: boolean, at: number): Directory | undefined {
  if (at < 8 || at + 2 > view.byteLength) return undefined;
  const entries = view.getUint16(at, littleEndian);
  const nextAt = at + 2 + entries * 12;
  if (nextAt + 4 > view.byteLength) return undefined;
  const tags = new Map<number, Tag>();
  for (let entry = at + 2; entry < nextAt; entry += 12) {
    const [tag, type] = [view.getUint16(entry, littleEndian), view.getUint16(entry + 2, littleEndian)];
    const count = view.getUint32(entry + 4, littleEndian);
    const length = count * (TYPE_BYTES[type] ?? 0);
    const valueAt = length <= 4 ? entry + 8 : view.getUint32(entry + 8, littleEndian);
    if (length === 0 || valueAt + length > view.byteLength) continue;
    tags.set(tag, { tag, type, count, at: entry, valueAt, length });
  }
  return { tags, nextAt };
}

/** The directory that a tag of this one points to, such as the one of EXIF. */
export function subDirectory(tiff: TiffStructure, tag: number, from: Directory = tiff.first): Directory | undefined {
  const { view, littleEndian } = tiff;
  const pointer = from.tags.get(tag);
  if (pointer?.type !== LONG) return undefined;
  return readDirectory(view, littleEndian, view.getUint32(pointer.valueAt, littleEndian));
}

/** The first value of a tag of whole numbers (SHORT or LONG). */
export function numberOf({ view, littleEndian }: TiffStructure, tag: Tag | undefined): number | undefined {
  if (tag?.type === SHORT) return view.getUint16(tag.valueAt, littleEndian);
  return tag?.type === LONG ? view.getUint32(tag.valueAt, littleEndian) : undefined;
}

/** Overwrites the first value of such a tag, if it is there and can hold the number. */
export function setNumber({ view, littleEndian }: TiffStructure, tag: Tag | undefined, value: number): void {
  if (tag?.type === SHORT && value < 0x10000) view.setUint16(tag.valueAt, value, littleEndian);
  if (tag?.type === LONG) view.setUint32(tag.valueAt, value, littleEndian);
}

/**
 * Reads what an AVIF decoder does not report: the code points of the colours, and whether these are premultiplied by
 * alpha (ISO/IEC 14496-12, sections 4.2 and 8.11; ISO/IEC 23008-12, section 6; MIAF, ISO/IEC 23000-22, 7.3.5.2).
 * Damaged boxes are ignored.
 */

import type { Cicp } from './colours/cicp.ts';

export interface AvifStatements {
  /** From the `colr` box of type nclx. */
  readonly cicp: Cicp | undefined;
  /** True if a `prem` item reference leads from the picture to its alpha. */
  readonly premultiplied: boolean;
}

/** A box's type and the range of its payload. */
interface Box {
  readonly type: string;
  readonly from: number;
  readonly to: number;
}

/** Limits for boxes and entries per level. Files have dozens, grids hundreds. */
const MOST_BOXES = 4096;
const MOST_ENTRIES = 65_536;

/** Reads the file's boxes. Returns empty values if they are damaged. */
export function readAvif(bytes: Uint8Array): AvifStatements {
  const nothing = { cicp: undefined, premultiplied: false };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    const meta = boxesIn(view, 0, view.byteLength).find(({ type }) => type === 'meta');
    if (meta === undefined) return nothing;
    // Skips version and flags.
    const boxes = boxesIn(view, meta.from + 4, meta.to);
    const primary = primaryOf(view, boxes);
    if (primary === undefined) return nothing;
    const references = referencesFrom(view, boxes, primary);
    const premultiplied = references.some(({ type }) => type === 'prem');
    // A grid image may declare its colours on its tiles only.
    const tile = references.find(({ type }) => type === 'dimg')?.to;
    const properties = propertiesOf(view, boxes, [primary, ...(tile === undefined ? [] : [tile])]);
    return { cicp: properties.map(box => nclxIn(view, box)).find(cicp => cicp !== undefined), premultiplied };
  } catch (error) {
    // Thrown by DataView: an offset outside the file.
    if (error instanceof RangeError) return nothing;
    throw error;
  }
}

/** The boxes between two offsets, up to the first that extends past the end. */
function boxesIn(view: DataView, start: number, end: number): Box[] {
  const boxes: Box[] = [];
  for (let at = start; at + 8 <= end && boxes.length < MOST_BOXES; ) {
    const stated = view.getUint32(at);
    const large = stated === 1;
    if (large && at + 16 > end) break;
    const head = large ? 16 : 8;
    const size = large ? Number(view.getBigUint64(at + 8)) : stated === 0 ? end - at : stated;
    if (size < head || at + size > end) break;
    boxes.push({ type: typeAt(view, at + 4), from: at + head, to: at + size });
    at += size;
  }
  return boxes;
}

function typeAt(view: DataView, at: number): string {
  return String.fromCharCode(...[0, 1, 2, 3].map(i => view.getUint8(at + i)));
}

/** An item ID of 2 or 4 bytes, depending on the box's version. */
const idAt = (view: DataView, at: number, bytes: number) => (bytes === 2 ? view.getUint16(at) : view.getUint32(at));

/** The primary item (8.11.4). */
function primaryOf(view: DataView, boxes: readonly Box[]): number | undefined {
  const box = boxes.find(({ type }) => type === 'pitm');
  return box && within(box, 4, 2) ? idAt(view, box.from + 4, view.getUint8(box.from) === 0 ? 2 : 4) : undefined;
}

const within = ({ from, to }: Box, at: number, length: number) => from + at + length <= to;

/** The references from an item: type and first target (8.11.12). */
function referencesFrom(view: DataView, boxes: readonly Box[], item: number): { type: string; to: number }[] {
  const box = boxes.find(({ type }) => type === 'iref');
  if (box === undefined || !within(box, 0, 4)) return [];
  const bytes = view.getUint8(box.from) === 0 ? 2 : 4;
  return boxesIn(view, box.from + 4, box.to).flatMap(reference => {
    if (!within(reference, 0, 2 * bytes + 2) || idAt(view, reference.from, bytes) !== item) return [];
    const count = view.getUint16(reference.from + bytes);
    return count === 0 ? [] : [{ type: reference.type, to: idAt(view, reference.from + bytes + 2, bytes) }];
  });
}

/** The properties of items, in the order of the items (ISO/IEC 23008-12, 9.3). */
function propertiesOf(view: DataView, boxes: readonly Box[], items: readonly number[]): Box[] {
  const box = boxes.find(({ type }) => type === 'iprp');
  if (box === undefined) return [];
  const inner = boxesIn(view, box.from, box.to);
  const container = inner.find(({ type }) => type === 'ipco');
  if (container === undefined) return [];
  const properties = boxesIn(view, container.from, container.to);
  const found = new Map<number, Box[]>(items.map(item => [item, []]));
  for (const association of inner.filter(({ type }) => type === 'ipma')) {
    for (const [item, index] of associationsIn(view, association)) {
      // Indices start at 1; 0 means none.
      const property = properties[index - 1];
      if (property) found.get(item)?.push(property);
    }
  }
  return items.flatMap(item => found.get(item) ?? []);
}

/** Pairs of item ID and property index. */
function* associationsIn(view: DataView, box: Box): Generator<readonly [item: number, property: number]> {
  if (!within(box, 0, 8)) return;
  const bytes = view.getUint8(box.from) === 0 ? 2 : 4;
  const wide = (view.getUint8(box.from + 3) & 1) !== 0;
  const entries = Math.min(view.getUint32(box.from + 4), MOST_ENTRIES);
  let at = box.from + 8;
  for (let entry = 0; entry < entries && at + bytes + 1 <= box.to; entry++) {
    const item = idAt(view, at, bytes);
    const count = view.getUint8(at + bytes);
    at += bytes + 1;
    for (let i = 0; i < count && at + (wide ? 2 : 1) <= box.to; i++, at += wide ? 2 : 1) {
      // The highest bit marks the property as essential.
      yield [item, wide ? view.getUint16(at) & 0x7fff : view.getUint8(at) & 0x7f];
    }
  }
}

/** The code points of a `colr` box of type nclx (12.1.5). */
function nclxIn(view: DataView, box: Box): Cicp | undefined {
  if (box.type !== 'colr' || !within(box, 0, 11) || typeAt(view, box.from) !== 'nclx') return undefined;
  // Matrix and range apply to Y, Cb and Cr, which the decoder converts to full-range RGB.
  return { primaries: view.getUint16(box.from + 4), transfer: view.getUint16(box.from + 6), fullRange: true };
}

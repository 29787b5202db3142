/**
 * What the boxes of an AVIF file say of its picture besides what its decoder is told: the code points of its colours and
 * whether these are multiplied by alpha (ISO/IEC 14496-12, sections 4.2 and 8.11; ISO/IEC 23008-12, section 6; MIAF,
 * ISO/IEC 23000-22, 7.3.5.2). Damaged boxes say nothing.
 */

import type { Cicp } from './colours/cicp.ts';

export interface AvifStatements {
  /** Of the `colr` box of type nclx. */
  readonly cicp: Cicp | undefined;
  /** An item reference `prem` from the picture to its alpha. */
  readonly premultiplied: boolean;
}

/** A box: its type, and where its payload begins and ends. */
interface Box {
  readonly type: string;
  readonly from: number;
  readonly to: number;
}

/** Boxes and entries that are looked at on a level: files have some dozens, grids some hundreds. */
const MOST_BOXES = 4096;
const MOST_ENTRIES = 65_536;

/** What the file says; nothing where its boxes are damaged. */
export function readAvif(bytes: Uint8Array): AvifStatements {
  const nothing = { cicp: undefined, premultiplied: false };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    const meta = boxesIn(view, 0, view.byteLength).find(({ type }) => type === 'meta');
    if (meta === undefined) return nothing;
    // After version and flags.
    const boxes = boxesIn(view, meta.from + 4, meta.to);
    const primary = primaryOf(view, boxes);
    if (primary === undefined) return nothing;
    const references = referencesFrom(view, boxes, primary);
    const premultiplied = references.some(({ type }) => type === 'prem');
    // A picture put together from tiles may leave its colours to them.
    const tile = references.find(({ type }) => type === 'dimg')?.to;
    const properties = propertiesOf(view, boxes, [primary, ...(tile === undefined ? [] : [tile])]);
    return { cicp: properties.map(box => nclxIn(view, box)).find(cicp => cicp !== undefined), premultiplied };
  } catch (error) {
    // Of a view: a place outside of the file.
    if (error instanceof RangeError) return nothing;
    throw error;
  }
}

/** The boxes between two places; the first that reaches beyond ends them. */
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

/** A number of 2 or 4 bytes: items are counted so by the box's version. */
const idAt = (view: DataView, at: number, bytes: number) => (bytes === 2 ? view.getUint16(at) : view.getUint32(at));

/** The item that is the picture (8.11.4). */
function primaryOf(view: DataView, boxes: readonly Box[]): number | undefined {
  const box = boxes.find(({ type }) => type === 'pitm');
  return box && within(box, 4, 2) ? idAt(view, box.from + 4, view.getUint8(box.from) === 0 ? 2 : 4) : undefined;
}

const within = ({ from, to }: Box, at: number, length: number) => from + at + length <= to;

/** Types of the references from an item, each with the first item that it leads to (8.11.12). */
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

/** The properties of items, those of the first one first (ISO/IEC 23008-12, 9.3). */
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
      // Counted from 1; 0 is none.
      const property = properties[index - 1];
      if (property) found.get(item)?.push(property);
    }
  }
  return items.flatMap(item => found.get(item) ?? []);
}

/** Pairs of an item and the number of a property. */
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
      // The highest bit says that it must be understood.
      yield [item, wide ? view.getUint16(at) & 0x7fff : view.getUint8(at) & 0x7f];
    }
  }
}

/** The code points of a `colr` box, if they are its kind (12.1.5). */
function nclxIn(view: DataView, box: Box): Cicp | undefined {
  if (box.type !== 'colr' || !within(box, 0, 11) || typeAt(view, box.from) !== 'nclx') return undefined;
  // Its matrix and its range are those of Y, Cb and Cr, which the decoder makes RGB of full range.
  return { primaries: view.getUint16(box.from + 4), transfer: view.getUint16(box.from + 6), fullRange: true };
}

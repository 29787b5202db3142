/** Virtual buffers of a program, before memory is assigned. */
import type { Storage } from '../device/memory.ts';
import type { VariableState } from '../graph/value.ts';

/** A virtual buffer of a program. */
export interface Buffer {
  readonly bytes: number;
  /** Where its memory comes from; the planner places `temporary` ones. */
  origin:
    | { readonly kind: 'temporary' }
    | { readonly kind: 'argument'; readonly index: number }
    | { readonly kind: 'result'; readonly index: number }
    | { readonly kind: 'variable'; readonly variable: VariableState }
    | { readonly kind: 'constant'; readonly storage: Storage }
    | { readonly kind: 'part'; readonly whole: Buffer; readonly offset: number };
  /** Shares no memory with other temporaries, so that elements that no kernel writes stay zero. */
  dedicated: boolean;
}

export const temporary = (bytes: number): Buffer => ({ bytes, origin: { kind: 'temporary' }, dedicated: false });

/** A range of a buffer (bytes), or the buffer itself if the range covers it. */
export const rangeOf = (whole: Buffer, offset: number, bytes: number): Buffer =>
  offset === 0 && bytes === whole.bytes ? whole : { bytes, origin: { kind: 'part', whole, offset }, dedicated: false };

/** The buffer that owns the memory, and this buffer's offset in it (bytes). */
export function rootOf(buffer: Buffer): { root: Buffer; offset: number } {
  if (buffer.origin.kind !== 'part') return { root: buffer, offset: 0 };
  const { root, offset } = rootOf(buffer.origin.whole);
  return { root, offset: offset + buffer.origin.offset };
}

/** Whether two buffers are the same memory. */
export function samePlace(a: Buffer, b: Buffer): boolean {
  const [p, q] = [rootOf(a), rootOf(b)];
  return p.root === q.root && p.offset === q.offset && a.bytes === b.bytes;
}

/** Whether two buffers share memory. */
export function overlaps(a: Buffer, b: Buffer): boolean {
  const [p, q] = [rootOf(a), rootOf(b)];
  return p.root === q.root && p.offset < q.offset + b.bytes && q.offset < p.offset + a.bytes;
}

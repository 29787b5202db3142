/** The buffers of a program before they have memory. */
import type { Storage } from '../device/memory.ts';
import type { VariableState } from '../graph/value.ts';

/** A buffer of a program before it has memory. */
export interface Buffer {
  readonly bytes: number;
  /** Where its memory comes from; `temporary` ones are laid out by the planner. */
  origin:
    | { readonly kind: 'temporary' }
    | { readonly kind: 'argument'; readonly index: number }
    | { readonly kind: 'result'; readonly index: number }
    | { readonly kind: 'variable'; readonly variable: VariableState }
    | { readonly kind: 'constant'; readonly storage: Storage }
    | { readonly kind: 'part'; readonly whole: Buffer; readonly offset: number };
  /** Shares no memory with other temporaries, so that what no kernel writes stays zero. */
  dedicated: boolean;
}

export const temporary = (bytes: number): Buffer => ({ bytes, origin: { kind: 'temporary' }, dedicated: false });

/** A range of a buffer (bytes): the buffer itself where it is all of it. */
export const rangeOf = (whole: Buffer, offset: number, bytes: number): Buffer =>
  offset === 0 && bytes === whole.bytes ? whole : { bytes, origin: { kind: 'part', whole, offset }, dedicated: false };

/** The buffer that has memory of its own, and where in it this one lies (bytes). */
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

/** Whether two buffers have memory in common. */
export function overlaps(a: Buffer, b: Buffer): boolean {
  const [p, q] = [rootOf(a), rootOf(b)];
  return p.root === q.root && p.offset < q.offset + b.bytes && q.offset < p.offset + a.bytes;
}

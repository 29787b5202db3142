/** A pass that several threads run: each takes the next part until none is left. */

import { itemsPerTurn, type Pass } from './passes.ts';

/** Indices of `SharedPass.state`. */
const [NEXT, DONE, SIZE] = [0, 1, 2];

/** What threads need to take part. */
export interface SharedPass {
  readonly pass: string;
  readonly data: object;
  readonly items: number;
  /** In shared memory: the first item that nobody has taken, the number of finished items, and items per part. */
  readonly state: Int32Array;
}

/** Describes a pass to threads; the first part is one item. */
export function sharePass(pass: string, data: object, items: number): SharedPass {
  const state = new Int32Array(new SharedArrayBuffer(3 * Int32Array.BYTES_PER_ELEMENT));
  state[SIZE] = 1;
  return { pass, data, items, state };
}

/**
 * Takes the next part, computes it, and sets the size of later ones to about one turn.
 * @returns false if none was left.
 */
export function workOnPart<T extends object>({ work }: Pass<T>, { data, items, state }: SharedPass): boolean {
  const size = Atomics.load(state, SIZE);
  const from = Atomics.add(state, NEXT, size);
  if (from >= items) return false;
  const to = Math.min(items, from + size);
  const start = performance.now();
  work(data as T, from, to);
  Atomics.store(state, SIZE, itemsPerTurn(to - from, performance.now() - start));
  Atomics.add(state, DONE, to - from);
  return true;
}

/** Leaves nothing to take. */
export function closePass({ items, state }: SharedPass): void {
  Atomics.store(state, NEXT, items);
}

/** Finished items, and items per part. */
export const progressOf = ({ state }: SharedPass): { readonly done: number; readonly size: number } => ({
  done: Atomics.load(state, DONE),
  size: Atomics.load(state, SIZE),
});

/**
 * Memory planning: temporaries share slots by lifetime. Each slot is a separate buffer, because WebGPU does not let a
 * dispatch read and write one buffer.
 */

import { type Buffer, rootOf } from './buffer.ts';
import type { Lowered } from './lower.ts';

/** Slot sizes in bytes, and the slot of each temporary. */
export interface Plan {
  readonly slots: readonly number[];
  readonly slotOf: ReadonlyMap<Buffer, number>;
}

interface Lifetime {
  first: number;
  last: number;
}

/** The first and last call that uses each temporary; copies come after the last call. */
function lifetimes(lowered: Lowered): Map<Buffer, Lifetime> {
  const lives = new Map<Buffer, Lifetime>();
  const touch = (buffer: Buffer, at: number) => {
    const { root } = rootOf(buffer);
    if (root.origin.kind !== 'temporary') return;
    const life = lives.get(root);
    if (life) life.last = at;
    else lives.set(root, { first: at, last: at });
  };
  lowered.calls.forEach((call, at) => {
    for (const buffer of call.buffers) touch(buffer, at);
  });
  for (const copy of lowered.copies) touch(copy.from, lowered.calls.length);
  return lives;
}

/** Bytes of temporaries alive at each call. The maximum is a lower bound for every plan. */
export function bytesAlive(lowered: Lowered): number[] {
  const alive = lowered.calls.map(() => 0);
  for (const [buffer, { first, last }] of lifetimes(lowered))
    for (let at = first; at <= Math.min(last, alive.length - 1); at++) alive[at] += buffer.bytes;
  return alive;
}

/**
 * Bytes of temporaries that are written no later than the dispatch that computes `result` (the index of a result) and read
 * after it. For the loss of a training step, these are the values kept for the backward pass: activations, statistics and
 * targets, but no gradients.
 */
export function bytesKeptAfter(lowered: Lowered, result: number): number {
  const own = lowered.results[result];
  const computed = lowered.copies.find(({ to }) => to === own)?.from ?? own;
  const { root } = rootOf(computed);
  const at = lowered.calls.findLastIndex(({ kernel, buffers }) =>
    buffers.some((buffer, i) => kernel.bindings[i] === 'write' && rootOf(buffer).root === root),
  );
  let bytes = 0;
  for (const [buffer, { first, last }] of lifetimes(lowered)) if (first <= at && last > at) bytes += buffer.bytes;
  return bytes;
}

/** A slot while planning, with the lifetimes of its temporaries. */
interface Slot {
  readonly bytes: number;
  readonly lives: Lifetime[];
}

const overlap = (a: Lifetime, b: Lifetime): boolean => a.first <= b.last && b.first <= a.last;

/**
 * Places the largest temporaries first; each takes the best-fitting slot that is free during its lifetime (greedy by size:
 * Pisarchyk and Lee, "Efficient memory management for deep neural net inference", 2020). Slots never grow.
 */
export function planMemory(lowered: Lowered): Plan {
  const temporaries = [...lifetimes(lowered)].sort(([a, x], [b, y]) => b.bytes - a.bytes || x.first - y.first);
  const slots: Slot[] = [];
  const slotOf = new Map<Buffer, number>();
  for (const [buffer, life] of temporaries) {
    let index = buffer.dedicated ? -1 : bestSlot(slots, life);
    if (index < 0) index = slots.push({ bytes: buffer.bytes, lives: [] }) - 1;
    // A dedicated temporary shares its slot with nothing.
    slots[index].lives.push(buffer.dedicated ? { first: 0, last: Number.POSITIVE_INFINITY } : life);
    slotOf.set(buffer, index);
  }
  return { slots: slots.map(({ bytes }) => bytes), slotOf };
}

/** The smallest slot that is free for the whole lifetime; ties go to the one that was free for the shortest time. Else -1. */
function bestSlot(slots: readonly Slot[], life: Lifetime): number {
  let best = -1;
  let idle = Number.POSITIVE_INFINITY;
  slots.forEach(({ bytes, lives }, index) => {
    if (lives.some(other => overlap(life, other))) return;
    const before = Math.max(-1, ...lives.map(({ last }) => (last < life.first ? last : -1)));
    const smaller = best >= 0 && bytes < slots[best].bytes;
    if (best >= 0 && !smaller && (bytes > slots[best].bytes || life.first - before >= idle)) return;
    best = index;
    idle = life.first - before;
  });
  return best;
}

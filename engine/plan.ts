/** Memory plan: temporaries share slots by lifetime. A slot is a buffer of its own, because WebGPU forbids one buffer to be read and written in the same dispatch. */
import { type Buffer, type Lowered, rootOf } from './lower.ts';

/** Slot sizes in bytes, and the slot of each temporary. */
export interface Plan {
  readonly slots: readonly number[];
  readonly slotOf: ReadonlyMap<Buffer, number>;
}

interface Lifetime {
  first: number;
  last: number;
}

/** When each temporary is first and last touched, by call; copies come after the last call. */
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

/** Bytes of the temporaries that are alive at each call: no plan can do with less memory than the largest. */
export function bytesAlive(lowered: Lowered): number[] {
  const alive = lowered.calls.map(() => 0);
  for (const [buffer, { first, last }] of lifetimes(lowered))
    for (let at = first; at <= Math.min(last, alive.length - 1); at++) alive[at]! += buffer.bytes;
  return alive;
}

/**
 * Bytes of temporaries that are written up to the dispatch that computes `result` (the index of a result) and read after
 * it. Where that is the loss of a training step, this is what the backward pass needs of the forward pass: activations,
 * statistics, targets, and no gradients.
 */
export function bytesKeptAfter(lowered: Lowered, result: number): number {
  const own = lowered.results[result]!;
  const computed = lowered.copies.find(({ to }) => to === own)?.from ?? own;
  const { root } = rootOf(computed);
  const at = lowered.calls.findLastIndex(({ kernel, buffers }) =>
    buffers.some((buffer, i) => kernel.bindings[i] === 'write' && rootOf(buffer).root === root),
  );
  let bytes = 0;
  for (const [buffer, { first, last }] of lifetimes(lowered)) if (first <= at && last > at) bytes += buffer.bytes;
  return bytes;
}

/**
 * Walks the calls once; a temporary takes the free slot that fits best, and a slot is free after the last call that
 * touches what lies in it. Slots may still grow while planning: the one that would grow least does.
 */
export function planMemory(lowered: Lowered): Plan {
  const lives = lifetimes(lowered);
  const starting = new Map<number, Buffer[]>();
  for (const [buffer, { first }] of lives) {
    const list = starting.get(first);
    if (list) list.push(buffer);
    else starting.set(first, [buffer]);
  }
  const slots: number[] = [];
  const slotOf = new Map<Buffer, number>();
  const free = new Set<number>();
  let ending: { slot: number; last: number }[] = [];

  for (let at = 0; at <= lowered.calls.length; at++) {
    for (const { slot } of ending.filter(entry => entry.last < at)) free.add(slot);
    ending = ending.filter(entry => entry.last >= at);
    const due = (starting.get(at) ?? []).sort((a, b) => b.bytes - a.bytes);
    for (const buffer of due) {
      const slot = buffer.dedicated ? undefined : bestSlot(slots, free, buffer.bytes);
      const index = slot ?? slots.push(buffer.bytes) - 1;
      slots[index] = Math.max(slots[index]!, buffer.bytes);
      slotOf.set(buffer, index);
      free.delete(index);
      if (!buffer.dedicated) ending.push({ slot: index, last: lives.get(buffer)!.last });
    }
  }
  return { slots, slotOf };
}

/** The free slot that wastes least, or that would grow least; undefined when none is free. */
function bestSlot(slots: readonly number[], free: ReadonlySet<number>, bytes: number): number | undefined {
  let best: number | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const slot of free) {
    const difference = slots[slot]! - bytes;
    // Growing costs memory for good, waste only while this buffer lives.
    const cost = difference >= 0 ? difference : -4 * difference;
    if (cost < least) {
      least = cost;
      best = slot;
    }
  }
  return best;
}

/**
 * Memory for the temporaries of programs that take turns: the programs of one compiled function, one for each
 * combination of shapes. A run is one submit, and WebGPU runs submits in order, so that all may use the same memory.
 */
import type { MemoryPool, Storage } from '../device/memory.ts';

/** Slots of the sizes that the largest of their users needs, made at the first use. */
export class SharedSlots {
  readonly #memory: MemoryPool;
  /** Sizes in descending order, by user. */
  readonly #users = new Map<object, readonly number[]>();
  #storages: Storage[] = [];

  constructor(memory: MemoryPool) {
    this.#memory = memory;
  }

  /** Slots for `user`, of at least these sizes (bytes), in their order. Valid until another user joins or leaves. */
  take(user: object, sizes: readonly number[]): Storage[] {
    const order = sizes.map((_, i) => i).sort((a, b) => sizes[b] - sizes[a]);
    if (!this.#users.has(user)) {
      this.#users.set(
        user,
        order.map(i => sizes[i]),
      );
      this.#releaseUnfit();
    }
    const result = new Array<Storage>(sizes.length);
    order.forEach((slot, i) => {
      result[slot] = this.#slot(i);
    });
    return result;
  }

  /** Slots of its own for a user that lets others work between its dispatches. */
  lend(user: object, sizes: readonly number[]): Storage[] {
    const taken = this.take(user, sizes);
    const lent = new Set(taken);
    for (const storage of this.#storages) if (!lent.has(storage)) storage.release();
    this.#storages = [];
    return taken;
  }

  /** Takes back what {@link lend} gave, unless others have made their own meanwhile. */
  giveBack(slots: readonly Storage[]): void {
    const descending = slots.toSorted((a, b) => b.bytes - a.bytes);
    if (this.#storages.length > 0) for (const slot of slots) slot.release();
    else this.#storages = descending;
    this.#releaseUnfit();
  }

  /** `user` needs none any more. Memory that only it needed is given back. */
  leave(user: object): void {
    if (this.#users.delete(user)) this.#releaseUnfit();
  }

  /** How large slot `i`, in descending order, has to be; 0 where nobody needs it. */
  #needed(i: number): number {
    return Math.max(0, ...[...this.#users.values()].map(sizes => sizes[i] ?? 0));
  }

  #slot(i: number): Storage {
    this.#storages[i] ??= this.#memory.allocateExact(this.#needed(i), 'program');
    return this.#storages[i];
  }

  /** Gives back what is too small, or larger than anybody needs. */
  #releaseUnfit(): void {
    this.#storages.forEach((storage, i) => {
      if (storage.bytes === this.#needed(i)) return;
      storage.release();
      delete this.#storages[i];
    });
  }
}

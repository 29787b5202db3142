/**
 * Memory for temporaries, shared by the programs of one compiled function (one per combination of shapes). A run is one
 * submit, and WebGPU runs submits in order, so all programs may use the same memory.
 */
import type { MemoryPool, Storage } from '../device/memory.ts';

/** Slots with the sizes that their largest user needs, allocated on first use. */
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

  /** Exclusive slots, for a user that lets others run between its dispatches. */
  lend(user: object, sizes: readonly number[]): Storage[] {
    const taken = this.take(user, sizes);
    const lent = new Set(taken);
    for (const storage of this.#storages) if (!lent.has(storage)) storage.release();
    this.#storages = [];
    return taken;
  }

  /** Returns slots from {@link lend}. They are released if others have allocated new ones meanwhile. */
  giveBack(slots: readonly Storage[]): void {
    const descending = slots.toSorted((a, b) => b.bytes - a.bytes);
    if (this.#storages.length > 0) for (const slot of slots) slot.release();
    else this.#storages = descending;
    this.#releaseUnfit();
  }

  /** Removes a user. Memory that only it needed is released. */
  leave(user: object): void {
    if (this.#users.delete(user)) this.#releaseUnfit();
  }

  /** Required size of slot `i`, in descending order; 0 if unused. */
  #needed(i: number): number {
    return Math.max(0, ...[...this.#users.values()].map(sizes => sizes[i] ?? 0));
  }

  #slot(i: number): Storage {
    this.#storages[i] ??= this.#memory.allocateExact(this.#needed(i), 'program');
    return this.#storages[i];
  }

  /** Releases slots that are too small, or larger than any user needs. */
  #releaseUnfit(): void {
    this.#storages.forEach((storage, i) => {
      if (storage.bytes === this.#needed(i)) return;
      storage.release();
      delete this.#storages[i];
    });
  }
}

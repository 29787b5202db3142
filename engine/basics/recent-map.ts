/** A map that forgets. */

/** Keeps at most so many entries: beyond that the one that was used longest ago goes. */
export class RecentMap<K, V> {
  /** The one used last comes last. */
  readonly #entries = new Map<K, V>();
  readonly #most: number;
  readonly #onForgotten: (value: V) => void;

  /** @param onForgotten hears of each value that had to go; not of those that are deleted or replaced. */
  constructor(most: number, onForgotten: (value: V) => void = () => {}) {
    this.#most = most;
    this.#onForgotten = onForgotten;
  }

  /** The value of a key, which is now the one used last; undefined where there is none. */
  get(key: K): V | undefined {
    const value = this.#entries.get(key);
    if (value === undefined) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, value);
    return value;
  }

  set(key: K, value: V): void {
    this.#entries.delete(key);
    this.#entries.set(key, value);
    if (this.#entries.size <= this.#most) return;
    const [oldest, forgotten] = this.#entries.entries().next().value!;
    this.#entries.delete(oldest);
    this.#onForgotten(forgotten);
  }

  delete(key: K): void {
    this.#entries.delete(key);
  }

  get size(): number {
    return this.#entries.size;
  }

  /** From the one used longest ago to the one used last. */
  values(): IterableIterator<V> {
    return this.#entries.values();
  }
}

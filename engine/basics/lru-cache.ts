/** A least-recently-used (LRU) cache. */

/** Keeps at most `most` entries; beyond that the least recently used one is evicted. */
export class LruCache<K, V> {
  /** Most recently used last. */
  readonly #entries = new Map<K, V>();
  readonly #most: number;
  readonly #onForgotten: (value: V) => void;

  /** @param onForgotten called for each evicted value, not for deleted or replaced ones. */
  constructor(most: number, onForgotten: (value: V) => void = () => {}) {
    this.#most = most;
    this.#onForgotten = onForgotten;
  }

  /** The value of a key, or undefined. Marks it as most recently used. */
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

  /** From least to most recently used. */
  values(): IterableIterator<V> {
    return this.#entries.values();
  }
}

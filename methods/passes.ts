/** Loops of a method that several threads can share, and how they are run. */

/**
 * A loop over items, usually rows. `work` computes the items `from`…`to` − 1. It reads anything in `data`, and writes only
 * what belongs to these items, so that the result does not depend on how items are divided between threads.
 */
export interface Pass<T> {
  /** Unique; threads find the pass by it. */
  readonly name: string;
  /**
   * Does the items of work from `from` up to, but without, `to`.
   * @param data numbers, and typed arrays over `Runner.memory`; threads get a structured clone.
   */
  readonly work: (data: T, from: number, to: number) => void;
}

/** Progress and cancellation. */
export interface PassControl {
  /** Called with the number of finished items. */
  readonly onDone?: ((items: number) => void) | undefined;
  /** Checked about forty times per second; its reason is thrown. */
  readonly signal?: AbortSignal | undefined;
}

/** Runs passes. */
export interface Runner {
  /** Zeros for a pass to read or write; all threads see the same memory. */
  memory(bytes: number): ArrayBufferLike;
  /** Runs items 0…`items` − 1 of a pass, yielding to the event loop between turns. One pass at a time. */
  run<T extends object>(pass: Pass<T>, data: T, items: number, control?: PassControl): Promise<void>;
}

/** Milliseconds of work between two looks at the signal. */
export const TURN = 25;

/** Items that take about one turn, if the last `items` took `milliseconds`. Grows at most eightfold. */
export function itemsPerTurn(items: number, milliseconds: number): number {
  return Math.max(1, Math.min(items * 8, Math.floor((items * TURN) / Math.max(milliseconds, 1e-3))));
}

/** Lets the event loop handle timers, messages and signals. */
export const nextTurn = (): Promise<void> => new Promise(resolve => setTimeout(resolve, 0));

/** Runs passes in this thread alone; it needs nothing of Node. */
export class LocalRunner implements Runner {
  /** When the event loop last had a turn. */
  #turnAt = performance.now();

  memory(bytes: number): ArrayBufferLike {
    return new ArrayBuffer(bytes);
  }

  async run<T extends object>(
    { work }: Pass<T>,
    data: T,
    items: number,
    { onDone, signal }: PassControl = {},
  ): Promise<void> {
    signal?.throwIfAborted();
    for (let from = 0, size = 1; from < items; ) {
      const to = Math.min(items, from + size);
      const start = performance.now();
      work(data, from, to);
      const end = performance.now();
      size = itemsPerTurn(to - from, end - start);
      from = to;
      onDone?.(from);
      // Short passes share a turn.
      if (end - this.#turnAt < TURN) continue;
      await nextTurn();
      this.#turnAt = performance.now();
      signal?.throwIfAborted();
    }
  }
}

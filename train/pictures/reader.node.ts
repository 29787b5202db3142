/** Reads many pictures: the first ones on this thread, the rest on worker threads where that takes long. */
import { availableParallelism } from 'node:os';
import { setImmediate } from 'node:timers/promises';
import { ImageError } from '../../image/errors.ts';
import { type PictureOrigin, readTrainingPicture, type TrainingPicture } from './training-picture.node.ts';
import { PictureWorkers } from './workers.node.ts';

/** About what it takes until a worker thread is there. Small sets are read by then. Milliseconds. */
const PATIENCE = 300;

/** What became of a picture: an error where the file is broken, unsupported or too small. */
export type ReadResult = TrainingPicture | ImageError;

export class PictureReader implements Disposable {
  readonly workers: PictureWorkers;
  readonly #signal: AbortSignal | undefined;
  #patience: number;

  /** `threads`: so many from the start on, 0 for none. Default: one a processor, for what takes more than a moment. */
  constructor(threads: number | undefined, signal?: AbortSignal) {
    this.#patience = threads === undefined ? PATIENCE : threads > 0 ? 0 : Number.POSITIVE_INFINITY;
    this.workers = new PictureWorkers(Math.max(threads ?? availableParallelism(), 1));
    this.#signal = signal;
  }

  /**
   * Reads all `origins` and calls `each` once for every one, in any order; a thread takes its next picture when `each` is
   * done with the last, so that there are never more in memory than threads.
   * @throws what `readTrainingPicture` throws but ImageError, WorkerError, and the signal's reason at once.
   */
  async read(
    origins: readonly PictureOrigin[],
    least: number,
    each: (number: number, result: ReadResult) => Promise<void>,
  ): Promise<void> {
    const queue = origins.entries();
    await this.#readHere(queue, least, each);
    const stop = () => this.workers.dispose(this.#signal?.reason);
    this.#signal?.addEventListener('abort', stop, { once: true });
    const lane = async () => {
      for (const [i, origin] of queue) {
        this.#signal?.throwIfAborted();
        await each(i, await orImageError(this.workers.read({ origin, least })));
      }
    };
    try {
      await Promise.all(Array.from({ length: this.workers.limit }, lane));
    } finally {
      this.#signal?.removeEventListener('abort', stop);
    }
  }

  async #readHere(
    queue: Iterator<[number, PictureOrigin], undefined>,
    least: number,
    each: (number: number, result: ReadResult) => Promise<void>,
  ): Promise<void> {
    while (this.#patience > 0) {
      const { value: next } = queue.next();
      if (!next) return;
      this.#signal?.throwIfAborted();
      const began = performance.now();
      const [i, origin] = next;
      await each(i, await orImageError(readTrainingPicture(origin, least)));
      this.#patience -= performance.now() - began;
      await setImmediate(); // Generating and shrinking never wait: let signals and the progress display have their turn.
    }
  }

  [Symbol.dispose](): void {
    this.workers.dispose();
  }
}

async function orImageError(reading: Promise<TrainingPicture>): Promise<ReadResult> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof ImageError) return error;
    throw error;
  }
}

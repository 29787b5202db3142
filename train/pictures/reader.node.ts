/** Reads many pictures: the first ones on this thread, the rest on worker threads if it takes long. */
import { availableParallelism } from 'node:os';
import { setImmediate } from 'node:timers/promises';
import { ImageError } from '../../image/errors.ts';
import { type PictureOrigin, readTrainingPicture, type TrainingPicture } from './training-picture.node.ts';
import { PictureWorkers } from './workers.node.ts';

/** Milliseconds to read on this thread first. A worker thread takes about as long to start. */
const PATIENCE = 300;

/** A picture, or an error if the file is broken, unsupported or too small. */
export type ReadResult = TrainingPicture | ImageError;

export class PictureReader implements Disposable {
  readonly workers: PictureWorkers;
  readonly #signal: AbortSignal | undefined;
  #patience: number;

  /** `threads`: number of worker threads, used from the start; 0: none. Default: one per processor, once it takes long. */
  constructor(threads: number | undefined, signal?: AbortSignal) {
    this.#patience = threads === undefined ? PATIENCE : threads > 0 ? 0 : Number.POSITIVE_INFINITY;
    this.workers = new PictureWorkers(Math.max(threads ?? availableParallelism(), 1));
    this.#signal = signal;
  }

  /**
   * Reads all `origins` and calls `each` once for each, in any order. A thread reads its next picture after `each` has
   * finished with the last one, so memory never holds more pictures than there are threads.
   * @param least minimum width and height.
   * @throws WorkerError, the signal's reason as soon as it aborts, and what `readTrainingPicture` throws except
   *   ImageError.
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
      await setImmediate(); // Generating and downscaling never wait: let signals and the progress display run.
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

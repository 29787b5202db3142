/** Runs passes in this thread and in others. */

import { Worker } from 'node:worker_threads';
import { messageOf } from '../common/errors.ts';
import { ThreadError } from './errors.ts';
import { LocalRunner, nextTurn, type Pass, type PassControl, type Runner, TURN } from './passes.ts';
import { closePass, progressOf, type SharedPass, sharePass, workOnPart } from './shared-pass.ts';

/** Plain JavaScript, which every Node version can load. */
const ENTRY = new URL('./worker.node.mjs', import.meta.url);

/** Milliseconds of work that threads are started for: about as long as that takes. */
const WORTH_STARTING = 500;

/** The runner for a number of threads, 1 or more. */
export const runnerFor = (threads: number): Runner => (threads > 1 ? new ThreadedRunner(threads) : new LocalRunner());

/**
 * Runs passes in several threads, this one included. The others are started when there is work for longer than that
 * takes, and join as soon as they are ready. They keep the process alive only while they work.
 */
export class ThreadedRunner implements Runner, Disposable {
  readonly #threads: number;
  readonly #workers = new Set<Worker>();
  readonly #idle = new Set<Worker>();
  #current: SharedPass | undefined;
  #failure: ThreadError | undefined;
  /** Called when a thread is ready or has failed. */
  readonly #waiting: (() => void)[] = [];
  /** When the event loop last had a turn. */
  #turnAt = performance.now();
  /** Workers that take part in a pass, and its name. */
  readonly #busy = new Map<Worker, string>();

  /** `threads`: all threads, 2 or more. */
  constructor(threads: number) {
    this.#threads = threads;
  }

  /** Starts all threads now, and waits until they are ready. @throws ThreadError if one fails. */
  async start(): Promise<void> {
    this.#startAll();
    while (this.#idle.size + this.#busy.size < this.#threads - 1 && !this.#failure) await this.#news();
    this.#throwFailure();
  }

  memory(bytes: number): ArrayBufferLike {
    return new SharedArrayBuffer(bytes);
  }

  /** @throws ThreadError if a thread has died; the signal's reason. */
  async run<T extends object>(
    pass: Pass<T>,
    data: T,
    items: number,
    { onDone, signal }: PassControl = {},
  ): Promise<void> {
    signal?.throwIfAborted();
    const current = sharePass(pass.name, data, items);
    this.#current = current;
    try {
      // A single item is not worth a message.
      if (items > 1) this.#assign();
      while (workOnPart(pass, current)) {
        const { done, size } = progressOf(current);
        onDone?.(done);
        if (((items - done) / size) * TURN > WORTH_STARTING) this.#startAll();
        if (performance.now() - this.#turnAt < TURN) continue;
        await nextTurn();
        this.#turnAt = performance.now();
        this.#throwFailure();
        signal?.throwIfAborted();
      }
    } finally {
      closePass(current);
      this.#current = undefined;
      // What threads still compute is written to the caller's memory.
      while (this.#busy.size > 0) await this.#news();
    }
    this.#throwFailure();
    onDone?.(items);
    signal?.throwIfAborted();
  }

  #throwFailure(): void {
    if (this.#failure) throw this.#failure;
  }

  /** Lets idle threads take part in the current pass. */
  #assign(): void {
    if (!this.#current) return;
    for (const worker of this.#idle) {
      worker.ref();
      worker.postMessage(this.#current);
      this.#busy.set(worker, this.#current.pass);
    }
    this.#idle.clear();
  }

  async #news(): Promise<void> {
    await new Promise<void>(resolve => {
      this.#waiting.push(resolve);
    });
  }

  #tell(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  #startAll(): void {
    while (this.#workers.size < this.#threads - 1 && !this.#failure) {
      // Options of the main thread (a loader, hooks of a test runner) must not apply here.
      const worker = new Worker(ENTRY, { execArgv: [], name: 'daybreak methods' });
      this.#workers.add(worker);
      worker.unref();
      worker.on('message', () => {
        worker.unref();
        // After a pass, what it left is done by those who still work on it.
        const started = !this.#busy.delete(worker);
        this.#idle.add(worker);
        if (started) this.#assign();
        this.#tell();
      });
      worker.on('error', error => this.#fail(worker, messageOf(error).split('\n')[0]));
      worker.on('exit', code => this.#fail(worker, `exit code ${code}`));
    }
  }

  #fail(worker: Worker, why: string): void {
    if (!this.#workers.has(worker)) return;
    const task = this.#busy.get(worker);
    this.#failure ??= new ThreadError(`a thread stopped while ${task ? `computing ${task}` : 'idle'} (${why})`);
    this[Symbol.dispose]();
  }

  /** Terminates the threads. */
  [Symbol.dispose](): void {
    const workers = [...this.#workers];
    this.#workers.clear();
    this.#busy.clear();
    this.#idle.clear();
    for (const worker of workers) void worker.terminate();
    this.#tell();
  }
}

/** A pool of worker threads that read pictures and cut crops while the main thread keeps the GPU busy. */
import { Worker } from 'node:worker_threads';
import { codeOf } from '../../files/file-error.ts';
import { ImageError } from '../../image/errors.ts';
import { PictureSourceError, WorkerError } from '../errors.ts';
import type { CutTask } from './packed-crops.node.ts';
import { type TrainingPicture, titleOf } from './training-picture.node.ts';
import type { Answer, ReadTask, Task } from './worker.node.ts';

/** A task that waits for a worker or for its answer. */
interface Pending {
  readonly task: Task;
  readonly moved: readonly ArrayBuffer[];
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
}

/** Plain JavaScript, which every Node version can load. */
const ENTRY = new URL('./worker.node.mjs', import.meta.url);

/**
 * Threads are started on demand and do one task at a time. They keep the process alive only while they have a task. If a
 * thread dies, the pool stops: all tasks fail with the same WorkerError.
 */
export class PictureWorkers implements Disposable {
  readonly limit: number;
  #failure: unknown;
  readonly #queue: Pending[] = [];
  readonly #idle: Worker[] = [];
  readonly #busy = new Map<Worker, Pending>();

  /** `limit`: maximum number of threads. */
  constructor(limit: number) {
    this.limit = limit;
  }

  /** Starts all threads in advance. */
  start(): void {
    while (this.#idle.length + this.#busy.size < this.limit) {
      const worker = this.#start();
      worker.unref();
      this.#idle.push(worker);
    }
  }

  /** @throws ImageError and PictureSourceError as `readTrainingPicture` does; WorkerError. */
  async read(task: ReadTask): Promise<TrainingPicture> {
    const answer = await this.#run({ read: task }, []);
    return (answer as Extract<Answer, { picture: unknown }>).picture;
  }

  /** Transfers the task's bytes to a thread, and returns them filled. @throws WorkerError, or the error of the read. */
  async cut(task: CutTask): Promise<ArrayBuffer> {
    const answer = await this.#run({ cut: task }, [task.bytes]);
    return (answer as Extract<Answer, { bytes: unknown }>).bytes;
  }

  async #run(task: Task, moved: readonly ArrayBuffer[]): Promise<Answer> {
    if (this.#failure !== undefined) throw this.#failure;
    const answer = await new Promise<Answer>((resolve, reject) => {
      this.#queue.push({ task, moved, resolve, reject });
      this.#assign();
    });
    if (!('failure' in answer)) return answer;
    if (answer.failure === 'other') throw answer.error;
    const { subject, message } = answer;
    const problem = message.slice(subject.length + 2);
    throw answer.failure === 'image' ? new ImageError(subject, problem) : new PictureSourceError(subject, problem);
  }

  /** Assigns waiting tasks to idle threads. */
  #assign(): void {
    while (this.#queue.length > 0) {
      const room = this.#idle.length + this.#busy.size < this.limit;
      const worker = this.#idle.pop() ?? (room ? this.#start() : undefined);
      if (!worker) return;
      const pending = this.#queue.shift()!;
      this.#busy.set(worker, pending);
      worker.ref();
      worker.postMessage(pending.task, pending.moved);
    }
  }

  #start(): Worker {
    // Options of the main thread (a loader, hooks of a test runner) must not apply here.
    const worker = new Worker(ENTRY, { execArgv: [], name: 'daybreak pictures' });
    worker.on('message', (answer: Answer) => {
      const pending = this.#busy.get(worker);
      this.#busy.delete(worker);
      worker.unref();
      this.#idle.push(worker);
      this.#assign();
      pending?.resolve(answer);
    });
    worker.on('error', error => this.#giveUp(worker, `${codeOf(error)}${messageBeside(error)}`));
    worker.on('exit', code => this.#giveUp(worker, `exit code ${code}`));
    return worker;
  }

  /** Handles the end of a thread; nothing to do if it was terminated on purpose. */
  #giveUp(worker: Worker, why: string): void {
    const pending = this.#busy.get(worker);
    if (!pending && !this.#idle.includes(worker)) return;
    const task = pending && ('read' in pending.task ? `reading ${titleOf(pending.task.read.origin)}` : 'reading crops');
    this.#end(new WorkerError(`a picture thread stopped ${task ? `while ${task}` : 'while idle'} (${why})`));
  }

  #end(reason: unknown): void {
    if (this.#failure !== undefined) return;
    this.#failure = reason;
    const pending = [...this.#busy.values(), ...this.#queue.splice(0)];
    const workers = [...this.#busy.keys(), ...this.#idle.splice(0)];
    this.#busy.clear();
    for (const worker of workers) void worker.terminate();
    for (const { reject } of pending) reject(reason);
  }

  /** Terminates the threads at once; unfinished tasks fail with `reason`. */
  dispose(reason: unknown = new WorkerError('the picture threads were stopped')): void {
    this.#end(reason);
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

const messageBeside = (error: unknown) =>
  error instanceof Error && error.message !== codeOf(error) ? `: ${error.message.split('\n')[0]}` : '';

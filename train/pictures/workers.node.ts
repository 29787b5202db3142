/** Worker threads that read pictures and cut crops, while the main thread keeps the GPU busy. */
import { Worker } from 'node:worker_threads';
import { codeOf } from '../../common/files/file-error.ts';
import { ImageError } from '../../image/errors.ts';
import { PictureSourceError, WorkerError } from '../errors.ts';
import type { CutTask } from './packed-crops.node.ts';
import { type TrainingPicture, titleOf } from './training-picture.node.ts';
import type { Answer, ReadTask, Task } from './worker.node.ts';

/** A task that waits for a worker, or for the answer of one. */
interface Pending {
  readonly task: Task;
  readonly moved: readonly ArrayBuffer[];
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
}

/** Plain JavaScript, which every Node can load: see there. */
const ENTRY = new URL('./worker.node.mjs', import.meta.url);

/**
 * A pool. Threads are started as tasks come, and do one at a time; they keep the process alive only while they have one.
 * When a thread dies the whole pool is given up: every task fails with the one WorkerError that says why.
 */
export class PictureWorkers implements Disposable {
  readonly limit: number;
  #failure: unknown;
  readonly #queue: Pending[] = [];
  readonly #idle: Worker[] = [];
  readonly #busy = new Map<Worker, Pending>();

  /** `limit`: threads at most. */
  constructor(limit: number) {
    this.limit = limit;
  }

  /** Starts as many threads as there may be, for tasks that will come. */
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

  /** Moves the task's bytes to a thread, and gives them back filled. @throws what reading a file throws; WorkerError. */
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

  /** Gives waiting tasks to idle threads. */
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
    // Whatever the main thread was started with (a loader, a test runner's hooks) is not for this one.
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

  /** A thread is gone: of no concern where it was told to go. */
  #giveUp(worker: Worker, why: string): void {
    const pending = this.#busy.get(worker);
    if (!pending && !this.#idle.includes(worker)) return;
    const task = pending && ('read' in pending.task ? `reading ${titleOf(pending.task.read.origin)}` : 'reading crops');
    this.#end(new WorkerError(`a thread for pictures stopped ${task ? `while ${task}` : 'by itself'} (${why})`));
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

  /** Ends the threads, whatever they are at; tasks that were not done fail with `reason`. */
  dispose(reason: unknown = new WorkerError('the threads for pictures were ended')): void {
    this.#end(reason);
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

const messageBeside = (error: unknown) =>
  error instanceof Error && error.message !== codeOf(error) ? `: ${error.message.split('\n')[0]}` : '';

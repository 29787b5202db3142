/**
 * A run folder, which documents the run and survives anything that stops it:
 *
 *     config.json        the configuration               checkpoints/    last, best, step-N
 *     env.json           machine and software            samples/        sample pictures during training
 *     metrics.jsonl      losses and scores               report.html     all of it for a browser
 *     events.out.…       the same for TensorBoard        data.json       names and SHA-256 of the pictures
 *     init.safetensors   initial weights, with --init    choices.json    tuned kernel choices, if any
 */

import { existsSync } from 'node:fs';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { jsonText } from '../../common/text.ts';
import { codeOf, FileError, reasonOf } from '../../files/file-error.ts';
import { type FolderLock, takeLock } from '../../files/lock.node.ts';
import { makeFolder } from '../../files/make-folder.node.ts';
import type { TrainConfig } from '../config/config.ts';
import { storedConfig } from '../config/config-file.node.ts';
import { CheckpointError, RunFolderError } from '../errors.ts';
import { type CheckpointFiles, readCheckpoint, recoverCheckpoint, writeCheckpoint } from './checkpoint-store.node.ts';
import type { Environment, RecordedEnvironment } from './environment.ts';
import { EVENT_FILE, EventFile } from './event-file.node.ts';
import type { MetricsEntry, StepEntry } from './metrics.ts';
import { MetricsLog, readMetrics } from './metrics-log.node.ts';
import { PICTURE_RECORD } from './picture-record.node.ts';
import { replaceFile } from './replace-file.node.ts';
import {
  type CheckpointName,
  checkpointsIn,
  completeCheckpoints,
  holdsRun,
  INITIAL_WEIGHTS,
  LOCK,
  readRunConfig,
  refuseOccupied,
  removeTemporaryFiles,
  SUBFOLDERS,
} from './run-files.node.ts';

export { type CheckpointName, holdsRun, readRunConfig, refuseOccupied } from './run-files.node.ts';

/** The folder of a checkpoint, or a leftover of its writer. */
const CHECKPOINT = /^\.?(last|best|step-\d+)(?:\.new|\.old)?$/;

/** A run folder that is open for writing, and locked against other processes until it is closed. */
export class RunFolder {
  /** Absolute path. */
  readonly path: string;
  #log: MetricsLog | undefined;
  #events: EventFile | undefined;
  readonly #lock: FolderLock;

  private constructor(path: string, lock: FolderLock) {
    this.path = path;
    this.#lock = lock;
  }

  /**
   * Starts a run in a folder that is missing, empty, or has a run without any log entry or checkpoint.
   * @throws RunFolderError if there is another run or other files, the path is not a folder, or it cannot be written.
   */
  static async create(path: string, config: TrainConfig): Promise<RunFolder> {
    const folder = resolve(path);
    await refuseOccupied(folder);
    await makeRunFolder(folder);
    const run = new RunFolder(folder, await lock(folder));
    try {
      await refuseOccupied(folder); // Another process may have started a run since the first check.
      for (const name of SUBFOLDERS) await makeRunFolder(join(folder, name));
      for (const name of ['env.json', 'choices.json', PICTURE_RECORD, INITIAL_WEIGHTS])
        await rm(join(folder, name), { force: true });
      await removeTemporaryFiles(folder);
      await replaceFile(join(folder, 'config.json'), jsonText(storedConfig(config, folder)));
      await run.continueAfter(0);
      return run;
    } catch (error) {
      run.close();
      throw error;
    }
  }

  /**
   * Opens the folder of a run to resume it, and repairs checkpoints whose writer died. The caller then reads `config` and
   * the checkpoint `last`, and calls `continueAfter`.
   * @throws RunFolderError if there is no run, or another process uses the folder.
   */
  static async resume(path: string): Promise<RunFolder> {
    const folder = resolve(path);
    if (!holdsRun(folder)) {
      throw new RunFolderError(path, 'holds no run to resume (no config.json); leave out --resume to start one');
    }
    const run = new RunFolder(folder, await lock(folder));
    try {
      for (const name of SUBFOLDERS) await makeRunFolder(join(folder, name));
      const names = (await readdir(join(folder, 'checkpoints'))).map(entry => CHECKPOINT.exec(entry)?.[1]);
      for (const name of new Set(names)) {
        if (name !== undefined) await recoverCheckpoint(join(folder, 'checkpoints', name));
      }
      await removeTemporaryFiles(folder);
      return run;
    } catch (error) {
      run.close();
      throw error;
    }
  }

  /**
   * Truncates the log after `step` updates (0 if there is no checkpoint yet) and opens it for writing.
   * @throws RunFolderError if it cannot be written, or is damaged before that, naming the complete checkpoints.
   */
  async continueAfter(step: number): Promise<void> {
    this.#closeLogs();
    this.#log = await this.#namingCheckpoints(MetricsLog.open(join(this.path, 'metrics.jsonl'), step));
    this.#events = await EventFile.open(join(this.path, EVENT_FILE), await this.readMetrics());
  }

  /** The partial entry that `continueAfter` removed, of a run that was stopped between two entries. */
  get unfinished(): StepEntry | undefined {
    return this.#log?.unfinished;
  }

  /**
   * Adds an entry to the log and to the event file. A resumed run must call `continueAfter` first.
   * @throws RunFolderError if it cannot be written.
   */
  record(entry: MetricsEntry): void {
    if (!this.#log)
      throw new RunFolderError(this.path, 'call continueAfter(step) before writing to the log of a resumed run');
    this.#log.append(entry);
    this.#events?.append(entry);
  }

  async #namingCheckpoints<R>(work: Promise<R>): Promise<R> {
    try {
      return await work;
    } catch (error) {
      const complete = error instanceof RunFolderError ? await completeCheckpoints(this.path) : [];
      if (!(error instanceof RunFolderError) || complete.length === 0) throw error;
      const problem = error.message.slice(error.path.length + 2);
      throw new RunFolderError(error.path, `${problem} (complete checkpoints: ${complete.join(', ')})`, {
        cause: error,
      });
    }
  }

  #closeLogs(): void {
    this.#log?.close();
    this.#log = undefined;
    this.#events?.close();
    this.#events = undefined;
  }

  /** Copies the initial weights into the folder, so that the run needs no other files. */
  async writeInitialWeights(bytes: Uint8Array): Promise<void> {
    await replaceFile(join(this.path, INITIAL_WEIGHTS), bytes);
  }

  /** The model file that the run started from; undefined if its initial weights were random. */
  async initialWeights(): Promise<Uint8Array | undefined> {
    const path = join(this.path, INITIAL_WEIGHTS);
    return existsSync(path) ? await readFile(path) : undefined;
  }

  /** @throws ConfigError if config.json is damaged, naming the complete checkpoints. */
  async config(): Promise<TrainConfig> {
    return await readRunConfig(this.path);
  }

  /** Replaces config.json, after a resume changed options. */
  async writeConfig(config: TrainConfig): Promise<void> {
    await replaceFile(join(this.path, 'config.json'), jsonText(storedConfig(config, this.path)));
  }

  /**
   * Writes env.json. A resumed run (`step` above 0) keeps the original environment and adds the current one to `resumed`.
   */
  async writeEnvironment(environment: Environment, step = 0): Promise<void> {
    const path = join(this.path, 'env.json');
    const before = step > 0 ? await readEnvironment(this.path) : undefined;
    const resumed = [...(before?.resumed ?? []), { step, ...environment }];
    await replaceFile(path, jsonText(before ? { ...before, resumed } : environment));
  }

  /** All log entries so far. */
  async readMetrics(): Promise<MetricsEntry[]> {
    return await readMetrics(join(this.path, 'metrics.jsonl'));
  }

  /**
   * Saves a checkpoint, replacing one of the same name. The log is synced to disk first, so that a checkpoint is never
   * ahead of its log: evaluate and log before saving.
   * @throws CheckpointError if it cannot be written, RunFolderError if the log could not be, or another process has taken
   *   over the folder. The previous checkpoint is kept.
   */
  async saveCheckpoint(name: CheckpointName, files: CheckpointFiles): Promise<void> {
    try {
      this.#lock.check();
    } catch (error) {
      throw ofRun(error);
    }
    await this.#log?.sync();
    await writeCheckpoint(this.checkpointPath(name), files);
  }

  /**
   * Reads the files of a checkpoint.
   * @throws CheckpointError if it is missing or damaged, naming the file and the other complete checkpoints.
   */
  async readCheckpoint(name: CheckpointName): Promise<Map<string, Uint8Array>> {
    try {
      return await readCheckpoint(this.checkpointPath(name));
    } catch (error) {
      if (!(error instanceof CheckpointError)) throw error;
      const others = await completeCheckpoints(this.path, name);
      const newest = others.at(-1);
      if (newest === undefined) throw error;
      const problem = error.message.slice(error.path.length + 2);
      throw new CheckpointError(
        error.path,
        `${problem} (other complete checkpoints: ${others.join(', ')}); to continue from there, replace checkpoints/${name} ` +
          `by a copy of checkpoints/${newest}`,
        { cause: error },
      );
    }
  }

  /** Names of the existing checkpoints: last, best, then step-N by N. */
  async checkpoints(): Promise<CheckpointName[]> {
    return await checkpointsIn(this.path);
  }

  /** Removes all step-N checkpoints except the newest `keep`; 0 keeps all. */
  async pruneCheckpoints(keep: number): Promise<void> {
    if (keep === 0) return;
    const steps = (await this.checkpoints()).filter(name => name.startsWith('step-'));
    for (const name of steps.slice(0, -keep)) {
      await rm(this.checkpointPath(name), { recursive: true, force: true });
    }
  }

  checkpointPath(name: CheckpointName): string {
    return join(this.path, 'checkpoints', name);
  }

  /** Path of a sample picture after `step` updates; the names sort by step. */
  samplePath(step: number, name: string): string {
    return join(this.path, 'samples', `step-${String(step).padStart(7, '0')}-${name}.png`);
  }

  /** Closes the logs and unlocks the folder. */
  close(): void {
    this.#closeLogs();
    this.#lock.release();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** Reads env.json of a run folder; undefined if there is none. @throws RunFolderError if it is damaged. */
export async function readEnvironment(folder: string): Promise<RecordedEnvironment | undefined> {
  const path = join(folder, 'env.json');
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw new RunFolderError(path, 'cannot be read, or is not JSON; the run can continue without it', { cause: error });
  }
}

async function makeRunFolder(path: string): Promise<void> {
  try {
    await makeFolder(path);
  } catch (error) {
    throw new RunFolderError(path, `cannot be created: ${reasonOf(error)}`, { cause: error });
  }
}

async function lock(folder: string): Promise<FolderLock> {
  return await takeLock(join(folder, LOCK), 'run folder').catch(error => {
    throw ofRun(error);
  });
}

/** Errors of the lock as errors of the run. */
const ofRun = (error: unknown) =>
  error instanceof FileError ? new RunFolderError(error.path, error.reason, { cause: error.cause }) : error;

/**
 * A run folder explains itself and survives whatever stops the run:
 *
 *     config.json      the configuration as used          samples/       pictures on the way
 *     env.json         what it ran on                     checkpoints/   last, best, step-N
 *     metrics.jsonl    what was measured                  report.html    all of it to look at
 *     choices.json     the kernels that tuning had chosen, if any
 *     data.json        names and SHA-256 of the pictures
 *     events.out.…     the same for TensorBoard            init.safetensors   the first weights, where they were given
 */

import { existsSync } from 'node:fs';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { makeFolder } from '../../image/make-folder.node.ts';
import type { TrainConfig } from '../config/config.ts';
import { storedConfig } from '../config/config-file.node.ts';
import { CheckpointError, RunFolderError } from '../errors.ts';
import { codeOf, jsonText, reasonOf, replaceFile } from '../write.node.ts';
import { type CheckpointFiles, readCheckpoint, recoverCheckpoint, writeCheckpoint } from './checkpoint-store.node.ts';
import {
  type CheckpointName,
  checkpointsIn,
  clearUnfinished,
  holdsRun,
  INIT,
  LOCK,
  PARTS,
  readRunConfig,
  refuseOccupied,
  wholeCheckpoints,
} from './content.node.ts';
import type { Environment, RecordedEnvironment } from './environment.ts';
import { EVENT_FILE, EventFile } from './event-file.node.ts';
import { type RunLock, takeLock } from './lock.node.ts';
import type { MetricsEntry, StepEntry } from './metrics.ts';
import { MetricsLog, readMetrics } from './metrics-log.node.ts';
import { PICTURE_RECORD } from './picture-record.node.ts';

export { type CheckpointName, holdsRun, readRunConfig, refuseOccupied } from './content.node.ts';

/** A checkpoint's folder, or one beside it that its writer left. */
const CHECKPOINT = /^\.?(last|best|step-\d+)(?:\.new|\.old)?$/;

/** A run folder open for writing, held against other processes until it is closed. */
export class RunFolder {
  /** Absolute. */
  readonly path: string;
  #log: MetricsLog | undefined;
  #events: EventFile | undefined;
  readonly #lock: RunLock;

  private constructor(path: string, lock: RunLock) {
    this.path = path;
    this.#lock = lock;
  }

  /**
   * Begins a run in a folder that is missing or empty, or holds a run that never came to its first line or checkpoint.
   * @throws RunFolderError where the folder holds a run or anything else, is no folder, or cannot be written.
   */
  static async create(path: string, config: TrainConfig): Promise<RunFolder> {
    const folder = resolve(path);
    await refuseOccupied(folder);
    await makePart(folder);
    const run = new RunFolder(folder, await takeLock(join(folder, LOCK)));
    try {
      await refuseOccupied(folder); // Another process may have been faster.
      for (const name of PARTS) await makePart(join(folder, name));
      for (const name of ['env.json', 'choices.json', PICTURE_RECORD, INIT])
        await rm(join(folder, name), { force: true });
      await clearUnfinished(folder);
      await replaceFile(join(folder, 'config.json'), jsonText(storedConfig(config, folder)));
      await run.continueAfter(0);
      return run;
    } catch (error) {
      run.close();
      throw error;
    }
  }

  /**
   * Opens the folder of a run to go on with it: checkpoints whose writer died are put right. Then read `config` and the
   * checkpoint `last`, and call `continueAfter`.
   * @throws RunFolderError where the folder holds no run, or another process writes in it.
   */
  static async resume(path: string): Promise<RunFolder> {
    const folder = resolve(path);
    if (!holdsRun(folder)) {
      throw new RunFolderError(path, 'holds no run to resume (no config.json); without --resume a new one starts here');
    }
    const run = new RunFolder(folder, await takeLock(join(folder, LOCK)));
    try {
      for (const name of PARTS) await makePart(join(folder, name));
      const names = (await readdir(join(folder, 'checkpoints'))).map(entry => CHECKPOINT.exec(entry)?.[1]);
      for (const name of new Set(names)) {
        if (name !== undefined) await recoverCheckpoint(join(folder, 'checkpoints', name));
      }
      await clearUnfinished(folder);
      return run;
    } catch (error) {
      run.close();
      throw error;
    }
  }

  /**
   * Cuts the log after `step` updates (0 where there is no checkpoint yet) and opens it for what follows.
   * @throws RunFolderError where it is damaged before that, naming the checkpoints there are, or cannot be written.
   */
  async continueAfter(step: number): Promise<void> {
    this.#closeLogs();
    this.#log = await this.#namingCheckpoints(MetricsLog.open(join(this.path, 'metrics.jsonl'), step));
    this.#events = await EventFile.open(join(this.path, EVENT_FILE), await this.readMetrics());
  }

  /** The entry that `continueAfter` took back, of a run that was stopped between two. */
  get unfinished(): StepEntry | undefined {
    return this.#log?.unfinished;
  }

  /**
   * Adds an entry to the log and to the event file; see `continueAfter` for a resumed run.
   * @throws RunFolderError where it cannot be written.
   */
  record(entry: MetricsEntry): void {
    if (!this.#log) throw new RunFolderError(this.path, 'the log of a resumed run opens with continueAfter(step)');
    this.#log.append(entry);
    this.#events?.append(entry);
  }

  async #namingCheckpoints<R>(work: Promise<R>): Promise<R> {
    try {
      return await work;
    } catch (error) {
      const whole = error instanceof RunFolderError ? await wholeCheckpoints(this.path) : [];
      if (!(error instanceof RunFolderError) || whole.length === 0) throw error;
      const problem = error.message.slice(error.path.length + 2);
      throw new RunFolderError(error.path, `${problem} (whole beside it: the checkpoints ${whole.join(', ')})`, {
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

  /** Keeps the model file that the run starts from, so that the run needs nothing outside of its folder. */
  async writeInitialWeights(bytes: Uint8Array): Promise<void> {
    await replaceFile(join(this.path, INIT), bytes);
  }

  /** The model file that the run started from; undefined where its first weights were random. */
  async initialWeights(): Promise<Uint8Array | undefined> {
    const path = join(this.path, INIT);
    return existsSync(path) ? await readFile(path) : undefined;
  }

  /** @throws ConfigError where config.json is damaged, naming the checkpoints there are. */
  async config(): Promise<TrainConfig> {
    return await readRunConfig(this.path);
  }

  /** Replaces config.json, where options that may change did so on resuming. */
  async writeConfig(config: TrainConfig): Promise<void> {
    await replaceFile(join(this.path, 'config.json'), jsonText(storedConfig(config, this.path)));
  }

  /**
   * Writes env.json. A resumed run (`step` above 0) keeps the environment that it was started in and adds the present one
   * under `resumed`.
   */
  async writeEnvironment(environment: Environment, step = 0): Promise<void> {
    const path = join(this.path, 'env.json');
    const before = step > 0 ? await readEnvironment(this.path) : undefined;
    const resumed = [...(before?.resumed ?? []), { step, ...environment }];
    await replaceFile(path, jsonText(before ? { ...before, resumed } : environment));
  }

  /** All entries so far. */
  async readMetrics(): Promise<MetricsEntry[]> {
    return await readMetrics(join(this.path, 'metrics.jsonl'));
  }

  /**
   * Saves a checkpoint, replacing one of the same name. The log is brought to the disk first, so that it never lacks what
   * came before a checkpoint: evaluate and log before saving.
   * @throws CheckpointError where it cannot be written, RunFolderError where the log could not, or where another process has
   *   taken over the folder; the one before stays.
   */
  async saveCheckpoint(name: CheckpointName, files: CheckpointFiles): Promise<void> {
    this.#lock.check();
    await this.#log?.sync();
    await writeCheckpoint(this.checkpointPath(name), files);
  }

  /**
   * The files of a checkpoint.
   * @throws CheckpointError where it is missing or damaged, naming the file and the checkpoints there are beside it.
   */
  async readCheckpoint(name: CheckpointName): Promise<Map<string, Uint8Array>> {
    try {
      return await readCheckpoint(this.checkpointPath(name));
    } catch (error) {
      if (!(error instanceof CheckpointError)) throw error;
      const others = await wholeCheckpoints(this.path, name);
      const newest = others.at(-1);
      if (newest === undefined) throw error;
      const problem = error.message.slice(error.path.length + 2);
      throw new CheckpointError(
        error.path,
        `${problem} (whole beside it: ${others.join(', ')}); to go on from there, put a copy of checkpoints/${newest} in ` +
          `the place of checkpoints/${name}`,
        { cause: error },
      );
    }
  }

  /** Names of the checkpoints: last, best, then step-N by N, as far as there are. */
  async checkpoints(): Promise<CheckpointName[]> {
    return await checkpointsIn(this.path);
  }

  /** Removes all but the `keep` newest step-N checkpoints; 0 keeps all. */
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

  /** Where a sample picture of update `step` belongs: names sort by step. */
  samplePath(step: number, name: string): string {
    return join(this.path, 'samples', `step-${String(step).padStart(7, '0')}-${name}.png`);
  }

  /** Lets go of the folder. */
  close(): void {
    this.#closeLogs();
    this.#lock.release();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** The environment of the run in a folder; undefined where none was written. @throws RunFolderError if damaged. */
export async function readEnvironment(folder: string): Promise<RecordedEnvironment | undefined> {
  const path = join(folder, 'env.json');
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw new RunFolderError(path, 'cannot be read, or is not JSON; without it the run can go on', { cause: error });
  }
}

async function makePart(path: string): Promise<void> {
  try {
    await makeFolder(path);
  } catch (error) {
    throw new RunFolderError(path, `cannot be made: ${reasonOf(error)}`, { cause: error });
  }
}

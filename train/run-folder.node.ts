/**
 * A run folder explains itself and survives whatever stops the run:
 *
 *     config.json      the configuration as used          samples/       pictures on the way
 *     env.json         what it ran on                     checkpoints/   last, best, step-N
 *     metrics.jsonl    what was measured                  report.html    all of it to look at
 *     choices.json     the kernels that tuning had chosen, if any
 *     events.out.…     the same for TensorBoard            init.safetensors   the first weights, where they were given
 */

import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type CheckpointFiles, readCheckpoint, recoverCheckpoint, writeCheckpoint } from './checkpoint-store.node.ts';
import { parseConfig, type TrainConfig } from './config.ts';
import { readConfigFile } from './config-file.node.ts';
import type { Environment, RecordedEnvironment } from './environment.ts';
import { CheckpointError, RunFolderError } from './errors.ts';
import { EVENT_FILE, EventFile } from './event-file.node.ts';
import type { MetricsEntry } from './metrics.ts';
import { MetricsLog, readMetrics } from './metrics-log.node.ts';
import { takeLock } from './run-lock.node.ts';
import { codeOf, jsonText, replaceFile } from './run-write.node.ts';

export type CheckpointName = 'last' | 'best' | `step-${number}`;

const LOCK = 'run.lock';
const INIT = 'init.safetensors';
/** What may lie in a folder that is taken for empty; the rest of a run's own files count once they hold something. */
const NOTHING = ['.DS_Store', 'Thumbs.db', 'desktop.ini', LOCK];
/** What a process that died while replacing a file of ours left beside it. */
const UNFINISHED =
  /^\.(config\.json|env\.json|choices\.json|metrics\.jsonl|report\.html|init\.safetensors|events\.out\.tfevents\.daybreak)\..+\.tmp$/;
/** A checkpoint's folder, or one beside it that its writer left. */
const CHECKPOINT = /^\.?(last|best|step-\d+)(?:\.new|\.old)?$/;

/** A run folder open for writing, held against other processes until it is closed. */
export class RunFolder {
  /** Absolute. */
  readonly path: string;
  #log: MetricsLog | undefined;
  #events: EventFile | undefined;
  readonly #unlock: () => void;

  private constructor(path: string, unlock: () => void) {
    this.path = path;
    this.#unlock = unlock;
  }

  /**
   * Begins a run in a folder that is missing or empty, or holds a run that never came to its first line or checkpoint.
   * @throws RunFolderError where the folder holds a run or anything else, is no folder, or cannot be written.
   */
  static async create(path: string, config: TrainConfig): Promise<RunFolder> {
    const folder = resolve(path);
    await refuseOccupied(folder);
    await makeFolder(folder);
    const run = new RunFolder(folder, await takeLock(join(folder, LOCK)));
    try {
      await refuseOccupied(folder); // Another process may have been faster.
      for (const name of ['samples', 'checkpoints']) await makeFolder(join(folder, name));
      for (const name of ['env.json', 'choices.json', INIT]) await rm(join(folder, name), { force: true });
      await clearUnfinished(folder);
      await replaceFile(join(folder, 'config.json'), jsonText(config));
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
    if (!existsSync(join(folder, 'config.json'))) {
      throw new RunFolderError(path, 'holds no run to resume (no config.json); without --resume a new one starts here');
    }
    const run = new RunFolder(folder, await takeLock(join(folder, LOCK)));
    try {
      for (const name of ['samples', 'checkpoints']) await makeFolder(join(folder, name));
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

  /** Cuts the log after `step` updates (0 where there is no checkpoint yet) and opens it for what follows. */
  async continueAfter(step: number): Promise<void> {
    this.#closeLogs();
    this.#log = await MetricsLog.open(join(this.path, 'metrics.jsonl'), step);
    this.#events = await EventFile.open(join(this.path, EVENT_FILE), await this.readMetrics());
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

  /** @throws ConfigError where config.json is damaged. */
  async config(): Promise<TrainConfig> {
    return await readRunConfig(this.path);
  }

  /** Replaces config.json, where options that may change did so on resuming. */
  async writeConfig(config: TrainConfig): Promise<void> {
    await replaceFile(join(this.path, 'config.json'), jsonText(config));
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
   * @throws CheckpointError where it cannot be written; the one before stays.
   */
  async saveCheckpoint(name: CheckpointName, files: CheckpointFiles): Promise<void> {
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
      const others = (await this.checkpoints()).filter(other => other !== name);
      if (others.length === 0) throw error;
      const problem = error.message.slice(error.path.length + 2);
      throw new CheckpointError(error.path, `${problem} (beside it: ${others.join(', ')})`, { cause: error });
    }
  }

  /** Names of the checkpoints: last, best, then step-N by N, as far as there are. */
  async checkpoints(): Promise<CheckpointName[]> {
    const entries = await readdir(join(this.path, 'checkpoints'));
    const steps = entries.filter(entry => /^step-\d+$/.test(entry)).sort((a, b) => stepOf(a) - stepOf(b));
    return [...['last', 'best'].filter(name => entries.includes(name)), ...steps] as CheckpointName[];
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
    this.#unlock();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** The configuration of the run in a folder. @throws ConfigError where config.json is missing or damaged. */
export async function readRunConfig(folder: string): Promise<TrainConfig> {
  return parseConfig({}, await readConfigFile(join(folder, 'config.json')));
}

/** The environment of the run in a folder; undefined where none was written. @throws RunFolderError if damaged. */
export async function readEnvironment(folder: string): Promise<RecordedEnvironment | undefined> {
  const path = join(folder, 'env.json');
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw new RunFolderError(path, 'cannot be read, or is not JSON', { cause: error });
  }
}

const stepOf = (name: string) => Number(name.slice('step-'.length));

async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true });
  } catch (error) {
    throw new RunFolderError(path, `cannot be made (${codeOf(error)})`, { cause: error });
  }
}

/** @throws RunFolderError where a new run would meet another run's results or somebody's files. */
export async function refuseOccupied(folder: string): Promise<void> {
  let entries: string[];
  try {
    entries = await readdir(folder);
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOENT') return;
    throw new RunFolderError(folder, code === 'ENOTDIR' ? 'is no folder' : `cannot be read (${code})`, {
      cause: error,
    });
  }
  const found = entries.filter(entry => !NOTHING.includes(entry) && !UNFINISHED.test(entry));
  if (found.length === 0) return;
  const isRun = await readRunConfig(folder).then(
    () => true,
    () => false,
  );
  for (const entry of found) {
    if (!isRun) {
      throw new RunFolderError(folder, 'is not empty and holds no run; choose an empty folder or a new one for --out');
    }
    if (await isEmptyPart(join(folder, entry), entry)) continue;
    throw new RunFolderError(folder, 'already holds a run; go on with it by --resume, or choose another --out');
  }
}

async function clearUnfinished(folder: string): Promise<void> {
  for (const entry of await readdir(folder)) {
    if (UNFINISHED.test(entry)) await rm(join(folder, entry), { force: true });
  }
}

/** Whether a file of a run holds nothing that took any training to get. */
async function isEmptyPart(path: string, name: string): Promise<boolean> {
  if (['config.json', 'env.json', 'choices.json', INIT, EVENT_FILE].includes(name)) return true;
  if (name === 'metrics.jsonl') return (await stat(path)).size === 0;
  return ['samples', 'checkpoints'].includes(name) && (await readdir(path)).length === 0;
}

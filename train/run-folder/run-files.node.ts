/** The files of a run folder: detecting a run, listing its checkpoints, and removing leftovers of dead processes. */
import { existsSync } from 'node:fs';
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { forShell } from '../../common/text.ts';
import { codeOf, reasonOf } from '../../files/file-error.ts';
import { parseConfig, type TrainConfig } from '../config/config.ts';
import { readConfigFile } from '../config/config-file.node.ts';
import { ConfigError, RunFolderError } from '../errors.ts';
import { readCheckpoint } from './checkpoint-store.node.ts';
import { EVENT_FILE } from './event-file.node.ts';
import { PICTURE_RECORD } from './picture-record.node.ts';

export type CheckpointName = 'last' | 'best' | `step-${number}`;

export const LOCK = 'run.lock';
/** The initial weights, if they were given. */
export const INITIAL_WEIGHTS = 'init.safetensors';
export const SUBFOLDERS = ['samples', 'checkpoints'];
/** Files that a folder may have and still count as empty. */
const IGNORED = ['.DS_Store', 'Thumbs.db', 'desktop.ini', LOCK];
/** Temporary files of a process that died while replacing a file of the run. */
const TEMPORARY =
  /^\.((config|env|choices|data|profile)\.json|metrics\.jsonl|report\.html|init\.safetensors|events\.out\.tfevents\.daybreak|comparison(-\d+)?\.png)\..+\.tmp$/;
/** The same for samples. */
const TEMPORARY_SAMPLE = /^\.(step-\d+-.+\.png|[0-9a-f]{32})\..+\.tmp$/;

/** Whether a folder contains a run. */
export const holdsRun = (folder: string): boolean => existsSync(join(folder, 'config.json'));

/**
 * Reads the configuration of a run.
 * @throws ConfigError if config.json is missing or damaged, naming the complete checkpoints.
 */
export async function readRunConfig(folder: string): Promise<TrainConfig> {
  try {
    return await parsedConfig(folder);
  } catch (error) {
    const complete = error instanceof ConfigError ? await completeCheckpoints(folder) : [];
    if (!(error instanceof ConfigError) || complete.length === 0) throw error;
    throw new ConfigError(
      `${error.message} (complete checkpoints: ${complete.join(', ')}); repair it (report.html lists the options), or start a ` +
        `new run from these weights: --init ${forShell(folder)}`,
      error.option,
      { cause: error },
    );
  }
}

const parsedConfig = async (folder: string): Promise<TrainConfig> =>
  parseConfig({}, await readConfigFile(join(folder, 'config.json')));

/** Names of the existing checkpoints of a run: last, best, then step-N by N. */
export async function checkpointsIn(folder: string): Promise<CheckpointName[]> {
  const entries = await readdir(join(folder, 'checkpoints'));
  const steps = entries.filter(entry => /^step-\d+$/.test(entry)).sort((a, b) => stepOf(a) - stepOf(b));
  return [...['last', 'best'].filter(name => entries.includes(name)), ...steps] as CheckpointName[];
}

const stepOf = (name: string) => Number(name.slice('step-'.length));

/** Names of the complete checkpoints of a run, without `except`; none if the folder cannot be read. */
export async function completeCheckpoints(folder: string, except?: CheckpointName): Promise<CheckpointName[]> {
  const complete: CheckpointName[] = [];
  for (const name of await checkpointsIn(folder).catch(() => [])) {
    if (name === except) continue;
    const files = await readCheckpoint(join(folder, 'checkpoints', name)).catch(() => undefined);
    if (files) complete.push(name);
  }
  return complete;
}

/** @throws RunFolderError if the folder is not empty: a new run must not mix with another run or with other files. */
export async function refuseOccupied(folder: string): Promise<void> {
  let entries: string[];
  try {
    entries = await readdir(folder);
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOENT') return;
    throw new RunFolderError(folder, code === 'ENOTDIR' ? 'is not a folder' : `cannot be read: ${reasonOf(error)}`, {
      cause: error,
    });
  }
  const found: string[] = [];
  for (const entry of entries) {
    // Subfolders are created before the configuration is written.
    if (IGNORED.includes(entry) || TEMPORARY.test(entry) || (await isEmptySubfolder(folder, entry))) continue;
    found.push(entry);
  }
  if (found.length === 0) return;
  const isRun = await parsedConfig(folder).then(
    () => true,
    () => false,
  );
  for (const entry of found) {
    if (!isRun) {
      throw new RunFolderError(folder, 'is not empty and has no run; choose an empty or a new folder for --out');
    }
    if (await isExpendable(join(folder, entry), entry)) continue;
    throw new RunFolderError(folder, 'already has a run; continue it with --resume, or choose another --out');
  }
}

/** Whether a file of a run can be replaced without losing any training. */
async function isExpendable(path: string, name: string): Promise<boolean> {
  if (['config.json', 'env.json', 'choices.json', PICTURE_RECORD, INITIAL_WEIGHTS, EVENT_FILE].includes(name))
    return true;
  return name === 'metrics.jsonl' && (await stat(path)).size === 0;
}

const isEmptySubfolder = async (folder: string, name: string): Promise<boolean> =>
  SUBFOLDERS.includes(name) && (await readdir(join(folder, name)).catch(() => [name])).length === 0;

/** Removes temporary files of processes that died while replacing files. */
export async function removeTemporaryFiles(folder: string): Promise<void> {
  for (const [parent, pattern] of [
    [folder, TEMPORARY],
    [join(folder, 'samples'), TEMPORARY_SAMPLE],
  ] as const) {
    for (const entry of await readdir(parent)) {
      if (pattern.test(entry)) await rm(join(parent, entry), { force: true });
    }
  }
}

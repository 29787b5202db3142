/** What lies in a run folder: whether it is a run, which checkpoints it has, and what a process that died left there. */
import { existsSync } from 'node:fs';
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { parseConfig, type TrainConfig } from '../config/config.ts';
import { readConfigFile } from '../config/config-file.node.ts';
import { ConfigError, RunFolderError } from '../errors.ts';
import { forShell } from '../readable.ts';
import { codeOf, reasonOf } from '../write.node.ts';
import { readCheckpoint } from './checkpoint-store.node.ts';
import { EVENT_FILE } from './event-file.node.ts';
import { PICTURE_RECORD } from './picture-record.node.ts';

export type CheckpointName = 'last' | 'best' | `step-${number}`;

export const LOCK = 'run.lock';
/** The first weights, where they were given. */
export const INIT = 'init.safetensors';
/** Folders of a run. */
export const PARTS = ['samples', 'checkpoints'];
/** What may lie in a folder that is taken for empty; the rest of a run's own files count once they hold something. */
const NOTHING = ['.DS_Store', 'Thumbs.db', 'desktop.ini', LOCK];
/** What a process that died while replacing a file of ours left beside it. */
const UNFINISHED =
  /^\.((config|env|choices|data|profile)\.json|metrics\.jsonl|report\.html|init\.safetensors|events\.out\.tfevents\.daybreak|comparison(-\d+)?\.png)\..+\.tmp$/;
/** The same of a sample. */
const UNFINISHED_SAMPLE = /^\.step-\d+-.+\.png\..+\.tmp$/;

/** Whether a run was begun in a folder. */
export const holdsRun = (folder: string): boolean => existsSync(join(folder, 'config.json'));

/**
 * The configuration of the run in a folder.
 * @throws ConfigError where config.json is missing or damaged, naming the whole checkpoints there are.
 */
export async function readRunConfig(folder: string): Promise<TrainConfig> {
  try {
    return await parsedConfig(folder);
  } catch (error) {
    const whole = error instanceof ConfigError ? await wholeCheckpoints(folder) : [];
    if (!(error instanceof ConfigError) || whole.length === 0) throw error;
    throw new ConfigError(
      `${error.message} (whole beside it: the checkpoints ${whole.join(', ')}); mend it, report.html lists the options, or ` +
        `start another run from the weights of this one: --init ${forShell(folder)}`,
      error.option,
      { cause: error },
    );
  }
}

const parsedConfig = async (folder: string): Promise<TrainConfig> =>
  parseConfig({}, await readConfigFile(join(folder, 'config.json')));

/** Names of the checkpoints in a run folder: last, best, then step-N by N, as far as there are. */
export async function checkpointsIn(folder: string): Promise<CheckpointName[]> {
  const entries = await readdir(join(folder, 'checkpoints'));
  const steps = entries.filter(entry => /^step-\d+$/.test(entry)).sort((a, b) => stepOf(a) - stepOf(b));
  return [...['last', 'best'].filter(name => entries.includes(name)), ...steps] as CheckpointName[];
}

const stepOf = (name: string) => Number(name.slice('step-'.length));

/** Those of them that can be read, but for `besides`; none where the folder cannot. */
export async function wholeCheckpoints(folder: string, besides?: CheckpointName): Promise<CheckpointName[]> {
  const whole: CheckpointName[] = [];
  for (const name of await checkpointsIn(folder).catch(() => [])) {
    if (name === besides) continue;
    const files = await readCheckpoint(join(folder, 'checkpoints', name)).catch(() => undefined);
    if (files) whole.push(name);
  }
  return whole;
}

/** @throws RunFolderError where a new run would meet another run's results or somebody's files. */
export async function refuseOccupied(folder: string): Promise<void> {
  let entries: string[];
  try {
    entries = await readdir(folder);
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOENT') return;
    throw new RunFolderError(folder, code === 'ENOTDIR' ? 'is no folder' : `cannot be read: ${reasonOf(error)}`, {
      cause: error,
    });
  }
  const found: string[] = [];
  for (const entry of entries) {
    // Folders are made before the configuration is written.
    if (NOTHING.includes(entry) || UNFINISHED.test(entry) || (await isEmptyFolder(folder, entry))) continue;
    found.push(entry);
  }
  if (found.length === 0) return;
  const isRun = await parsedConfig(folder).then(
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

/** Whether a file of a run holds nothing that took any training to get. */
async function isEmptyPart(path: string, name: string): Promise<boolean> {
  if (['config.json', 'env.json', 'choices.json', PICTURE_RECORD, INIT, EVENT_FILE].includes(name)) return true;
  return name === 'metrics.jsonl' && (await stat(path)).size === 0;
}

const isEmptyFolder = async (folder: string, name: string): Promise<boolean> =>
  PARTS.includes(name) && (await readdir(join(folder, name)).catch(() => [name])).length === 0;

/** Removes what a process that died while replacing files left beside them. */
export async function clearUnfinished(folder: string): Promise<void> {
  for (const [place, pattern] of [
    [folder, UNFINISHED],
    [join(folder, 'samples'), UNFINISHED_SAMPLE],
  ] as const) {
    for (const entry of await readdir(place)) {
      if (pattern.test(entry)) await rm(join(place, entry), { force: true });
    }
  }
}

/** What a model card tells of a training, from the run folder that the weights lie in. */
import { basename, dirname, join, resolve } from 'node:path';
import { commandOf } from '../cli/train.ts';
import type { TrainConfig } from '../train/config/config.ts';
import { readEnvironment, readRunConfig } from '../train/run-folder/folder.node.ts';
import { isEvaluation } from '../train/run-folder/metrics.ts';
import { readMetrics } from '../train/run-folder/metrics-log.node.ts';

export interface RunFacts {
  /** The command line that trains this again; folders by their last names. */
  readonly command: string;
  /** What the configuration says beside places and what is written when. */
  readonly settings: readonly string[];
  readonly updates: number;
  /** As many as the run was asked for. */
  readonly planned: number;
  /** Of training, pauses left out. */
  readonly seconds: number | undefined;
  /** All that the run ran on, with processor. */
  readonly adapters: readonly string[];
  /** Commits of the project that trained, "with changes" where there were some. */
  readonly commits: readonly string[];
  readonly date: string | undefined;
  /** The folders of pictures that it learned from, as given. For no eyes but the script's. */
  readonly folders: readonly string[];
}

/** Where the run's pictures lie and when it reports: the command has them, the card need not repeat them. */
const ELSEWHERE = [
  'model',
  'data',
  'out',
  'eval',
  'steps',
  'evalEvery',
  'sampleEvery',
  'saveEvery',
  'keep',
  'logEvery',
];

/** The run that a checkpoint's file belongs to: RUN/checkpoints/NAME/FILE. */
export const runOf = (file: string): string => dirname(dirname(dirname(resolve(file))));

/** A place without the folders above it: a run's checkpoint from the run on, all else by its last name. */
function withoutFolders(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutFolders);
  if (typeof value !== 'string' || !/[\\/]/.test(value)) return value;
  return value.match(/[^\\/]+[\\/]checkpoints[\\/].*$/)?.[0] ?? basename(value);
}

/**
 * The facts of a run after `updates` updates.
 * @throws ConfigError, RunFolderError where the folder holds no run.
 */
export async function runFacts(folder: string, updates: number): Promise<RunFacts> {
  const config = await readRunConfig(folder);
  const entries = Object.entries(config).map(([key, value]) => [key, withoutFolders(value)] as const);
  const environment = await readEnvironment(folder);
  const ranOn = environment ? [environment, ...(environment.resumed ?? [])] : [];
  const steps = (await readMetrics(join(folder, 'metrics.jsonl'))).filter(entry => !isEvaluation(entry));
  const last = steps.findLast(({ step }) => step <= updates);
  return {
    command: commandOf(Object.fromEntries(entries) as TrainConfig),
    settings: entries
      .filter(([key, value]) => !ELSEWHERE.includes(key) && value !== undefined)
      .map(([key, value]) => `\`${key}\` ${JSON.stringify(value)}`),
    updates,
    planned: config.steps,
    seconds: last && 'seconds' in last ? last.seconds : undefined,
    adapters: unique(
      ranOn.map(
        ({ adapter, cpu }) =>
          `${adapter?.description || adapter?.device || 'unknown adapter'} on ${cpu.cores} cores of ${cpu.model}`,
      ),
    ),
    commits: unique(
      ranOn.map(({ commit }) =>
        commit ? `${commit.hash.slice(0, 12)}${commit.changed ? ' with changes' : ''}` : 'no clone',
      ),
    ),
    date: environment?.date.slice(0, 10),
    folders: config.data.map(folder => resolve(folder)),
  };
}

const unique = (texts: readonly string[]): string[] => [...new Set(texts)];

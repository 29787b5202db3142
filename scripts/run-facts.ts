/** The training facts for a model card, from the run folder that contains the weights. */

import { basename, dirname, join, resolve } from 'node:path';
import { commandOf } from '../cli/train-options.ts';
import { adapterName } from '../engine/device/adapter.ts';
import type { TrainConfig } from '../train/config/config.ts';
import { readEnvironment, readRunConfig } from '../train/run-folder/folder.node.ts';
import { isEvaluation } from '../train/run-folder/metrics.ts';
import { readMetrics } from '../train/run-folder/metrics-log.node.ts';

export interface RunFacts {
  /** The command that reproduces the training; paths are reduced to their last component. */
  readonly command: string;
  /** The configuration, without paths and reporting intervals. */
  readonly settings: readonly string[];
  readonly updates: number;
  /** The requested number of updates. */
  readonly planned: number;
  /** Training time, without pauses. */
  readonly seconds: number | undefined;
  /** All adapters that the run used, with processor. */
  readonly adapters: readonly string[];
  /** Commits of the project that trained, with a note on uncommitted changes. */
  readonly commits: readonly string[];
  readonly date: string | undefined;
  /** The folders of training images. For internal use, not for the card. */
  readonly folders: readonly string[];
}

/** Paths and reporting intervals: they are in the command, so the card does not repeat them. */
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

/** The run folder of a checkpoint's file, RUN/checkpoints/NAME/FILE. */
export const runOf = (file: string): string => dirname(dirname(dirname(resolve(file))));

/** A path without parent folders: a checkpoint from its run folder on, anything else by its last component. */
function withoutFolders(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutFolders);
  if (typeof value !== 'string' || !/[\\/]/.test(value)) return value;
  return value.match(/[^\\/]+[\\/]checkpoints[\\/].*$/)?.[0] ?? basename(value);
}

/**
 * The facts of a run after `updates` updates.
 * @throws ConfigError, RunFolderError if the folder is not a run.
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
      ranOn.map(({ adapter, cpu }) => `${adapterName(adapter ?? {})} on ${cpu.cores} cores of ${cpu.model}`),
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

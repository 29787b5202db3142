/**
 * A run's configuration as its config.json holds it: the options as they were given, the version of the options, and
 * where relative paths among them begin, so that a run can be resumed from another folder, moved or copied.
 */
import { existsSync } from 'node:fs';
import { isAbsolute, relative, resolve } from 'node:path';
import * as z from 'zod';
import { ConfigError } from '../errors.ts';
import type { TrainConfig } from './config.ts';
import { CONFIG_VERSION, type StoredOptions } from './migrate.ts';

/** Absolute folders of the session that wrote a config.json. */
const StoredPaths = z.object({
  /** Where relative paths begin: the working directory. */
  relativeTo: z.string().min(1),
  /** The run folder. */
  run: z.string().min(1),
});

type StoredPaths = z.infer<typeof StoredPaths>;

/** Options that name files and folders. The run folder itself is where config.json lies. */
const PATHS = ['data', 'eval', 'init', 'vgg'];
/** Values of these options that are no paths. */
const WORDS = ['synthetic', 'photographs', 'none'];

/** What config.json holds. `folder`: the run folder. */
export function storedConfig(config: TrainConfig, folder: string): Readonly<Record<string, unknown>> {
  const paths: StoredPaths = { relativeTo: process.cwd(), run: resolve(folder) };
  return { version: CONFIG_VERSION, ...config, paths };
}

/**
 * Options of a config.json with paths that lead from the present working directory to what they were meant to name.
 * @param stored the file's `paths`; undefined in files of version 1 and those written by hand: paths stay as they are.
 * @param folder where the file lies now.
 * @param file its path, for messages.
 * @throws ConfigError where `stored` is something else.
 */
export function withPathsMeant(options: StoredOptions, stored: unknown, folder: string, file: string): StoredOptions {
  if (stored === undefined) return options;
  const paths = StoredPaths.safeParse(stored);
  if (!paths.success)
    throw new ConfigError(`${file}: paths: expected {"relativeTo": a folder, "run": a folder}, both absolute`);
  const meant = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(meant);
    return typeof value === 'string' && value !== '' && !WORDS.includes(value)
      ? pathMeant(value, paths.data, folder)
      : value;
  };
  return Object.fromEntries(
    Object.entries(options).map(([key, value]) => [key, PATHS.includes(key) ? meant(value) : value]),
  );
}

/**
 * Where a path leads now: to the same place, or, where nothing is there, to the same place as seen from the run folder
 * (moved together) or from the working directory. What lies within the run folder moves with it. As it was given
 * wherever that leads there, else absolute.
 */
function pathMeant(given: string, { relativeTo, run }: StoredPaths, folder: string): string {
  const [before, fromRun] = [resolve(relativeTo, given), relative(run, resolve(relativeTo, given))];
  const beside = resolve(folder, fromRun);
  const within = !fromRun.startsWith('..') && !isAbsolute(fromRun);
  const candidates = within ? [beside, before] : [before, beside, resolve(given)];
  const found = candidates.find(existsSync) ?? before;
  return resolve(given) === found ? given : found;
}

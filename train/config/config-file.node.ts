/**
 * Configuration files. The config.json of a run holds its options as they were given, the version of the options, and the
 * folders that relative paths refer to, so that a run can be resumed from another folder, moved or copied.
 */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, isAbsolute, relative, resolve } from 'node:path';
import * as z from 'zod';
import { reasonOf } from '../../files/file-error.ts';
import { ConfigError } from '../errors.ts';
import type { ConfigFile, TrainConfig } from './config.ts';
import { flattened } from './dotted-names.ts';
import { CONFIG_VERSION, migrated, type StoredOptions } from './migrate.ts';
import { infoOf, isOption } from './options.ts';

/** Absolute folders of the session that wrote a config.json. */
const StoredFolders = z.object({
  /** The working directory, which relative paths refer to. */
  relativeTo: z.string().min(1),
  /** The run folder. */
  run: z.string().min(1),
});

type StoredFolders = z.infer<typeof StoredFolders>;

/** Values of path options that are not paths. */
const WORDS = ['synthetic', 'photographs', 'none'];

/** The content of a run's config.json. `folder`: the run folder. */
export function storedConfig(config: TrainConfig, folder: string): Readonly<Record<string, unknown>> {
  const paths: StoredFolders = { relativeTo: process.cwd(), run: resolve(folder) };
  return { version: CONFIG_VERSION, ...config, paths };
}

/**
 * Reads options from a JSON object, such as the config.json of a run. Nested options get their full names
 * (`dotted-names.ts`), older versions are migrated (`migrate.ts`), and the paths of a run are resolved. The values are
 * checked later, by `parseConfig`.
 * @throws ConfigError naming the file if it cannot be read, is not a JSON object, or has a newer version.
 */
export async function readConfigFile(path: string): Promise<ConfigFile> {
  const { version, paths, ...tree } = await readJsonObject(path);
  const newest = migrated(flattened(tree, path), version, path);
  return { path, options: withResolvedPaths(newest, paths, path) };
}

async function readJsonObject(path: string): Promise<Record<string, unknown>> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw new ConfigError(`${path}: cannot be read: ${reasonOf(error)}`, undefined, { cause: error });
  }
  let options: unknown;
  try {
    options = JSON.parse(text);
  } catch (error) {
    const problem = error instanceof Error ? error.message.replace(/\s+/g, ' ') : String(error);
    throw new ConfigError(`${path}: not JSON (${problem})`, undefined, { cause: error });
  }
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new ConfigError(`${path}: expected a JSON object of options, such as {"steps": 1000}`);
  }
  return options as Record<string, unknown>;
}

/**
 * The options with paths that are valid from the current working directory.
 * @param stored `paths` of the file; undefined in version 1 and in files written by hand, whose paths are not changed.
 * @param file path of the file.
 * @throws ConfigError if `stored` is invalid.
 */
function withResolvedPaths(options: StoredOptions, stored: unknown, file: string): StoredOptions {
  if (stored === undefined) return options;
  const folders = StoredFolders.safeParse(stored);
  if (!folders.success)
    throw new ConfigError(`${file}: paths: expected {"relativeTo": a folder, "run": a folder}, both absolute`);
  const resolved = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(resolved);
    return typeof value === 'string' && value !== '' && !WORDS.includes(value)
      ? resolvedPath(value, folders.data, dirname(file))
      : value;
  };
  return Object.fromEntries(
    Object.entries(options).map(([key, value]) => [key, isOption(key) && infoOf(key).isPath ? resolved(value) : value]),
  );
}

/**
 * Where a stored path leads now. Tried in this order: the same absolute path; the same path relative to the run folder
 * (both were moved together); the path relative to the working directory. A path inside the run folder is tried relative
 * to the run folder first. Returned as it was given if that is the same place, else absolute.
 */
function resolvedPath(given: string, { relativeTo, run }: StoredFolders, folder: string): string {
  const absolute = resolve(relativeTo, given);
  const fromRun = relative(run, absolute);
  const besideRun = resolve(folder, fromRun);
  const isInRun = !fromRun.startsWith('..') && !isAbsolute(fromRun);
  const candidates = isInRun ? [besideRun, absolute] : [absolute, besideRun, resolve(given)];
  const found = candidates.find(existsSync) ?? absolute;
  return resolve(given) === found ? given : found;
}

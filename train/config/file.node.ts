/** A training configuration in a JSON file. */

import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { reasonOf } from '../../common/files/file-error.ts';
import { ConfigError } from '../errors.ts';
import type { ConfigFile } from './config.ts';
import { migrated } from './migrate.ts';
import { flattened } from './paths.ts';
import { withPathsMeant } from './stored.node.ts';

/**
 * Reads a JSON object of options, as `config.json` of a run folder is one, nested ones by their dotted paths (see
 * `paths.ts`), older versions brought up to date (`migrate.ts`), the paths of a run as they were meant
 * (`stored.node.ts`); `parseConfig` checks the options.
 * @throws ConfigError naming the file where it cannot be read, is not a JSON object, or is of a newer version.
 */
export async function readConfigFile(path: string): Promise<ConfigFile> {
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
  const { version, paths, ...tree } = options as Record<string, unknown>;
  const newest = migrated(flattened(tree, path), version, path);
  return { path, options: withPathsMeant(newest, paths, dirname(path), path) };
}

/** A training configuration in a JSON file. */

import { readFile } from 'node:fs/promises';
import { ConfigError } from '../errors.ts';
import type { ConfigFile } from './config.ts';
import { flattened } from './paths.ts';

/**
 * Reads a JSON object of options, as `config.json` of a run folder is one, nested ones by their dotted paths (see
 * `paths.ts`); `parseConfig` checks them.
 * @throws ConfigError naming the file where it cannot be read or is not a JSON object.
 */
export async function readConfigFile(path: string): Promise<ConfigFile> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    throw new ConfigError(`${path}: cannot be read (${code})`, undefined, { cause: error });
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
  return { path, options: flattened(options as Record<string, unknown>, path) };
}

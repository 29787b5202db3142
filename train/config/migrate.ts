/**
 * Migrations of config.json. A file stores the version of the options that it was written with; older options are
 * converted here and nowhere else.
 *
 * To rename or remove an option: raise CONFIG_VERSION and append a step to MIGRATIONS. Files without a version are either
 * older than versions, or written by hand with current options, so a step must not change options that are up to date.
 */
import { ConfigError } from '../errors.ts';

/** The version that is written. 1: files without a version. 2: adds `version` and `paths` (see `config-file.node.ts`). */
export const CONFIG_VERSION = 2;

/** The options in a file, by name. */
export type StoredOptions = Readonly<Record<string, unknown>>;

/** Converts the options of one version to the next. */
export type Migration = (options: StoredOptions) => StoredOptions;

/** The step from version 1 to 2, from 2 to 3 and so on. */
export const MIGRATIONS: readonly Migration[] = [
  // No option changed.
  options => options,
];

/** A migration that renames an option. If a file already has the new name, that value is kept. */
export function renamed(from: string, to: string): Migration {
  return options => {
    if (!(from in options)) return options;
    const { [from]: value, ...rest } = options;
    return to in rest ? rest : { ...rest, [to]: value };
  };
}

/**
 * Converts the options of a file of any version to the newest version.
 * @param version of the file; undefined counts as 1.
 * @param path of the file, for messages.
 * @throws ConfigError if the version is invalid or newer than this program.
 */
export function migrated(
  options: StoredOptions,
  version: unknown,
  path: string,
  migrations: readonly Migration[] = MIGRATIONS,
): StoredOptions {
  const newest = migrations.length + 1;
  const from = version ?? 1;
  if (typeof from !== 'number' || !Number.isInteger(from) || from < 1)
    throw new ConfigError(`${path}: version: expected an integer from 1 to ${newest}, got ${JSON.stringify(from)}`);
  if (from > newest)
    throw new ConfigError(
      `${path}: written by a newer Daybreak (options of version ${from}; this program reads up to version ${newest})`,
    );
  return migrations.slice(from - 1).reduce((all, migrate) => migrate(all), options);
}

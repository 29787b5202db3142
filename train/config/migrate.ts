/**
 * Versions of config.json. A file says with which version of the options it was written; options of older versions are
 * brought up to date here, and nowhere else.
 *
 * To rename or remove an option: raise CONFIG_VERSION and append a step to MIGRATIONS. Files without a version were
 * written before there was one, or by hand with today's options, so a step must leave alone what is up to date already.
 */
import { ConfigError } from '../errors.ts';

/** The version that is written. 1: runs before files had a version. 2: `version` and `paths` (see `stored.node.ts`). */
export const CONFIG_VERSION = 2;

/** Options by their names, as a file has them. */
export type StoredOptions = Readonly<Record<string, unknown>>;

/** From one version of the options to the next. */
export type Migration = (options: StoredOptions) => StoredOptions;

/** The step from version 1 to 2, from 2 to 3 and so on. */
export const MIGRATIONS: readonly Migration[] = [
  // Options stayed as they were.
  options => options,
];

/** A migration that renames an option. A file that has the new name already keeps that. */
export function renamed(from: string, to: string): Migration {
  return options => {
    if (!(from in options)) return options;
    const { [from]: value, ...rest } = options;
    return to in rest ? rest : { ...rest, [to]: value };
  };
}

/**
 * Options of a file of any version, as the newest version has them.
 * @param version the file's; undefined counts as 1.
 * @param path of the file, for messages.
 * @throws ConfigError for a version that is no number of one, or newer than this program knows.
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
    throw new ConfigError(`${path}: version: given ${JSON.stringify(from)}, expected an integer from 1 to ${newest}`);
  if (from > newest)
    throw new ConfigError(
      `${path}: written by a newer Daybreak (version ${from} of the options; this one reads up to ${newest})`,
    );
  return migrations.slice(from - 1).reduce((all, migrate) => migrate(all), options);
}

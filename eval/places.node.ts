/** Resolves real paths, to detect different names of one file. */

import { realpath } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';

/** A path without links, also if it does not exist yet. */
export async function placeOf(path: string): Promise<string> {
  return await realpath(path).catch(() => resolve(path));
}

/** Windows and macOS ignore case. */
const keyOf = (place: string) =>
  process.platform === 'win32' || process.platform === 'darwin' ? place.toLowerCase().normalize() : place;

/** Keys that are equal for paths to the same place, through any links. Each folder is resolved once. */
export class Places {
  readonly #folders = new Map<string, Promise<string>>();

  /** The key of a directory entry. If it is a link, renaming a file to it replaces the link. */
  async ofName(path: string): Promise<string> {
    const whole = resolve(path);
    const folder = dirname(whole);
    const place = this.#folders.get(folder) ?? placeOf(folder);
    this.#folders.set(folder, place);
    return keyOf(join(await place, basename(whole)));
  }

  /** The key of the file that a name leads to, or of the name if there is no file. */
  async ofFile(path: string): Promise<string> {
    const file = await realpath(path).catch(() => undefined);
    return file === undefined ? await this.ofName(path) : keyOf(file);
  }
}

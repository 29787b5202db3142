/** Where files really lie: the paths by which two names of one file are known to be the same. */

import { realpath } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';

/** A path's place without links, also where nothing lies there yet. */
export async function placeOf(path: string): Promise<string> {
  return await realpath(path).catch(() => resolve(path));
}

/** On Windows and macOS case makes no difference. */
const keyOf = (place: string) =>
  process.platform === 'win32' || process.platform === 'darwin' ? place.toLowerCase().normalize() : place;

/** Keys that are equal where paths lead to one place, by whatever links. Each folder is looked up once. */
export class Places {
  readonly #folders = new Map<string, Promise<string>>();

  /** Of a name in a folder: what is there may itself be a link, which a file that is renamed to it replaces. */
  async ofName(path: string): Promise<string> {
    const whole = resolve(path);
    const folder = dirname(whole);
    const place = this.#folders.get(folder) ?? placeOf(folder);
    this.#folders.set(folder, place);
    return keyOf(join(await place, basename(whole)));
  }

  /** Of the file that a name leads to; where there is none, of the name. */
  async ofFile(path: string): Promise<string> {
    const file = await realpath(path).catch(() => undefined);
    return file === undefined ? await this.ofName(path) : keyOf(file);
  }
}

/** Resolves links in paths, to recognize different names of one file and results outside of their folder. */

import { realpath } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { printable } from '../common/text.ts';

/** A path without links, also if it does not exist yet. */
export async function realPathOf(path: string): Promise<string> {
  return await realpath(path).catch(() => resolve(path));
}

/** Windows and macOS ignore case. */
const keyOf = (path: string) =>
  process.platform === 'win32' || process.platform === 'darwin' ? path.toLowerCase().normalize() : path;

/** Keys that are equal for paths to the same file, through any links. Each folder is resolved once. */
export class PathKeys {
  readonly #folders = new Map<string, Promise<string>>();

  /** The key of a directory entry. If it is a link, renaming a file to it replaces the link. */
  async ofName(path: string): Promise<string> {
    const whole = resolve(path);
    const folder = dirname(whole);
    const real = this.#folders.get(folder) ?? realPathOf(folder);
    this.#folders.set(folder, real);
    return keyOf(join(await real, basename(whole)));
  }

  /** The key of the file that a name leads to, or of the name if there is no file. */
  async ofFile(path: string): Promise<string> {
    const file = await realpath(path).catch(() => undefined);
    return file === undefined ? await this.ofName(path) : keyOf(file);
  }
}

/** Checks that real paths stay inside a folder: links in an output folder may lead out of it. */
export class OutputFolder {
  readonly #folder: string;
  readonly #problems = new Map<string, Promise<string | undefined>>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** A message if a link leads the path out of the folder, otherwise undefined. Each folder is checked once. */
  async problem(path: string): Promise<string | undefined> {
    const folder = dirname(path);
    const problem = this.#problems.get(folder) ?? this.#check(folder);
    this.#problems.set(folder, problem);
    return await problem;
  }

  async #check(folder: string): Promise<string | undefined> {
    const below = relative(this.#folder, folder);
    if (!isInside(below)) return undefined;
    const root = await realPathOf(this.#folder);
    let path = this.#folder;
    for (const name of below.split(sep)) {
      path = join(path, name);
      const real = await realpath(path).catch(() => undefined);
      if (real === undefined) return undefined;
      if (!isInside(relative(root, real)))
        return `its result would be outside of ${printable(this.#folder)}: ${printable(path)} is a link`;
    }
    return undefined;
  }
}

/** True for relative paths that lead from a folder to something inside it, at any depth. */
const isInside = (way: string) => way !== '' && way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);

/** Writes files atomically: after a crash of the process or the machine, a file is complete or absent. */

import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { codeOf, unwritable } from './file-error.ts';
import { makeFolder } from './make-folder.node.ts';
import { temporaryPath } from './temporary.node.ts';

/**
 * Writes a temporary file and renames it: readers of `path` see the old content or the new, never a part. Creates the
 * folder if needed.
 * @throws FileError if it cannot be written; the old content stays.
 */
export async function writeAtomically(path: string, content: Uint8Array | string): Promise<void> {
  await using file = await GrowingFile.create(path);
  await file.append(content);
  await file.finish();
}

/**
 * A file that is written piece by piece, as atomically as by `writeAtomically`: it replaces the one at `path` when it is
 * finished. Disposing of it before removes what was written.
 */
export class GrowingFile implements AsyncDisposable {
  readonly path: string;
  readonly #temporary: string;
  readonly #handle: FileHandle;
  #renamed = false;

  private constructor(path: string, temporary: string, handle: FileHandle) {
    this.path = path;
    this.#temporary = temporary;
    this.#handle = handle;
  }

  /** Creates the folder if needed. @throws FileError if that or a file in it cannot be written. */
  static async create(path: string): Promise<GrowingFile> {
    const temporary = temporaryPath(path);
    try {
      await makeFolder(dirname(path));
      return new GrowingFile(path, temporary, await open(temporary, 'wx'));
    } catch (error) {
      throw unwritable(path, error);
    }
  }

  /** @throws FileError if it cannot be written. */
  async append(content: Uint8Array | string): Promise<void> {
    try {
      await this.#handle.writeFile(content);
    } catch (error) {
      throw unwritable(this.path, error);
    }
  }

  /** Syncs the file to disk and gives it its name. @throws FileError if that fails. */
  async finish(): Promise<void> {
    try {
      await this.#handle.sync();
      await this.#handle.close();
      await rename(this.#temporary, this.path);
      this.#renamed = true;
      await syncFolder(dirname(this.path));
    } catch (error) {
      throw unwritable(this.path, error);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#renamed) return;
    await this.#handle.close().catch(() => undefined);
    await rm(this.#temporary, { force: true }).catch(() => undefined);
  }
}

/** Creates a file and syncs it to disk. @throws the system's error, also if the file exists. */
export async function writeSynced(path: string, content: Uint8Array | string): Promise<void> {
  const file = await open(path, 'wx');
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Syncs the names in a folder to disk. Does nothing on systems that cannot sync folders (Windows). */
export async function syncFolder(path: string): Promise<void> {
  try {
    const folder = await open(path, 'r');
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  } catch (error) {
    if (!['EPERM', 'EISDIR', 'EINVAL', 'EACCES', 'ENOTSUP'].includes(codeOf(error))) throw error;
  }
}

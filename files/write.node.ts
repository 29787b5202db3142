/** Writes files atomically: after a crash of the process or the machine, a file is complete or absent. */

import { open, rename, rm } from 'node:fs/promises';
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
  const temporary = temporaryPath(path);
  try {
    await makeFolder(dirname(path));
    await writeSynced(temporary, content);
    await rename(temporary, path);
    await syncFolder(dirname(path));
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw unwritable(path, error);
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

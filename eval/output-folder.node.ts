/** Checks that a folder is writable before any work is done. */

import { open, rm, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { unwritable } from '../image/files.node.ts';
import { Leftovers, unfinishedPath } from '../image/unfinished.node.ts';

/**
 * Writes a byte to the folder, or to its nearest existing parent, and removes it. Creates no folder.
 * @throws ImageError if that fails: no permission, a file in its place, a full disk.
 */
export async function checkFolder(folder: string): Promise<void> {
  try {
    const path = join(await nearest(resolve(folder)), 'daybreak-probe');
    // Left behind by a process that was killed before removing it.
    await new Leftovers().clear(path);
    const probe = unfinishedPath(path);
    const file = await open(probe, 'wx');
    try {
      await file.writeFile('.');
    } finally {
      await file.close();
      await rm(probe, { force: true });
    }
  } catch (error) {
    throw unwritable(folder, error);
  }
}

/** The path itself, or its nearest existing parent. */
async function nearest(folder: string): Promise<string> {
  try {
    await stat(folder);
    return folder;
  } catch (error) {
    const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    if (!missing || dirname(folder) === folder) throw error;
    return await nearest(dirname(folder));
  }
}

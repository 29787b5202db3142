/** Whether results can be written to a folder, known before any work is done. */

import { open, rm, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { unwritable } from '../image/files.node.ts';
import { Leftovers, unfinishedPath } from '../image/unfinished.node.ts';

/**
 * Writes a byte to the folder, or to the nearest one above it that is there, and removes it. No folder is made.
 * @throws ImageError where that fails: a folder without permission, a file in its place, a full disk.
 */
export async function checkFolder(folder: string): Promise<void> {
  try {
    const path = join(await nearest(resolve(folder)), 'daybreak-probe');
    // A process that was killed between writing and removing it left it.
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

/** A folder, or the first above it that exists, whatever that is. */
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

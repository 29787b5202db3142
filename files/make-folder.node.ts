/**
 * Creates folders with missing parents. Node's `mkdir(path, { recursive: true })` never returns if the system reports
 * ENOENT for a folder whose parent exists, as below `/proc`, and it reports ENOENT on a read-only file system.
 */

import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { codeOf } from './file-error.ts';

/**
 * Creates a folder and its missing parents. Does nothing if it exists.
 * @throws the system's error: ENOTDIR or EEXIST if a file is in the way, EROFS, EACCES, ENOENT below `/proc`.
 */
export async function makeFolder(path: string): Promise<void> {
  const missing: string[] = [];
  for (let folder = path; !(await isFolder(folder)); folder = dirname(folder)) missing.unshift(folder);
  for (const folder of missing) {
    await mkdir(folder).catch(async error => {
      // Another process may have created it meanwhile.
      if (codeOf(error) !== 'EEXIST' || !(await isFolder(folder))) throw error;
    });
  }
}

/**
 * False for a missing path, and for a file, where creating the folder then fails.
 * @throws the system's error for other problems, and at the root.
 */
async function isFolder(path: string): Promise<boolean> {
  const isRoot = dirname(path) === path;
  try {
    return (await stat(path)).isDirectory() || isRoot;
  } catch (error) {
    if (codeOf(error) !== 'ENOENT' || isRoot) throw error;
    return false;
  }
}

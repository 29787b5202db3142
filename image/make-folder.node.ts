/**
 * Creates folders with missing parents. Node's `mkdir(path, { recursive: true })` never returns if the system reports
 * ENOENT for a folder whose parent exists, as below `/proc`, and it reports ENOENT on a read-only file system.
 */

import { mkdirSync, statSync } from 'node:fs';
import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { codeOf } from './disk.node.ts';

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

/** Synchronous `makeFolder`. */
export function makeFolderSync(path: string): void {
  const missing: string[] = [];
  for (let folder = path; !isFolderSync(folder); folder = dirname(folder)) missing.unshift(folder);
  for (const folder of missing) {
    try {
      mkdirSync(folder);
    } catch (error) {
      if (codeOf(error) !== 'EEXIST' || !isFolderSync(folder)) throw error;
    }
  }
}

/** False for a missing path, and for a file, where creating the folder then fails. */
async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory() || isTop(path);
  } catch (error) {
    return absent(path, error);
  }
}

function isFolderSync(path: string): boolean {
  try {
    return statSync(path).isDirectory() || isTop(path);
  } catch (error) {
    return absent(path, error);
  }
}

const isTop = (path: string) => dirname(path) === path;

/** False if the error means a missing path. @throws the error otherwise, or at the root. */
function absent(path: string, error: unknown): false {
  if (codeOf(error) !== 'ENOENT' || isTop(path)) throw error;
  return false;
}

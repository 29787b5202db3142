/**
 * Folders with all that is missing above them. Node's own `mkdir(path, { recursive: true })` never returns where the
 * system answers ENOENT for a folder whose parent is there, as below `/proc`, and says ENOENT on a read-only file system.
 */

import { mkdirSync, statSync } from 'node:fs';
import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { codeOf } from './disk.node.ts';

/**
 * Makes a folder, and those above it that are missing; does nothing where it is there.
 * @throws the system's error: ENOTDIR or EEXIST where a file is in the way, EROFS, EACCES, ENOENT below `/proc`.
 */
export async function makeFolder(path: string): Promise<void> {
  const missing: string[] = [];
  for (let folder = path; !(await isFolder(folder)); folder = dirname(folder)) missing.unshift(folder);
  for (const folder of missing) {
    await mkdir(folder).catch(async error => {
      // Somebody else made it meanwhile.
      if (codeOf(error) !== 'EEXIST' || !(await isFolder(folder))) throw error;
    });
  }
}

/** `makeFolder`, done when it returns. */
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

/** False where nothing is there; a file counts as nothing, and making a folder in its place fails. */
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

/** False for a path where nothing is. @throws the error where that is not what it says, or nothing lies above. */
function absent(path: string, error: unknown): false {
  if (codeOf(error) !== 'ENOENT' || isTop(path)) throw error;
  return false;
}

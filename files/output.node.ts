/** Checks that results can be written before any work is done, and writes text files. */

import { appendFile, open, rm, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { codeOf, FileError, unwritable } from './file-error.ts';
import { Leftovers, temporaryPath } from './temporary.node.ts';
import { writeAtomically } from './write.node.ts';

/**
 * Writes a byte to the folder, or to its nearest existing parent, and removes it. Creates no folder.
 * @throws FileError if that fails: no permission, a file in its place, a full disk.
 */
export async function checkFolder(folder: string): Promise<void> {
  try {
    const path = join(await nearest(resolve(folder)), 'daybreak-probe');
    // Left behind by a process that was killed before removing it.
    await new Leftovers().clear(path);
    const probe = temporaryPath(path);
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
    if (codeOf(error) !== 'ENOENT' || dirname(folder) === folder) throw error;
    return await nearest(dirname(folder));
  }
}

/**
 * Checks that a file can be written, by `checkFolder` on its folder.
 * @throws FileError if it cannot, or if the path is a folder.
 */
export async function checkFile(path: string): Promise<void> {
  const state = await stateOf(path);
  if (state?.isDirectory()) throw unwritable(path, Object.assign(new Error(), { code: 'EISDIR' }));
  if (isStream(path, state)) return;
  try {
    await checkFolder(dirname(resolve(path)));
  } catch (error) {
    throw unwritable(path, error instanceof FileError ? error.cause : error);
  }
}

/**
 * Writes a text file atomically. Creates its folder if needed. Pipes and devices such as `/dev/stdout` are written
 * directly.
 * @throws FileError if it cannot be written.
 */
export async function writeText(path: string, text: string): Promise<void> {
  if (!isStream(path, await stateOf(path))) return await writeAtomically(path, text);
  try {
    await appendFile(path, text);
  } catch (error) {
    throw unwritable(path, error);
  }
}

type State = Awaited<ReturnType<typeof stat>>;

async function stateOf(path: string): Promise<State | undefined> {
  return await stat(path).catch(error => {
    // An invalid name is invalid for writing, too.
    if (codeOf(error) === 'ENAMETOOLONG') throw unwritable(path, error);
    return undefined;
  });
}

/** True for pipes and devices. `/dev/stdout` may lead to a file, but is not one. */
const isStream = (path: string, state: State | undefined) =>
  state !== undefined && (!state.isFile() || /^\/(dev|proc)\//.test(resolve(path)));

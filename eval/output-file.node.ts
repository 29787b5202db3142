/** Checks that a result file is writable before any work is done, and writes it. */

import { appendFile, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { codeOf } from '../image/disk.node.ts';
import { ImageError } from '../image/errors.ts';
import { unwritable, writeAtomically } from '../image/files.node.ts';
import { checkFolder } from './output-folder.node.ts';

/**
 * Writes a byte to the file's folder, or to its nearest existing parent, and removes it.
 * @throws ImageError if that fails or the path is a folder.
 */
export async function checkFile(path: string): Promise<void> {
  const state = await stateOf(path);
  if (state?.isDirectory()) throw unwritable(path, Object.assign(new Error(), { code: 'EISDIR' }));
  if (isStream(path, state)) return;
  try {
    await checkFolder(dirname(resolve(path)));
  } catch (error) {
    throw unwritable(path, error instanceof ImageError ? error.cause : error);
  }
}

/**
 * Writes a text file atomically. Creates its folder if needed. Pipes and devices such as `/dev/stdout` are written
 * directly.
 * @throws ImageError if it cannot be written.
 */
export async function writeText(path: string, text: string): Promise<void> {
  if (!isStream(path, await stateOf(path))) return await writeAtomically(path, Buffer.from(text));
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

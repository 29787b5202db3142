/** One file of results: known to be writable before any work is done, and written when it is. */

import { appendFile, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { codeOf } from '../image/disk.node.ts';
import { ImageError } from '../image/errors.ts';
import { unwritable, writeAtomically } from '../image/files.node.ts';
import { checkFolder } from './output-folder.node.ts';

/**
 * Writes a byte to where the file is to lie, or to the nearest folder above that is there, and removes it.
 * @throws ImageError naming the file where it is a folder, or where that fails.
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
 * Writes a file of text, whole or not at all, making its folder if need be. Pipes and devices, `/dev/stdout`, are written
 * to and stay what they are.
 * @throws ImageError where it cannot be written.
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
    // What is wrong with a name is wrong with it for writing too.
    if (codeOf(error) === 'ENAMETOOLONG') throw unwritable(path, error);
    return undefined;
  });
}

/** Whether bytes go somewhere else than into a file of this name: `/dev/stdout` may lead to a file, but is none. */
const isStream = (path: string, state: State | undefined) =>
  state !== undefined && (!state.isFile() || /^\/(dev|proc)\//.test(resolve(path)));

/** Files of a run folder, replaced atomically. */

import { FileError } from '../../files/file-error.ts';
import { writeAtomically } from '../../files/write.node.ts';
import { RunFolderError } from '../errors.ts';

/** {@link writeAtomically} for files of a run. @throws RunFolderError if it cannot be written; the old content stays. */
export async function replaceFile(path: string, content: Uint8Array | string): Promise<void> {
  try {
    await writeAtomically(path, content);
  } catch (error) {
    throw error instanceof FileError ? new RunFolderError(path, error.reason, { cause: error.cause }) : error;
  }
}

/** Files that are there whole or not at all, whenever the process or the machine stops. */

import { randomUUID } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { codeOf, meaningOf, writeSynced } from '../image/disk.node.ts';
import { makeFolder } from '../image/make-folder.node.ts';
import { RunFolderError } from './errors.ts';

export { codeOf, writeSynced } from '../image/disk.node.ts';

/** Why a file could not be read or written, for people: "the disk is full (ENOSPC)". */
export function reasonOf(error: unknown): string {
  const code = codeOf(error);
  const reason = meaningOf(code);
  return reason ? `${reason} (${code})` : code;
}

/** Waits until the disk has the names in a folder. Where the system knows no such thing (Windows), does nothing. */
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

/**
 * Replaces a file: whoever reads `path` finds the old content or the new. Makes its folder if need be.
 * @throws RunFolderError naming the file; what was there before stays.
 */
export async function replaceFile(path: string, content: Uint8Array | string): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.${randomUUID()}.tmp`);
  try {
    await makeFolder(dirname(path));
    await writeSynced(temporary, typeof content === 'string' ? new TextEncoder().encode(content) : content);
    await rename(temporary, path);
    await syncFolder(dirname(path));
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw new RunFolderError(path, `cannot be written: ${reasonOf(error)}`, { cause: error });
  }
}

/** `value` as indented JSON with a final newline. */
export function jsonText(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}

/** Files that are there whole or not at all, whenever the process or the machine stops. */

import { randomUUID } from 'node:crypto';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { RunFolderError } from './errors.ts';

/** "ENOENT" and its kin, or the message where an error has no code. */
export function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return 'code' in error ? String(error.code) : error.message;
}

const REASONS: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EFBIG: 'the limit for the size of a file is reached',
  EROFS: 'the file system is read-only',
  EACCES: 'no permission',
  EPERM: 'not permitted',
  EIO: 'the disk failed',
  EEXIST: 'a file is in the way',
  ENOTDIR: 'something on the way is no folder',
  EISDIR: 'it is a folder',
  ENOENT: 'it is missing',
};

/** Why a file could not be read or written, for people: "the disk is full (ENOSPC)". */
export function reasonOf(error: unknown): string {
  const code = codeOf(error);
  const reason = REASONS[code];
  return reason ? `${reason} (${code})` : code;
}

/** Writes a new file and waits until the disk has its bytes. */
export async function writeSynced(path: string, bytes: Uint8Array): Promise<void> {
  const file = await open(path, 'wx');
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
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
    await mkdir(dirname(path), { recursive: true });
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

/** System error codes as text, and writes that are synced to disk. */

import { open } from 'node:fs/promises';

/** The error's code, such as "ENOENT", or its message if it has none. */
export function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return 'code' in error ? String(error.code) : error.message;
}

const MEANINGS: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EFBIG: 'the limit for the size of a file is reached',
  EROFS: 'the file system is read-only',
  EACCES: 'no permission',
  EPERM: 'not permitted',
  EIO: 'the disk failed',
  EEXIST: 'a file is in the way',
  ENOTDIR: 'a parent is not a folder',
  EISDIR: 'it is a folder',
  ENOENT: 'it is missing',
  ENAMETOOLONG: 'its name is too long for the file system',
};

/** A readable meaning of a code; undefined for rare ones. */
export const meaningOf = (code: string): string | undefined => MEANINGS[code];

/** Writes a new file and syncs it to disk. */
export async function writeSynced(path: string, bytes: Uint8Array): Promise<void> {
  const file = await open(path, 'wx');
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

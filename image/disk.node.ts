/** What the system says where a file cannot be read or written, and bytes that the disk really has. */

import { open } from 'node:fs/promises';

/** "ENOENT" and its kin, or the message where an error has no code. */
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
  ENOTDIR: 'something on the way is no folder',
  EISDIR: 'it is a folder',
  ENOENT: 'it is missing',
  ENAMETOOLONG: 'its name is too long for the file system',
};

/** What a code means, for people; undefined for those that few ever see. */
export const meaningOf = (code: string): string | undefined => MEANINGS[code];

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

/** Errors of files, and system error codes as text. */

import { DaybreakError } from '../common/errors.ts';
import { printable } from '../common/text.ts';

/** A file or folder cannot be read or written. The message is one line: the printable `path`, then `reason`. */
export class FileError extends DaybreakError {
  static override readonly name: string = 'FileError';
  static override readonly code: string = 'DAYBREAK_FILE';
  readonly path: string;
  readonly reason: string;
  constructor(path: string, reason: string, options?: ErrorOptions) {
    super(`${printable(path)}: ${reason}`, options);
    this.path = path;
    this.reason = reason;
  }
}

/** The FileError for a system error while writing: "PATH: cannot be written: the disk is full (ENOSPC)". */
export function unwritable(path: string, error: unknown): FileError {
  return new FileError(path, `cannot be written: ${reasonOf(error)}`, { cause: error });
}

/** The system's code of an error, such as "ENOENT", or its message if it has none. */
export function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return 'code' in error && !(error instanceof DaybreakError) ? String(error.code) : error.message;
}

const MEANINGS: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EFBIG: 'the file size limit is reached',
  EROFS: 'the file system is read-only',
  EACCES: 'no permission',
  EPERM: 'not permitted',
  EIO: 'the disk failed',
  EEXIST: 'a file is in the way',
  ENOTDIR: 'a parent is not a folder',
  EISDIR: 'it is a folder',
  ENOENT: 'no such file or folder',
  ENAMETOOLONG: 'its name is too long for the file system',
};

/** Why a file cannot be read or written: "the disk is full (ENOSPC)". Rare codes stand alone. */
export function reasonOf(error: unknown): string {
  const code = codeOf(error);
  const meaning = MEANINGS[code];
  return meaning === undefined ? code : `${meaning} (${code})`;
}

/** Errors of opinion tests. */

import { DaybreakError } from '../common/errors.ts';
import { FileError } from '../files/file-error.ts';

/** A study cannot be prepared, opened or read. The message begins with `path`: its folder, or the file at fault. */
export class StudyError extends FileError {
  static override readonly name: string = 'StudyError';
  static override readonly code: string = 'DAYBREAK_STUDY';
}

/**
 * A rater's request is refused. Nothing was changed.
 * - `invalid`: malformed, for instance a score of 7
 * - `conflict`: not possible now, for instance a picture that is already rated
 */
export class RefusedError extends DaybreakError {
  static override readonly name: string = 'RefusedError';
  static override readonly code: string = 'DAYBREAK_REFUSED';
  readonly kind: 'invalid' | 'conflict';
  constructor(kind: 'invalid' | 'conflict', message: string) {
    super(message);
    this.kind = kind;
  }
}

/** The base of all errors, and the message of any thrown value. */

import './symbol-dispose.ts';

/**
 * Base of all errors thrown by Daybreak; `cause` carries the underlying error where there is one. Each class states its `name` and
 * `code` as literals, which minifiers keep. Structured clones lose both, as those of every error do, except for the name at the
 * start of `stack`.
 *
 *     if (error instanceof Error && 'code' in error && error.code === 'DAYBREAK_OUT_OF_MEMORY') …
 */
export class DaybreakError extends Error {
  /** The class's name. Subclasses outside Daybreak may leave it to JavaScript. */
  static override readonly name: string = 'DaybreakError';
  /** The `code` of errors of this class. Subclasses inherit it unless they state one. */
  static readonly code: string = 'DAYBREAK_ERROR';
  /** Names the kind of error, in all versions: "DAYBREAK_SHAPE". docs/errors.md lists them. */
  readonly code: string;
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = new.target.code;
  }

  /** The class's name. A getter, so that `stack` begins with it. */
  override get name(): string {
    return (this.constructor as typeof DaybreakError).name;
  }
}

/** The message of any thrown value. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The base of all errors, and the message of any thrown value. */

import './symbol-dispose.ts';

/** Base of all errors thrown by Daybreak; `cause` carries the underlying error where there is one. */
export class DaybreakError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** The message of any thrown value. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Errors of methods/. */

import { DaybreakError } from '../common/errors.ts';

/** A thread that computes for a method has stopped. One line. */
export class ThreadError extends DaybreakError {
  static override readonly name: string = 'ThreadError';
  static override readonly code: string = 'DAYBREAK_THREAD';
}

/** A method cannot run as it was asked to, or a dictionary cannot be made. One line. */
export class MethodError extends DaybreakError {
  static override readonly name: string = 'MethodError';
  static override readonly code: string = 'DAYBREAK_METHOD';
}

/** Errors of eval/. All except FullDiskError concern one picture. */

import { DaybreakError } from '../engine/basics/errors.ts';

/** No tile fits into the memory budget or the GPU. */
export class TileError extends DaybreakError {
  static override readonly name: string = 'TileError';
  static override readonly code: string = 'DAYBREAK_TILE';
}

/** A network's output is invalid: not finite, or of one colour for a picture with many. */
export class ResultError extends DaybreakError {
  static override readonly name: string = 'ResultError';
  static override readonly code: string = 'DAYBREAK_RESULT';
}

/** The output disk is full or read-only: the rest of the batch would fail, too. */
export class FullDiskError extends DaybreakError {
  static override readonly name: string = 'FullDiskError';
  static override readonly code: string = 'DAYBREAK_FULL_DISK';
}

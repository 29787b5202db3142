/** Failures of this room; all but those of a full disk concern one picture. */

import { DaybreakError } from '../engine/basics/errors.ts';

/** No tile fits: neither into the memory budget nor into what the GPU has. */
export class TileError extends DaybreakError {}

/** A network gave something else than a picture: numbers that are not finite, or one colour for a picture that has many. */
export class ResultError extends DaybreakError {}

/** The place of the results takes no more of them: the rest of a batch would only fail too. */
export class FullDiskError extends DaybreakError {}

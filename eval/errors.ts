/** Failures of this room, each of which concerns one picture. */

import { DaybreakError } from '../engine/errors.ts';

/** No tile fits: neither into the memory budget nor into what the GPU has. */
export class TileError extends DaybreakError {}

/** A network gave something else than a picture: numbers that are not finite, or one colour for a picture that has many. */
export class ResultError extends DaybreakError {}

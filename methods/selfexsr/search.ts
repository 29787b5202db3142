/** Random search: each patch tries source patches near its own, at shrinking distances. */

import type { Pass } from '../passes.ts';
import { type Field, isWithin, patchesAlong, STRIDE } from './field.ts';
import { Candidates, type Match } from './patch-cost.ts';
import { PlaceRandom } from './place-random.ts';
import { LEVELS_PER_OCTAVE, RADIUS } from './settings.ts';

/** Full widths of the first ranges of relative scale, rotation (radians) and shear. The t-th try has 1/t of them. */
const SCALE_RANGE = 1;
const ROTATION_RANGE = Math.PI / 4;
const SHEAR_RANGE = 0.05;

/** Source patches are at least one level and at most 8 times as large; squared. */
const SMALLEST_AREA = 2 ** (2 / LEVELS_PER_OCTAVE);
const LARGEST_AREA = 8 ** 2;

/** Tries of each patch in one pass: within 1/8, 1/16 … of the longer side, down to half a pixel. */
export const triesFor = (width: number, height: number): number =>
  Math.max(0, Math.ceil(Math.log2(Math.max(width, height) / 4)));

/** More than the tries of any pass. */
const MOST_TRIES = 32;

interface Search extends Match {
  /** Of this level and iteration. */
  readonly key: number;
}

/**
 * Adds the t-th try of a patch, t from 2: within longest / 2^(t + 1) of its place, and changed by scale · Rot · Shear. Not
 * if it lies too near an edge, or its scale is not allowed.
 */
function addTry(candidates: Candidates, field: Field, at: number, t: number, random: PlaceRandom): void {
  random.moveTo(at * MOST_TRIES + t);
  const { transforms } = field;
  const own = at * STRIDE;
  const tried = candidates.transforms;
  const to = candidates.count * STRIDE;
  const range = Math.max(field.width, field.height) / 2 ** t;
  tried[to + 4] = transforms[own + 4] + range * random.next();
  tried[to + 5] = transforms[own + 5] + range * random.next();
  if (!isWithin(tried, to, field)) return;
  const scale = 1 + (SCALE_RANGE / t) * random.next();
  const angle = (ROTATION_RANGE / t) * random.next();
  const shearX = (SHEAR_RANGE / t) * random.next();
  const shearY = (SHEAR_RANGE / t) * random.next();
  // Angles are below 0.2, where these polynomials are exact to 10 digits, and give the same bits everywhere.
  const square = angle * angle;
  const sin = angle * (1 - (square / 6) * (1 - (square / 20) * (1 - square / 42)));
  const cos = 1 - (square / 2) * (1 - (square / 12) * (1 - square / 30));
  const xx = scale * (cos - sin * shearY);
  const yx = scale * (sin + cos * shearY);
  const xy = scale * (cos * shearX - sin);
  const yy = scale * (sin * shearX + cos);
  const a = transforms[own];
  const b = transforms[own + 1];
  const c = transforms[own + 2];
  const d = transforms[own + 3];
  tried[to] = xx * a + xy * b;
  tried[to + 1] = yx * a + yy * b;
  tried[to + 2] = xx * c + xy * d;
  tried[to + 3] = yx * c + yy * d;
  const area = Math.abs(tried[to] * tried[to + 3] - tried[to + 1] * tried[to + 2]);
  if (area >= SMALLEST_AREA && area <= LARGEST_AREA) candidates.places[candidates.count++] = at;
}

/** Items: rows of patches. Sets `changed` for patches that have changed, and clears it for the others. */
export const SEARCH: Pass<Search> = {
  name: 'selfexsr search',
  work(search, from, to) {
    const { field, key } = search;
    const { width, height, changed } = field;
    const candidates = new Candidates(search, patchesAlong(width));
    const random = new PlaceRandom(key);
    const tries = triesFor(width, height);
    for (let y = RADIUS + from; y < RADIUS + to; y++) {
      changed.fill(0, y * width, (y + 1) * width);
      for (let t = 2; t < tries + 2; t++) {
        for (let at = y * width + RADIUS; at < (y + 1) * width - RADIUS; at++) addTry(candidates, field, at, t, random);
        candidates.tryAll();
      }
    }
  },
};

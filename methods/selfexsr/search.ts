/** Random search: each patch tries source patches near its own, at shrinking distances. */

import type { Pass } from '../passes.ts';
import { type Field, isWithin, STRIDE } from './field.ts';
import { type Match, PatchCost } from './patch-cost.ts';
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

interface Search extends Match {
  /** Of this level and iteration. */
  readonly key: number;
}

/** The t-th try, t from 2, for the transform at `own`: within longest / 2^(t + 1), and changed by scale · Rot · Shear. */
function draw(
  candidate: Float32Array,
  transforms: Float32Array,
  own: number,
  longest: number,
  t: number,
  random: PlaceRandom,
): void {
  const range = longest / 2 ** t;
  candidate[4] = transforms[own + 4] + range * random.next();
  candidate[5] = transforms[own + 5] + range * random.next();
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
  candidate[0] = xx * a + xy * b;
  candidate[1] = yx * a + yy * b;
  candidate[2] = xx * c + xy * d;
  candidate[3] = yx * c + yy * d;
}

function isAllowed(candidate: Float32Array, field: Field): boolean {
  const area = Math.abs(candidate[0] * candidate[3] - candidate[1] * candidate[2]);
  return area >= SMALLEST_AREA && area <= LARGEST_AREA && isWithin(candidate, field);
}

/** Items: rows of patches. Sets `changed` for patches that have changed, and clears it for the others. */
export const SEARCH: Pass<Search> = {
  name: 'selfexsr search',
  work(search, from, to) {
    const { field, key } = search;
    const { width, height, transforms, changed } = field;
    const costs = new PatchCost(search);
    const { candidate } = costs;
    const random = new PlaceRandom(key);
    const longest = Math.max(width, height);
    const tries = triesFor(width, height);
    for (let row = RADIUS + from; row < RADIUS + to; row++) {
      for (let at = row * width + RADIUS; at < (row + 1) * width - RADIUS; at++) {
        changed[at] = 0;
        random.moveTo(at);
        for (let t = 2; t < tries + 2; t++) {
          draw(candidate, transforms, at * STRIDE, longest, t, random);
          if (isAllowed(candidate, field) && costs.improve(at)) changed[at] = 1;
        }
      }
    }
  },
};

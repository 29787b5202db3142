/** How well a source patch fits: the inner loop of the search. */

import type { Field } from './field.ts';
import { STRIDE } from './field.ts';
import type { Layer } from './resample.ts';
import { LEVELS_PER_OCTAVE, RADIUS, SOURCE_LEVELS, WEIGHTS } from './settings.ts';

/** Most that is added to a source patch, by channel. */
const MOST_BIAS = 0.25;

/** Pixels; more than the rounding errors of positions. */
const SLACK = 1e-6;

/** A patch's pixels. */
export const PATCH = (2 * RADIUS + 1) ** 2;

/**
 * The order in which pixels are compared: the first ones spread over the patch, so that a bad patch is noticed early.
 */
const ORDER = [0, 4, 20, 24, 12, 2, 10, 14, 22, 6, 8, 16, 18, 1, 3, 21, 23, 5, 9, 15, 19, 7, 11, 13, 17];

/** After how many pixels a patch is given up if it cannot win any more. */
const [FIRST_LOOK, SECOND_LOOK] = [9, 17];

/** Offsets from the centre and weights of the pixels in ORDER. */
const DX = Float64Array.from(ORDER, i => (i % 5) - RADIUS);
const DY = Float64Array.from(ORDER, i => Math.floor(i / 5) - RADIUS);
const WEIGHT = Float64Array.from(ORDER, i => WEIGHTS[i % 5] * WEIGHTS[Math.floor(i / 5)]);
const weightOf = (pixels: number) => WEIGHT.subarray(0, pixels).reduce((sum, w) => sum + w, 0);
const [FIRST_WEIGHT, SECOND_WEIGHT] = [weightOf(FIRST_LOOK), weightOf(SECOND_LOOK)];

/**
 * For each source level but the first, the determinant from which on it is the nearest: a patch that is s times as large
 * is read from the level round(3·log2 s) below, between 1 and SOURCE_LEVELS.
 */
const THRESHOLDS = Float64Array.from(
  { length: SOURCE_LEVELS - 1 },
  (_, i) => 2 ** ((2 * (i + 1.5)) / LEVELS_PER_OCTAVE),
);

/** The index of the source level for a transform with this determinant. */
export function sourceLevel(determinant: number): number {
  const area = Math.abs(determinant);
  let level = 0;
  while (level < THRESHOLDS.length && area >= THRESHOLDS[level]) level++;
  return level;
}

/** A level's patches and where they may come from. */
export interface Match {
  readonly field: Field;
  /** What the patches have to resemble, as large as the field. */
  readonly target: Layer;
  /** SOURCE_LEVELS images, the largest first, with sides of at least 2. */
  readonly sources: readonly Layer[];
}

/**
 * Transforms to try for patches. They are tried many at a time in one loop: V8 allocates each number that it passes to a
 * function, and sometimes runs a small function with a loop five times slower for the rest of the process.
 */
export class Candidates {
  /** Number of transforms to try. */
  count = 0;
  /** Their patches, each at most once. */
  readonly places: Int32Array;
  /** As in `Field.transforms`; candidate i begins at i · STRIDE. */
  readonly transforms: Float32Array;
  /** After `tryAll`: the patches that have changed. */
  readonly improved: Int32Array;
  readonly #match: Match;
  /** Offsets of the patch's pixels in the target. */
  readonly #offsets: Int32Array;

  /** @param most the largest `count`. */
  constructor(match: Match, most: number) {
    this.places = new Int32Array(most);
    this.transforms = new Float32Array(most * STRIDE);
    this.improved = new Int32Array(most);
    this.#match = match;
    this.#offsets = Int32Array.from(DX, (dx, i) => (DY[i] * match.target.width + dx) * 3);
  }

  /**
   * Gives each patch its candidate if that costs less than what it has, sets `changed` for it, and lists it in `improved`.
   * Empties the list of candidates. Returns the number of patches that have changed.
   *
   * The cost is Σ g·(T − S − b)² over pixels and channels, with b = clip(mean T − mean S, ±0.25) by channel. With
   * e = T − S, A = Σ g·e² and B = Σ g·e, a channel's part is A − 2bB + b² because Σ g = 1, so one loop suffices. Over some
   * pixels with the weight G, no b gives less than A − B² / G: a candidate is given up when that is too much.
   */
  tryAll(): number {
    const { transforms: tried, places, improved } = this;
    const offsets = this.#offsets;
    const { field, sources } = this.#match;
    const target = this.#match.target.data;
    const { costs, transforms, biases, changed } = field;
    let found = 0;
    next: for (let n = 0; n < this.count; n++) {
      const at = places[n];
      const limit = costs[at];
      const own = n * STRIDE;
      const a = tried[own];
      const b = tried[own + 1];
      const c = tried[own + 2];
      const d = tried[own + 3];
      const x = tried[own + 4];
      const y = tried[own + 5];
      const { data, width, height } = sources[sourceLevel(a * d - b * c)];
      const sx = width / field.width;
      const sy = height / field.height;
      const u0 = (x + 0.5) * sx - 0.5;
      const v0 = (y + 0.5) * sy - 0.5;
      const ua = a * sx;
      const uc = c * sx;
      const vb = b * sy;
      const vd = d * sy;
      const reachX = RADIUS * (Math.abs(ua) + Math.abs(uc));
      const reachY = RADIUS * (Math.abs(vb) + Math.abs(vd));
      const inside =
        u0 >= reachX + SLACK &&
        v0 >= reachY + SLACK &&
        u0 + reachX < width - 1 - SLACK &&
        v0 + reachY < height - 1 - SLACK;
      const below = width * 3;
      const centre = at * 3;
      let a0 = 0;
      let a1 = 0;
      let a2 = 0;
      let b0 = 0;
      let b1 = 0;
      let b2 = 0;
      let m0 = 0;
      let m1 = 0;
      let m2 = 0;
      for (let i = 0; i < PATCH; i++) {
        const dx = DX[i];
        const dy = DY[i];
        let u = u0 + ua * dx + uc * dy;
        let v = v0 + vb * dx + vd * dy;
        if (!inside) {
          u = Math.min(Math.max(u, 0), width - 1);
          v = Math.min(Math.max(v, 0), height - 1);
        }
        let left = u | 0;
        let top = v | 0;
        if (!inside) {
          left = Math.min(left, width - 2);
          top = Math.min(top, height - 2);
        }
        const fu = u - left;
        const fv = v - top;
        const p = (top * width + left) * 3;
        const q = p + below;
        const t = centre + offsets[i];
        let upper = data[p];
        let lower = data[q];
        upper += fu * (data[p + 3] - upper);
        lower += fu * (data[q + 3] - lower);
        const e0 = target[t] - upper - fv * (lower - upper);
        upper = data[p + 1];
        lower = data[q + 1];
        upper += fu * (data[p + 4] - upper);
        lower += fu * (data[q + 4] - lower);
        const e1 = target[t + 1] - upper - fv * (lower - upper);
        upper = data[p + 2];
        lower = data[q + 2];
        upper += fu * (data[p + 5] - upper);
        lower += fu * (data[q + 5] - lower);
        const e2 = target[t + 2] - upper - fv * (lower - upper);
        const g = WEIGHT[i];
        m0 += e0;
        m1 += e1;
        m2 += e2;
        const g0 = g * e0;
        const g1 = g * e1;
        const g2 = g * e2;
        b0 += g0;
        b1 += g1;
        b2 += g2;
        a0 += g0 * e0;
        a1 += g1 * e1;
        a2 += g2 * e2;
        if (i === FIRST_LOOK - 1) {
          if (a0 + a1 + a2 - (b0 * b0 + b1 * b1 + b2 * b2) / FIRST_WEIGHT >= limit) continue next;
        } else if (i === SECOND_LOOK - 1) {
          if (a0 + a1 + a2 - (b0 * b0 + b1 * b1 + b2 * b2) / SECOND_WEIGHT >= limit) continue next;
        }
      }
      m0 = Math.min(MOST_BIAS, Math.max(-MOST_BIAS, m0 / PATCH));
      m1 = Math.min(MOST_BIAS, Math.max(-MOST_BIAS, m1 / PATCH));
      m2 = Math.min(MOST_BIAS, Math.max(-MOST_BIAS, m2 / PATCH));
      const cost = Math.fround(a0 - m0 * (2 * b0 - m0) + a1 - m1 * (2 * b1 - m1) + a2 - m2 * (2 * b2 - m2));
      // Not if NaN.
      if (!(cost < limit)) continue;
      for (let i = 0; i < STRIDE; i++) transforms[at * STRIDE + i] = tried[own + i];
      biases[at * 3] = m0;
      biases[at * 3 + 1] = m1;
      biases[at * 3 + 2] = m2;
      costs[at] = cost;
      changed[at] = 1;
      improved[found++] = at;
    }
    this.count = 0;
    return found;
  }
}

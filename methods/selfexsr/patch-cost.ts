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
  /** SOURCE_LEVELS images, the largest first. */
  readonly sources: readonly Layer[];
}

/**
 * Computes the costs of transforms. Numbers go in and out through arrays, because V8 allocates those that it passes to
 * functions: a fifth of the time.
 */
export class PatchCost {
  /** The transform to try, as in `Field.transforms`. */
  readonly candidate = new Float32Array(STRIDE);
  readonly #field: Field;
  readonly #target: Float32Array;
  readonly #sources: readonly Layer[];
  /** Offsets of the patch's pixels in the target. */
  readonly #offsets: Int32Array;
  /** The cost of the candidate and its biases. */
  readonly #found = new Float32Array(4);

  constructor({ field, target, sources }: Match) {
    this.#field = field;
    this.#target = target.data;
    this.#sources = sources;
    this.#offsets = Int32Array.from(DX, (dx, i) => (DY[i] * target.width + dx) * 3);
  }

  /** Gives patch `at` the transform in `candidate` if it costs less than the patch's own. Returns whether it does. */
  improve(at: number): boolean {
    const { costs, transforms, biases } = this.#field;
    const { candidate } = this;
    const found = this.#found;
    this.#evaluate(at);
    // Not if NaN.
    if (!(found[0] < costs[at])) return false;
    for (let i = 0, to = at * STRIDE; i < STRIDE; i++) transforms[to + i] = candidate[i];
    for (let k = 0; k < 3; k++) biases[at * 3 + k] = found[k + 1];
    costs[at] = found[0];
    return true;
  }

  /**
   * Σ g·(T − S − b)² over pixels and channels, with b = clip(mean T − mean S, ±0.25) by channel; Infinity if it is
   * certainly at least the patch's own.
   *
   * With e = T − S, A = Σ g·e² and B = Σ g·e, a channel's cost is A − 2bB + b² because Σ g = 1, so one loop suffices.
   * Over a part of the pixels with the weight G, no b gives less than A − B² / G.
   */
  #evaluate(at: number): void {
    const limit = this.#field.costs[at];
    const found = this.#found;
    found[0] = Number.POSITIVE_INFINITY;
    const { candidate } = this;
    const a = candidate[0];
    const b = candidate[1];
    const c = candidate[2];
    const d = candidate[3];
    const x = candidate[4];
    const y = candidate[5];
    const target = this.#target;
    const offsets = this.#offsets;
    const { data, width, height } = this.#sources[sourceLevel(a * d - b * c)];
    const sx = width / this.#field.width;
    const sy = height / this.#field.height;
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
    const right = width > 1 ? 3 : 0;
    const below = height > 1 ? width * 3 : 0;
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
        left = Math.min(left, Math.max(0, width - 2));
        top = Math.min(top, Math.max(0, height - 2));
      }
      const fu = u - left;
      const fv = v - top;
      const p00 = (top * width + left) * 3;
      const p01 = p00 + right;
      const p10 = p00 + below;
      const p11 = p10 + right;
      const w11 = fu * fv;
      const w10 = fv - w11;
      const w01 = fu - w11;
      const w00 = 1 - fu - w10;
      const t = centre + offsets[i];
      const g = WEIGHT[i];
      const e0 = target[t] - (w00 * data[p00] + w01 * data[p01] + w10 * data[p10] + w11 * data[p11]);
      const e1 =
        target[t + 1] - (w00 * data[p00 + 1] + w01 * data[p01 + 1] + w10 * data[p10 + 1] + w11 * data[p11 + 1]);
      const e2 =
        target[t + 2] - (w00 * data[p00 + 2] + w01 * data[p01 + 2] + w10 * data[p10 + 2] + w11 * data[p11 + 2]);
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
        if (a0 + a1 + a2 - (b0 * b0 + b1 * b1 + b2 * b2) / FIRST_WEIGHT >= limit) return;
      } else if (i === SECOND_LOOK - 1) {
        if (a0 + a1 + a2 - (b0 * b0 + b1 * b1 + b2 * b2) / SECOND_WEIGHT >= limit) return;
      }
    }
    m0 = Math.min(MOST_BIAS, Math.max(-MOST_BIAS, m0 / PATCH));
    m1 = Math.min(MOST_BIAS, Math.max(-MOST_BIAS, m1 / PATCH));
    m2 = Math.min(MOST_BIAS, Math.max(-MOST_BIAS, m2 / PATCH));
    found[0] = a0 - m0 * (2 * b0 - m0) + a1 - m1 * (2 * b1 - m1) + a2 - m2 * (2 * b2 - m2);
    found[1] = m0;
    found[2] = m1;
    found[3] = m2;
  }
}

/**
 * Pairs of patches from training pictures: what an enlarged picture looks like, and the detail that it lacks (Freeman,
 * Jones & Pasztor, "Example-Based Super-Resolution", IEEE Computer Graphics and Applications 22(2), 2002).
 */

import { filterValid, gaussianTaps } from '../image/filter.ts';
import type { Plane } from '../image/plane.ts';
import { Random } from '../image/random.ts';
import { resizeSamples } from '../image/resize.ts';
import { within } from '../image/resize-taps.ts';

/** Sides of patches: of the middle band (M), and of the high band (N). */
export const [LOW_SIDE, HIGH_SIDE] = [7, 5];
/** Numbers per patch. */
export const [LOW, HIGH] = [LOW_SIDE ** 2, HIGH_SIDE ** 2];

/** Standard deviation of the blur that removes the lowest frequencies, in pixels. Ours; the paper: "band-pass". */
const SIGMA = 2;

/**
 * Contrast in levels, the mean of |middle band| over a patch, below which a patch is flat: it is no example, and gets no
 * detail. Ours; the paper divides by the contrast plus a small number instead.
 */
export const FLAT_CONTRAST = 1;

/** Examples. Both parts of a pair are divided by the contrast of the low part. */
export interface PatchDictionary {
  /** Number of pairs. */
  readonly count: number;
  /** [count][7][7]: the middle band. */
  readonly low: Float32Array;
  /** [count][5][5]: the high band of the 5×5 pixels in the middle. */
  readonly high: Float32Array;
}

const BLUR_RADIUS = Math.ceil(3 * SIGMA);

const BLUR = gaussianTaps(BLUR_RADIUS, SIGMA);

/** Twice as wide and high by bicubic interpolation. */
export const doubled = (plane: Plane): Plane => resizeSamples({ ...plane, channels: 1 }, 2, { method: 'bicubic' });

/** Without the lowest frequencies: the plane minus its Gaussian blur. Edges replicate. */
export function middleBand(plane: Plane): Plane {
  const { width, height, data } = plane;
  const blurred = filterValid(extended(plane, BLUR_RADIUS, BLUR_RADIUS), BLUR);
  return { width, height, data: data.map((value, i) => value - blurred[i]) };
}

/** With replicated edges: `before` more samples at the left and top, `after` at the right and bottom. */
export function extended({ width, height, data }: Plane, before: number, after: number): Plane {
  const out = { width: width + before + after, height: height + before + after };
  const values = new Float64Array(out.width * out.height);
  for (let y = 0, to = 0; y < out.height; y++) {
    const row = within(y - before, height, 'clamp') * width;
    for (let x = 0; x < out.width; x++) values[to++] = data[row + within(x - before, width, 'clamp')];
  }
  return { ...out, data: values };
}

/** The patch of the middle band whose upper left sample is at `from`, divided by its contrast. Returns the contrast. */
export function readLowPatch(data: Float64Array, stride: number, from: number, out: Float64Array): number {
  let sum = 0;
  for (let y = 0, to = 0; y < LOW_SIDE; y++) {
    for (let x = 0; x < LOW_SIDE; x++, to++) {
      out[to] = data[from + y * stride + x];
      sum += Math.abs(out[to]);
    }
  }
  const contrast = sum / LOW;
  if (contrast >= FLAT_CONTRAST) for (let i = 0; i < LOW; i++) out[i] /= contrast;
  return contrast;
}

/**
 * Collects pairs from training pictures: all of them, or as many as asked, each as likely as any other (reservoir
 * sampling). The same pictures in the same order with the same seed make the same dictionary.
 */
export class DictionaryBuilder {
  readonly #most: number;
  readonly #random: Random;
  readonly #low: number[][] = [];
  readonly #high: number[][] = [];
  #seen = 0;

  /** `most`: the largest number of pairs. */
  constructor(most: number, seed = 0) {
    this.#most = most;
    this.#random = new Random(seed);
  }

  /** Pairs that were offered; the dictionary keeps at most `most` of them. */
  get seen(): number {
    return this.#seen;
  }

  /**
   * Adds a picture's pairs: one around each 5×5 pixels that are not flat. The picture is shrunk by 2 and enlarged again
   * by bicubic interpolation; what that loses is the high band. An odd row or column at the end is dropped.
   * @param y levels 0…255.
   */
  add(y: Plane): void {
    const original = evenPart(y);
    const { width, height } = original;
    if (width < HIGH_SIDE || height < HIGH_SIDE) return;
    const small = resizeSamples({ ...original, channels: 1 }, 0.5, { method: 'bicubic' });
    const low = doubled(small);
    const frame = (LOW_SIDE - HIGH_SIDE) / 2;
    const middle = extended(middleBand(low), frame, frame);
    const patch = new Float64Array(LOW);
    for (let top = 0; top <= height - HIGH_SIDE; top++) {
      for (let left = 0; left <= width - HIGH_SIDE; left++) {
        const contrast = readLowPatch(middle.data, middle.width, top * middle.width + left, patch);
        if (contrast < FLAT_CONTRAST) continue;
        const slot = this.#slot();
        if (slot === undefined) continue;
        this.#low[slot] = [...patch];
        const high: number[] = [];
        for (let row = top; row < top + HIGH_SIDE; row++) {
          const start = row * width + left;
          for (let at = start; at < start + HIGH_SIDE; at++) high.push((original.data[at] - low.data[at]) / contrast);
        }
        this.#high[slot] = high;
      }
    }
  }

  /** Where to keep the next pair, if at all. */
  #slot(): number | undefined {
    const seen = this.#seen++;
    if (seen < this.#most) return seen;
    const slot = this.#random.integer(seen + 1);
    return slot < this.#most ? slot : undefined;
  }

  /** The dictionary of the pairs that were kept. */
  finish(): PatchDictionary {
    return { count: this.#low.length, low: joined(this.#low, LOW), high: joined(this.#high, HIGH) };
  }
}

function joined(patches: readonly (readonly number[])[], size: number): Float32Array {
  const out = new Float32Array(patches.length * size);
  for (const [i, patch] of patches.entries()) out.set(patch, i * size);
  return out;
}

function evenPart({ width, height, data }: Plane): Plane {
  const out = { width: width & ~1, height: height & ~1 };
  const values = new Float64Array(out.width * out.height);
  for (let y = 0; y < out.height; y++) {
    values.set(data.subarray(y * width, y * width + out.width), y * out.width);
  }
  return { ...out, data: values };
}

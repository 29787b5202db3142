/**
 * New edge-directed interpolation: each new pixel is a combination of its four neighbours, with the weights that
 * predict the known pixels around it best (least squares over a window at twice the distance).
 *
 * Li & Orchard, "New Edge-Directed Interpolation", IEEE Transactions on Image Processing 10(10), 2001, with the windows
 * and thresholds of the author's program. Ours: the minimum-norm solution where the program only tests for a
 * determinant of exactly 0 and is off by up to 108 levels on planes; replicated edges where it leaves a frame of
 * nearest copies; and a shift at the end.
 *
 * The program enlarges by 2 and keeps the given pixels, so that after two rounds pixel q lies at 4q. Pictures made by
 * `imresize` expect it at 4q + 1.5: the result is shifted by 1.5 pixels (Keys' cubic). Without that, PSNR falls by more
 * than 3 dB.
 *
 * By PSNR it is below bicubic on the benchmark sets, which is no fault of the program. NEDI takes LR pixels for
 * samples of the scene and estimates from them how it varies at half the distance. The sets' LR pixels are averages, so
 * edges in them are already blurred, and the shift blurs once more. On every second pixel of an original, it wins.
 */

import type { Plane } from '../image/plane.ts';
import type { LumaMethod, RunControl } from './declaration.ts';
import { MinimumNorm } from './minimum-norm.ts';
import type { Pass } from './passes.ts';
import { framed, planeFor } from './planes.ts';

/** Sample variance of the four neighbours below which a new pixel is their mean. */
const FLAT = 8;
/** Levels; predictions outside give way to the mean. */
const [BLACK, WHITE] = [0, 255];

/** LR pixels around the plane that the windows reach, both steps together. */
const FRAME = 9;
/** LR pixels around the plane that step 1 computes for step 2: its window reaches 7 pixels of the result. */
const FIRST_FRAME = 4;

/** Training pixels of step 1, by row and column from the upper left neighbour. */
const FIRST_WINDOW = { from: -2, to: 4 } as const;
/** Training pixels of step 2, in diagonal steps. */
const SECOND_WINDOW = { from: -2, to: 3 } as const;

interface Doubling {
  /** The LR plane with FRAME more pixels at each side. */
  readonly source: Float64Array;
  readonly sourceWidth: number;
  /** Twice as large, with its even pixels set. */
  readonly result: Float64Array;
}

/** A weighted mean of four neighbours, with weights learned from a window. */
class Predictor {
  readonly #system = new MinimumNorm(4);
  readonly #values: Float64Array;
  /** Offsets of the training pixels, and of their four neighbours. */
  readonly #window: Int32Array;
  readonly #around: readonly number[];
  /** Offsets of the new pixel's four neighbours, in the order of `around`. */
  readonly #near: readonly number[];

  constructor(values: Float64Array, near: readonly number[], window: Int32Array, around: readonly number[]) {
    this.#values = values;
    this.#near = near;
    this.#window = window;
    this.#around = around;
  }

  at(place: number): number {
    const values = this.#values;
    const [n0, n1, n2, n3] = this.#near;
    const [a, b, c, d] = [values[place + n0], values[place + n1], values[place + n2], values[place + n3]];
    const mean = (a + b + c + d) / 4;
    const variance = ((a - mean) ** 2 + (b - mean) ** 2 + (c - mean) ** 2 + (d - mean) ** 2) / 3;
    if (variance < FLAT) return mean;
    this.#learn(place);
    const [w0, w1, w2, w3] = this.#system.solution;
    const value = w0 * a + w1 * b + w2 * c + w3 * d;
    return value >= BLACK && value <= WHITE ? value : mean;
  }

  /** Solves for the weights. */
  #learn(place: number): void {
    const values = this.#values;
    const [o0, o1, o2, o3] = this.#around;
    let [g00, g01, g02, g03, g11, g12, g13, g22, g23, g33] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let [r0, r1, r2, r3] = [0, 0, 0, 0];
    for (const offset of this.#window) {
      const at = place + offset;
      const r = values[at];
      const c0 = values[at + o0];
      const c1 = values[at + o1];
      const c2 = values[at + o2];
      const c3 = values[at + o3];
      g00 += c0 * c0;
      g01 += c0 * c1;
      g02 += c0 * c2;
      g03 += c0 * c3;
      g11 += c1 * c1;
      g12 += c1 * c2;
      g13 += c1 * c3;
      g22 += c2 * c2;
      g23 += c2 * c3;
      g33 += c3 * c3;
      r0 += c0 * r;
      r1 += c1 * r;
      r2 += c2 * r;
      r3 += c3 * r;
    }
    const { gram, right } = this.#system;
    gram.set([g00, g01, g02, g03, g01, g11, g12, g13, g02, g12, g22, g23, g03, g13, g23, g33]);
    right[0] = r0;
    right[1] = r1;
    right[2] = r2;
    right[3] = r3;
    this.#system.solve();
  }
}

function offsets({ from, to }: { readonly from: number; readonly to: number }, at: (u: number, v: number) => number) {
  const all: number[] = [];
  for (let u = from; u <= to; u++) for (let v = from; v <= to; v++) all.push(at(u, v));
  return Int32Array.from(all);
}

/** Step 1: pixels between four given ones, at odd rows and odd columns. Items: LR rows with the frame for step 2. */
export const DIAGONAL: Pass<Doubling> = {
  name: 'nedi diagonal',
  work({ source, sourceWidth: w, result }, from, to) {
    const near = [0, 1, w, w + 1];
    const window = offsets(FIRST_WINDOW, (p, q) => p * w + q);
    const predictor = new Predictor(source, near, window, [-w - 1, -w + 1, w - 1, w + 1]);
    const edge = FRAME - FIRST_FRAME;
    for (let row = edge + from; row < edge + to; row++) {
      for (let column = edge; column < w - edge; column++) {
        result[(2 * row + 1) * 2 * w + 2 * column + 1] = predictor.at(row * w + column);
      }
    }
  },
};

/** Step 2: the others, from the given pixels and those of step 1. Items: rows of the result without frame. */
export const STRAIGHT: Pass<Doubling> = {
  name: 'nedi straight',
  work({ sourceWidth, result }, from, to) {
    const w = 2 * sourceWidth;
    const near = [-1, 1, w, -w];
    const window = offsets(SECOND_WINDOW, (u, v) => (u + v - 1) * w + u - v);
    const around = near.map(offset => 2 * offset);
    const predictor = new Predictor(result, near, window, around);
    for (let y = from; y < to; y++) {
      const row = 2 * FRAME + y;
      for (let x = 2 * FRAME + ((y + 1) & 1); x < w - 2 * FRAME; x += 2) {
        result[row * w + x] = predictor.at(row * w + x);
      }
    }
  },
};

/**
 * [h][w] → [2h][2w]; result pixel (2i, 2j) is given pixel (i, j). Edges replicate.
 * @param onDone hears the number of finished pixels of the result.
 */
export async function doubleByNedi(
  plane: Plane,
  { runner, signal }: RunControl,
  onDone?: (pixels: number) => void,
): Promise<Plane> {
  const { width, height } = plane;
  const source = framed(plane, FRAME, 'clamp', runner);
  const whole = planeFor(runner, 2 * source.width, 2 * source.height);
  for (let y = 0, from = 0; y < source.height; y++) {
    for (let x = 0; x < source.width; x++) whole.data[2 * y * whole.width + 2 * x] = source.data[from++];
  }
  const data = { source: source.data, sourceWidth: source.width, result: whole.data };
  const rows = height + 2 * FIRST_FRAME;
  await runner.run(DIAGONAL, data, rows, { signal, onDone: done => onDone?.((done / rows) * width * height) });
  await runner.run(STRAIGHT, data, 2 * height, { signal, onDone: done => onDone?.(width * (height + done)) });
  const out = planeFor(runner, 2 * width, 2 * height);
  for (let y = 0; y < out.height; y++) {
    const start = (y + 2 * FRAME) * whole.width + 2 * FRAME;
    out.data.set(whole.data.subarray(start, start + out.width), y * out.width);
  }
  return out;
}

/** Keys' cubic (a = −1/2) half-way between the second and the third of four samples. */
const HALF_WAY = [-1 / 16, 9 / 16, 9 / 16, -1 / 16] as const;
/** LR pixels added before enlarging, for the shift to have neighbours at the edge. */
const SHIFT_FRAME = 1;

/** Samples of `wide` 1.5 pixels to the upper left of each pixel, without the 4 · SHIFT_FRAME pixels of its frame. */
function shifted({ width, height, data }: Plane): Plane {
  const border = 4 * SHIFT_FRAME;
  const out = { width: width - 2 * border, height: height - 2 * border };
  const across = new Float64Array(out.width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < out.width; x++) {
      const at = y * width + x + border;
      let sum = 0;
      for (let tap = 0; tap < 4; tap++) sum += HALF_WAY[tap] * data[at - 3 + tap];
      across[y * out.width + x] = sum;
    }
  }
  const result = new Float64Array(out.width * out.height);
  for (let y = 0; y < out.height; y++) {
    for (let x = 0; x < out.width; x++) {
      const at = (y + border) * out.width + x;
      let sum = 0;
      for (let tap = 0; tap < 4; tap++) sum += HALF_WAY[tap] * across[at + (tap - 3) * out.width];
      result[y * out.width + x] = sum;
    }
  }
  return { ...out, data: result };
}

export const NEDI: LumaMethod = {
  reads: 'luma',
  name: 'nedi',
  summary: 'new edge-directed interpolation: weights from local covariances',
  source: 'Li & Orchard, New Edge-Directed Interpolation, 2001',
  scale: 4,
  reach: 16,
  passes: [DIAGONAL, STRAIGHT],
  async run(y, control) {
    const { onProgress, runner } = control;
    const lr = framed(y, SHIFT_FRAME, 'clamp', runner);
    // In units of LR pixels: the first round makes 3 new pixels of each, the second 12.
    const first = 3 * lr.width * lr.height;
    const total = 5 * first;
    const twice = await doubleByNedi(lr, control, done => onProgress?.(done, total));
    const fourTimes = await doubleByNedi(twice, control, done => onProgress?.(first + done, total));
    return shifted(fourTimes);
  },
};

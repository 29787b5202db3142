/** Figures by which made pictures are held against photographs. */

import { quality } from '../../eval/protocols.ts';
import { luma } from '../../image/colour.ts';
import type { Picture } from '../../image/picture.ts';
import { resize, shrink } from '../../image/resize.ts';

export interface Statistics {
  /** Of luma, 16…235. */
  readonly mean: number;
  readonly deviation: number;
  /** Root mean square of the step in luma from a pixel to its right neighbour. */
  readonly step: number;
  /** Kurtosis of that step: 3 for a normal distribution, more where flat areas meet at edges. */
  readonly kurtosis: number;
  /** Share of samples that are 0 or 255. */
  readonly clipped: number;
  /** Mean distance of a colour from the picture's mean colour, in the plane of R - G and B - G. */
  readonly chroma: number;
  /** n of the power spectrum 1/f^n, luma, 4 to 24 cycles on 64 pixels. */
  readonly falloff: number;
  /** dB of bicubic reduction and enlargement by 4, by the `matlab` protocol. */
  readonly bicubic: number;
}

const WINDOW = 64;

/** Power at each frequency of a Hann window of 64×64 pixels, added to `power[v · 64 + u]`. */
function addPower(samples: Float64Array, stride: number, start: number, power: Float64Array): void {
  const hann = (i: number) => 0.5 - 0.5 * Math.cos((2 * Math.PI * (i + 0.5)) / WINDOW);
  let mean = 0;
  for (let y = 0; y < WINDOW; y++) for (let x = 0; x < WINDOW; x++) mean += samples[start + y * stride + x];
  mean /= WINDOW * WINDOW;
  const turn = (k: number) => (2 * Math.PI * (k % WINDOW)) / WINDOW;
  const cos = Float64Array.from({ length: WINDOW }, (_, k) => Math.cos(turn(k)));
  const sin = Float64Array.from({ length: WINDOW }, (_, k) => Math.sin(turn(k)));
  const re = new Float64Array(WINDOW * WINDOW);
  const im = new Float64Array(WINDOW * WINDOW);
  for (let y = 0; y < WINDOW; y++) {
    for (let x = 0; x < WINDOW; x++) {
      const value = (samples[start + y * stride + x] - mean) * hann(x) * hann(y);
      for (let u = 0; u < WINDOW; u++) {
        re[y * WINDOW + u] += value * cos[(u * x) % WINDOW];
        im[y * WINDOW + u] -= value * sin[(u * x) % WINDOW];
      }
    }
  }
  for (let u = 0; u < WINDOW; u++) {
    for (let v = 0; v < WINDOW; v++) {
      let [a, b] = [0, 0];
      for (let y = 0; y < WINDOW; y++) {
        const [c, s] = [cos[(v * y) % WINDOW], sin[(v * y) % WINDOW]];
        a += re[y * WINDOW + u] * c + im[y * WINDOW + u] * s;
        b += im[y * WINDOW + u] * c - re[y * WINDOW + u] * s;
      }
      power[v * WINDOW + u] += a * a + b * b;
    }
  }
}

/** Least squares of log power over log frequency, every frequency counted once. */
function falloff(power: Float64Array): number {
  let [n, sx, sy, sxx, sxy] = [0, 0, 0, 0, 0];
  for (let band = 4; band < 24; band++) {
    let [sum, count] = [0, 0];
    for (let v = 0; v < WINDOW; v++) {
      for (let u = 0; u < WINDOW; u++) {
        const f = Math.hypot(Math.min(u, WINDOW - u), Math.min(v, WINDOW - v));
        if (f < band || f >= band + 1) continue;
        sum += power[v * WINDOW + u];
        count++;
      }
    }
    const [x, y] = [Math.log(band + 0.5), Math.log(sum / count)];
    [n, sx, sy, sxx, sxy] = [n + 1, sx + x, sy + y, sxx + x * x, sxy + x * y];
  }
  return -(n * sxy - sx * sy) / (n * sxx - sx * sx);
}

/** Of an RGB picture whose sides are multiples of 64. */
export function statisticsOf(picture: Picture): Statistics {
  const { width, height, data } = picture;
  const y = luma(picture).data;
  const mean = y.reduce((sum, value) => sum + value, 0) / y.length;
  const variance = y.reduce((sum, value) => sum + (value - mean) ** 2, 0) / y.length;
  let [squares, fourths, steps] = [0, 0, 0];
  for (let i = 0; i + 1 < y.length; i++) {
    if ((i + 1) % width === 0) continue;
    const d = y[i + 1] - y[i];
    squares += d * d;
    fourths += d ** 4;
    steps++;
  }
  let [rg, bg] = [0, 0];
  for (let at = 0; at < data.length; at += 3) {
    rg += data[at] - data[at + 1];
    bg += data[at + 2] - data[at + 1];
  }
  [rg, bg] = [rg / y.length, bg / y.length];
  let chroma = 0;
  for (let at = 0; at < data.length; at += 3) {
    chroma += Math.hypot(data[at] - data[at + 1] - rg, data[at + 2] - data[at + 1] - bg);
  }
  const power = new Float64Array(WINDOW * WINDOW);
  for (let top = 0; top + WINDOW <= height; top += 2 * WINDOW) {
    for (let left = 0; left + WINDOW <= width; left += 2 * WINDOW) addPower(y, width, top * width + left, power);
  }
  return {
    mean,
    deviation: Math.sqrt(variance),
    step: Math.sqrt(squares / steps),
    kurtosis: fourths / steps / (squares / steps) ** 2,
    clipped: data.reduce((count, value) => count + (value === 0 || value === 255 ? 1 : 0), 0) / data.length,
    chroma: chroma / y.length,
    falloff: falloff(power),
    bicubic: quality(resize(shrink(picture), 4), picture, 'matlab').psnr,
  };
}

/** Mean of each figure. */
export function meanStatistics(all: readonly Statistics[]): Statistics {
  const mean = (key: keyof Statistics) => all.reduce((sum, one) => sum + one[key], 0) / all.length;
  return {
    mean: mean('mean'),
    deviation: mean('deviation'),
    step: mean('step'),
    kurtosis: mean('kurtosis'),
    clipped: mean('clipped'),
    chroma: mean('chroma'),
    falloff: mean('falloff'),
    bicubic: mean('bicubic'),
  };
}

/** Means of 70 photographs' middle 256×256 pixels (CID22 and GB82), and how far ours may lie off. */
export const PHOTOGRAPHS: Record<keyof Statistics, readonly [number, number]> = {
  mean: [115, 12],
  deviation: [48, 6],
  step: [14.7, 3],
  kurtosis: [22, 8],
  clipped: [0.027, 0.027],
  chroma: [27, 8],
  falloff: [2.93, 0.6],
  bicubic: [26, 1.8],
};

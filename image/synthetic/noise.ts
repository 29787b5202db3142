/** Tileable fractal noise. Each octave's amplitude is the previous one's times a given factor. */

import type { Random } from '../random.ts';

/** `data[y · size + x]`, periodic in both directions, mean 0, variance 1; `size` is a power of two. */
export interface Noise {
  readonly size: number;
  readonly data: Float32Array;
}

/** Upsamples a periodic square by 2 with the quadratic B-spline (3/4, 1/4). */
function double(data: Float32Array, size: number): Float32Array<ArrayBuffer> {
  const wide = new Float32Array(2 * size * size);
  for (let y = 0; y < size; y++) {
    const row = y * size;
    for (let x = 0; x < size; x++) {
      const here = 0.75 * data[row + x];
      wide[2 * (row + x)] = here + 0.25 * data[row + ((x + size - 1) & (size - 1))];
      wide[2 * (row + x) + 1] = here + 0.25 * data[row + ((x + 1) & (size - 1))];
    }
  }
  const out = new Float32Array(4 * size * size);
  const width = 2 * size;
  for (let y = 0; y < size; y++) {
    const above = ((y + size - 1) & (size - 1)) * width;
    const below = ((y + 1) & (size - 1)) * width;
    for (let x = 0; x < width; x++) {
      const here = 0.75 * wide[y * width + x];
      out[2 * y * width + x] = here + 0.25 * wide[above + x];
      out[(2 * y + 1) * width + x] = here + 0.25 * wide[below + x];
    }
  }
  return out;
}

/**
 * Sums white noise of every octave from 4 cells to `size`. `gain` is the factor from one octave's amplitude to the next
 * finer one's: 1 gives a power spectrum of about 1/f², as photographs have; less is smoother.
 */
export function fractalNoise(random: Random, size: number, gain: number): Noise {
  let data = new Float32Array(16);
  let amplitude = 1;
  for (let cells = 4; ; cells *= 2) {
    for (let i = 0; i < data.length; i++) data[i] += amplitude * random.uniform(-1, 1);
    if (cells >= size) break;
    data = double(data, cells);
    amplitude *= gain;
  }
  let sum = 0;
  let squares = 0;
  for (const value of data) {
    sum += value;
    squares += value * value;
  }
  const mean = sum / data.length;
  const scale = 1 / Math.sqrt(squares / data.length - mean * mean);
  for (let i = 0; i < data.length; i++) data[i] = (data[i] - mean) * scale;
  return { size, data };
}

/** The noise at (u, v), in cells, interpolated between its four neighbours. */
export function sampleNoise({ size, data }: Noise, u: number, v: number): number {
  const x = Math.floor(u);
  const y = Math.floor(v);
  const fx = u - x;
  const fy = v - y;
  const mask = size - 1;
  const x0 = x & mask;
  const x1 = (x + 1) & mask;
  const y0 = (y & mask) * size;
  const y1 = ((y + 1) & mask) * size;
  const top = data[y0 + x0] + fx * (data[y0 + x1] - data[y0 + x0]);
  const bottom = data[y1 + x0] + fx * (data[y1 + x1] - data[y1 + x0]);
  return top + fy * (bottom - top);
}

/** Makes a painted scene look like a photograph: light, lens, exposure, grain. */

import type { Random } from '../random.ts';
import type { Canvas } from './canvas.ts';
import { fractalNoise, sampleNoise } from './noise.ts';

/** Uneven light over the whole picture. */
function illuminate({ width, height, data }: Canvas, random: Random): void {
  const strength = random.uniform(0, 0.25);
  const noise = fractalNoise(random, 16, 0.35);
  const cells = random.uniform(3, 8) / Math.max(width, height);
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at += 3) {
      const light = 1 + strength * sampleNoise(noise, x * cells, y * cells);
      for (let c = 0; c < 3; c++) data[at + c] = Math.max(0, data[at + c] * light);
    }
  }
}

/** Blur by (t, 1 - 2t, t) in both directions; sharpening where t is negative, as in cameras. */
function spread({ width, height, data }: Canvas, t: number): void {
  const pass = (count: number, lines: number, step: number, between: number) => {
    for (let l = 0; l < lines; l++) {
      for (let c = 0; c < 3; c++) {
        let at = l * between + c;
        let before = data[at];
        for (let i = 0; i < count; i++, at += step) {
          const here = data[at];
          const after = i + 1 < count ? data[at + step] : here;
          data[at] = here + t * (before + after - 2 * here);
          before = here;
        }
      }
    }
  };
  pass(width, height, 3, width * 3);
  pass(height, width, width * 3, 3);
}

/** Shifts and stretches all channels alike so that luma gets a mean and a spread as photographs have. */
function expose({ data }: Canvas, random: Random): void {
  let sum = 0;
  let squares = 0;
  for (let at = 0; at < data.length; at += 3) {
    const luma = 0.299 * data[at] + 0.587 * data[at + 1] + 0.114 * data[at + 2];
    sum += luma;
    squares += luma * luma;
  }
  const pixels = data.length / 3;
  const mean = sum / pixels;
  const deviation = Math.sqrt(Math.max(0, squares / pixels - mean * mean));
  const gain = Math.min(2.2, Math.max(0.5, random.uniform(0.15, 0.33) / (deviation + 1e-3)));
  const aim = 0.44 + 0.12 * random.normal();
  for (let i = 0; i < data.length; i++) data[i] = aim + gain * (data[i] - mean);
}

/** Where the curve of `film` leaves the straight line, and what it tends to: a little of both ends is clipped. */
const SHOULDER = 0.8;
const WHITE = 1.1;
const TOE = 0.12;
const BLACK = -0.08;

/**
 * Lights and shadows bend instead of breaking off, as film and cameras make them: a rational curve of slope 1 at both
 * joints.
 */
function film(value: number): number {
  if (value > SHOULDER) {
    const over = (value - SHOULDER) / (WHITE - SHOULDER);
    return SHOULDER + ((WHITE - SHOULDER) * over) / (1 + over);
  }
  if (value < TOE) {
    const under = (TOE - value) / (TOE - BLACK);
    return TOE - ((TOE - BLACK) * under) / (1 + under);
  }
  return value;
}

/** The scene as 8-bit RGB. */
export function develop(canvas: Canvas, random: Random): Uint8Array {
  illuminate(canvas, random);
  const sharpened = random.chance(0.25);
  spread(canvas, sharpened ? random.uniform(-0.08, 0) : random.uniform(0, 0.1));
  expose(canvas, random);
  const grain = random.chance(0.4) ? random.uniform(0, 2.5) : 0;
  const out = new Uint8Array(canvas.data.length);
  for (let at = 0; at < out.length; at += 3) {
    const noise = grain === 0 ? 0 : grain * random.normal();
    for (let c = 0; c < 3; c++) {
      out[at + c] = Math.min(255, Math.max(0, Math.floor(255 * film(canvas.data[at + c]) + noise + 0.5)));
    }
  }
  return out;
}

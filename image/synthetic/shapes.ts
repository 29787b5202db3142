/** Shapes as signed distances in pixels: negative inside, zero on the edge. */

import type { Random } from '../random.ts';
import { type Noise, sampleNoise } from './noise.ts';

/** A shape around its own centre, within a distance of `reach`. */
export interface Shape {
  readonly reach: number;
  /** The approximate signed distance of (dx, dy), relative to the centre, from the edge. */
  distance(dx: number, dy: number): number;
}

type Direction = readonly [number, number];

export function ellipse(a: number, b: number, [c, s]: Direction): Shape {
  const distance = (dx: number, dy: number) => {
    const u = (dx * c + dy * s) / a;
    const v = (dy * c - dx * s) / b;
    const k = Math.sqrt(u * u + v * v);
    const slope = Math.sqrt((u / a) * (u / a) + (v / b) * (v / b));
    return slope > 0 ? (k * (k - 1)) / slope : -Math.min(a, b);
  };
  return { reach: Math.max(a, b), distance };
}

/** Half sides a and b. */
export function rectangle(a: number, b: number, [c, s]: Direction, rounding = 0): Shape {
  const distance = (dx: number, dy: number) => {
    const u = Math.abs(dx * c + dy * s) - a + rounding;
    const v = Math.abs(dy * c - dx * s) - b + rounding;
    if (u > 0 && v > 0) return Math.sqrt(u * u + v * v) - rounding;
    return Math.max(u, v) - rounding;
  };
  return { reach: Math.sqrt(a * a + b * b), distance };
}

/** A lens between two arcs: leaves and petals. Half length a, half width b < a. */
export function lens(a: number, b: number, [c, s]: Direction): Shape {
  const radius = (a * a + b * b) / (2 * b);
  const offset = radius - b;
  const distance = (dx: number, dy: number) => {
    const u = dx * c + dy * s;
    const v = Math.abs(dy * c - dx * s) + offset;
    return Math.sqrt(u * u + v * v) - radius;
  };
  return { reach: a, distance };
}

/** A straight stroke of half width w0 at its start and w1 at its end, (ex, ey) and -(ex, ey) from the centre. */
export function stroke(ex: number, ey: number, w0: number, w1: number): Shape {
  const square = 4 * (ex * ex + ey * ey) || 1;
  const distance = (dx: number, dy: number) => {
    const along = (2 * ((dx + ex) * ex + (dy + ey) * ey)) / square;
    const t = Math.min(1, Math.max(0, along));
    const px = dx + ex - 2 * ex * t;
    const py = dy + ey - 2 * ey * t;
    return Math.sqrt(px * px + py * py) - (w0 + (w1 - w0) * t);
  };
  return { reach: Math.sqrt(ex * ex + ey * ey) + Math.max(w0, w1), distance };
}

/** A convex polygon of 3 to 7 sides. A circle clips very long corners. */
export function polygon(random: Random, radius: number): Shape {
  const sides = 3 + random.integer(5);
  const normals: number[] = [];
  for (let i = 0; i < sides; i++) {
    const [x, y] = random.direction();
    normals.push(x, y, radius * random.uniform(0.45, 1));
  }
  const reach = radius * 1.4;
  const distance = (dx: number, dy: number) => {
    let far = Math.sqrt(dx * dx + dy * dy) - reach;
    for (let i = 0; i < normals.length; i += 3)
      far = Math.max(far, dx * normals[i] + dy * normals[i + 1] - normals[i + 2]);
    return far;
  };
  return { reach, distance };
}

/** A circle whose radius varies with the angle by harmonics 2 to 6. */
export function blob(random: Random, radius: number): Shape {
  const swings: number[] = [];
  const roughness = random.uniform(0.1, 0.5);
  for (let k = 2; k <= 6; k++) {
    swings.push((roughness * random.normal()) / k, (roughness * random.normal()) / k);
  }
  const distance = (dx: number, dy: number) => {
    const rho = Math.sqrt(dx * dx + dy * dy);
    if (rho < 1e-6) return -radius * 0.5;
    const c = dx / rho;
    const s = dy / rho;
    // cos and sin of k times the angle, by powers of (c + i s).
    let [ck, sk] = [c, s];
    let factor = 1;
    for (let i = 0; i < swings.length; i += 2) {
      [ck, sk] = [ck * c - sk * s, ck * s + sk * c];
      factor += swings[i] * ck + swings[i + 1] * sk;
    }
    return rho - radius * Math.min(2, Math.max(0.25, factor));
  };
  return { reach: 2 * radius, distance };
}

/** The outline of `shape`, as a band of the given half width. */
export function outline(shape: Shape, halfWidth: number): Shape {
  return {
    reach: shape.reach + halfWidth,
    distance: (dx, dy) => Math.abs(shape.distance(dx, dy)) - halfWidth,
  };
}

/** Displaces the shape's edge by noise of `amplitude` pixels, with `cells` noise cells per pixel. */
export function ragged(shape: Shape, noise: Noise, amplitude: number, cells: number, shift: number): Shape {
  return {
    reach: shape.reach + 3 * amplitude,
    distance: (dx, dy) => {
      const smooth = shape.distance(dx, dy);
      // Far from the edge the noise has no visible effect.
      if (smooth > 4 * amplitude || smooth < -4 * amplitude - 8) return smooth;
      return smooth + amplitude * sampleNoise(noise, dx * cells + shift, dy * cells + 0.37 * shift);
    },
  };
}

/** Surface materials: colour, shading, texture, pattern. */

import type { Random } from '../random.ts';
import { type Noise, sampleNoise } from './noise.ts';
import type { Colour, Palette } from './palette.ts';

export interface Material {
  /**
   * Writes the colour at (dx, dy) from the object's centre, at signed `distance` (negative) from its edge, to `out`.
   */
  shade(dx: number, dy: number, distance: number, out: Float64Array): void;
}

/** A uniform colour. */
export function plain([r, g, b]: Colour): Material {
  return {
    shade(_dx, _dy, _distance, out) {
      out[0] = r;
      out[1] = g;
      out[2] = b;
    },
  };
}

/** The share of a second colour, 0…1, at a position. */
type Pattern = (x: number, y: number) => number;

/** A ramp of width `soft` around 0. */
function step(value: number, soft: number): number {
  const t = value / soft + 0.5;
  return t <= 0 ? 0 : t >= 1 ? 1 : t * t * (3 - 2 * t);
}

/** Bars of 2 · `share` of the period, `soft` of it ramps; 0…1. */
function bars(phase: number, share: number, soft: number): number {
  const inside = phase - Math.floor(phase);
  return step(share - Math.abs(inside - 0.5), soft);
}

function makePattern(random: Random, noises: readonly Noise[], radius: number): Pattern {
  const [c, s] = random.direction();
  const noise = random.pick(noises);
  const shift = random.uniform(0, 200);
  const kind = random.uniform();
  if (kind < 0.4) {
    // Patches with sharp, irregular edges: thresholded noise.
    const cells = random.octaves(0.12, 2.6);
    const level = random.uniform(-0.6, 1);
    const soft = random.octaves(0.1, 2.5);
    const stretch = random.chance(0.4) ? random.uniform(0.15, 0.5) : 1;
    return (x, y) =>
      step(sampleNoise(noise, (x * c + y * s) * cells + shift, (y * c - x * s) * cells * stretch) - level, soft);
  }
  const period = Math.min(random.octaves(2.6, 4), Math.max(3, radius));
  const soft = Math.min(0.5, random.uniform(0.8, 2) / period);
  const share = random.uniform(0.12, 0.32);
  const warp = random.chance(0.5) ? random.uniform(0.1, 0.8) : 0;
  const bend = (x: number, y: number) => (warp ? warp * sampleNoise(noise, x * 0.3 + shift, y * 0.3) : 0);
  if (kind < 0.7) return (x, y) => bars((x * c + y * s) / period + bend(x, y), share, soft);
  const other = period * random.uniform(0.5, 2);
  const otherSoft = Math.min(0.5, (soft * period) / other);
  if (kind < 0.85) {
    // Tiles with joints.
    return (x, y) => {
      const swerve = bend(x, y);
      const across = bars((x * c + y * s) / period + swerve, 0.5 - 0.5 * share, soft);
      return across * bars((y * c - x * s) / other + swerve, 0.5 - 0.5 * share, otherSoft);
    };
  }
  // Dots.
  return (x, y) => {
    const swerve = bend(x, y);
    const u = (x * c + y * s) / period + swerve;
    const v = (y * c - x * s) / period + swerve;
    const [a, b] = [u - Math.floor(u) - 0.5, v - Math.floor(v) - 0.5];
    return step(share * 1.4 - Math.sqrt(a * a + b * b), soft);
  };
}

/** A surface of about `colour` for an object of size `radius`. Low `detail` (0…1) fades texture, like defocus. */
export function surface(
  random: Random,
  palette: Palette,
  noises: readonly Noise[],
  colour: Colour,
  radius: number,
  detail: number,
): Material {
  const [r, g, b] = colour;
  // Light falls off in one direction and, on round objects, towards the edge.
  const [gx, gy] = random.direction();
  const gradient = (random.normal() * 0.16) / radius;
  const roundness = random.chance(0.4) ? random.uniform(0.1, 0.6) : 0;
  const rim = 1 / (radius * random.uniform(0.4, 1));
  const textured = radius > 3 && random.chance(0.85);
  const noise = random.pick(noises);
  const strength = random.uniform();
  const amplitude = textured ? detail * (0.025 + 0.28 * strength * strength * strength) : 0;
  // Fibres, hair and wood: noise stretched in one direction.
  const [tx, ty] = random.direction();
  const cells = random.octaves(0.25, 2);
  const stretch = random.chance(0.4) ? random.octaves(0.06, 3) : 1;
  const shift = random.uniform(0, 200);
  const patterned = radius > 6 && random.chance(0.22);
  const pattern = patterned ? makePattern(random, noises, radius) : undefined;
  const second = random.chance(0.5) ? palette.contrasting(colour) : palette.near(colour, 0.35);
  const strengthOfPattern = detail * random.uniform(0.3, 1);
  return {
    shade(dx, dy, distance, out) {
      let light = 1 + gradient * (dx * gx + dy * gy);
      if (roundness > 0) {
        const t = Math.max(0, 1 + distance * rim);
        light *= 1 - roundness * t * t;
      }
      const mix = pattern ? strengthOfPattern * pattern(dx, dy) : 0;
      let texture = 0;
      if (amplitude > 0) {
        texture = sampleNoise(noise, (dx * tx + dy * ty) * cells * stretch + shift, (dy * tx - dx * ty) * cells);
        light *= 1 + amplitude * texture;
        texture *= 0.15 * amplitude;
      }
      out[0] = (r + mix * (second[0] - r)) * light + texture;
      out[1] = (g + mix * (second[1] - g)) * light + texture;
      out[2] = (b + mix * (second[2] - b)) * light + texture;
    },
  };
}

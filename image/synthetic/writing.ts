/**
 * Lines of writing in no language: glyphs of stems, bars, slants and bowls, as thick and as far apart as letters are.
 */

import type { Random } from '../random.ts';
import { paint } from './canvas.ts';
import type { Scene, Spot } from './group.ts';
import { plain, surface } from './material.ts';
import { rectangle } from './shapes.ts';
import { chain } from './strokes.ts';

/** Corners on a grid of 0…2 across by 0…4 down. */
type Path = readonly (readonly [number, number])[];

function path(corners: string): Path {
  return corners.split(' ').map(corner => {
    const [x, y] = corner.split(',').map(Number);
    return [x, y] as const;
  });
}

const STEMS = ['0,0 0,4', '2,0 2,4', '1,0 1,4'].map(path);
const BARS = ['0,0 2,0', '0,2 2,2', '0,4 2,4'].map(path);
const SLANTS = ['0,0 2,4', '2,0 0,4', '0,2 2,4', '0,4 1,0 2,4'].map(path);
/** Right sides of P and D: curves as corners cut off. */
const BOWLS = ['0,0 1.3,0 1.85,0.45 2,1 1.85,1.55 1.3,2 0,2', '0,0 1.3,0 1.85,0.45 2,2 1.85,3.55 1.3,4 0,4'].map(path);
const RING = path('1,0 0.3,0.35 0,1.2 0,2.8 0.3,3.65 1,4 1.7,3.65 2,2.8 2,1.2 1.7,0.35 1,0');

function glyph(random: Random): readonly Path[] {
  switch (random.integer(5)) {
    case 0:
      return [random.pick(STEMS), random.pick(BARS), random.pick(BARS)];
    case 1:
      return [STEMS[0], random.pick(BOWLS)];
    case 2:
      return [RING];
    case 3:
      return [random.pick(STEMS), random.pick(SLANTS)];
    default:
      return [STEMS[0], random.pick(SLANTS), random.pick(STEMS)];
  }
}

/** Lines of writing, on a panel or without. */
export function writing(scene: Scene, spot: Spot): void {
  const { canvas, random, palette, noises } = scene;
  const [c, s] = random.nearlyLevel(random.chance(0.6) ? 0.03 : 0.4);
  const height = Math.min(random.octaves(5, 3), spot.radius / 1.5);
  const rows = Math.max(1, Math.floor(Math.min(5, (1.6 * spot.radius) / (1.7 * height))));
  const ground = palette.colour();
  if (random.chance(0.7)) {
    const shape = rectangle(spot.radius * 1.1, rows * height + 0.3 * height, [c, s], random.uniform(0, 0.4) * height);
    const material = surface(random, palette, noises, ground, spot.radius, 0.4);
    paint(canvas, { shape, material, x: spot.x, y: spot.y, softness: spot.softness });
  }
  const ink = plain(palette.contrasting(ground));
  const width = Math.max(0.35, height * random.uniform(0.04, 0.12));
  const lean = random.chance(0.3) ? random.uniform(0, 0.3) : 0;
  const unit = height / 4;
  for (let row = 0; row < rows; row++) {
    const v = (row - (rows - 1) / 2) * 1.8 * height - height / 2;
    for (let u = -spot.radius; u < spot.radius - 2 * unit; u += 3.1 * unit) {
      if (random.chance(0.14)) continue;
      for (const corners of glyph(random)) {
        const points = corners.map(([gx, gy]) => {
          const [a, b] = [u + gx * unit + lean * (4 - gy) * unit, v + gy * unit];
          return [spot.x + a * c - b * s, spot.y + a * s + b * c] as const;
        });
        chain(scene, points, width, width, ink, spot.softness);
      }
    }
  }
}

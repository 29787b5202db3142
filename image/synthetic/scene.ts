/** The dead-leaves model: objects of power-law sizes are painted over one another until they cover the canvas. */

import type { Random } from '../random.ts';
import { type Canvas, colourAt, paint } from './canvas.ts';
import { cluster, facade, hair, land, shadow } from './details.ts';
import type { Scene, Spot } from './group.ts';
import { plain, surface } from './material.ts';
import { fractalNoise } from './noise.ts';
import { Palette } from './palette.ts';
import { blob, ellipse, lens, outline, polygon, ragged, rectangle, type Shape } from './shapes.ts';
import { branches, line } from './strokes.ts';
import { writing } from './writing.ts';

/** Half widths of edges: a camera in focus at one depth, more or less blurred at others. */
interface Focus {
  readonly sharpest: number;
  readonly depth: number;
  readonly aperture: number;
}

function softnessAt({ sharpest, depth, aperture }: Focus, at: number): number {
  return sharpest + aperture * Math.abs(at - depth);
}

/**
 * Radius with density r^-3 between `least` and `most` (Lee, Mumford and Huang 2001: scale invariance needs this power).
 */
function powerLawRadius(random: Random, least: number, most: number): number {
  const [a, b] = [1 / (least * least), 1 / (most * most)];
  return 1 / Math.sqrt(b + (a - b) * random.uniform());
}

function leafShape({ random, noises }: Scene, radius: number, made: number): Shape {
  // `made`: how much of the picture is man-made, with edges that are straight and nearly level or plumb.
  const turned = random.chance(made) ? random.nearlyLevel(0.06) : random.direction();
  let shape: Shape;
  const kind = random.uniform();
  if (random.chance(0.3 + 0.5 * made)) {
    shape =
      kind < 0.55
        ? rectangle(
            radius * random.uniform(0.3, 1),
            radius * random.uniform(0.1, 1),
            turned,
            random.chance(0.3) ? radius * 0.1 : 0,
          )
        : polygon(random, radius);
  } else if (kind < 0.4) shape = ellipse(radius, radius * random.uniform(0.25, 1), turned);
  else if (kind < 0.75) shape = blob(random, radius * 0.8);
  else shape = lens(radius, radius * random.uniform(0.15, 0.7), turned);
  if (radius > 5 && random.chance(0.08)) return outline(shape, Math.max(0.5, radius * random.uniform(0.03, 0.15)));
  if (radius > 6 && random.chance(0.3 * (1 - made))) {
    const noise = random.pick(noises);
    return ragged(shape, noise, radius * random.uniform(0.02, 0.15), Math.min(1, 24 / radius), random.uniform(0, 200));
  }
  return shape;
}

function leaves(scene: Scene, focus: Focus): void {
  const { canvas, random, palette, noises } = scene;
  const size = Math.max(canvas.width, canvas.height);
  const most = size * random.uniform(0.3, 0.7);
  // Some pictures have small objects everywhere, others only large and plain ones.
  const least = Math.min(random.octaves(1.6, 4.5), most / 3);
  const made = random.chance(0.4) ? random.uniform(0.4, 1) : random.uniform(0, 0.3);
  const layers = random.uniform(1.2, 3);
  const wanted = layers * canvas.width * canvas.height;
  const shadows = random.chance(0.6) ? random.uniform(0, 0.6) : 0;
  const alike = random.uniform(0.5, 1);
  const variety = random.uniform(0.08, 0.4);
  for (let covered = 0; covered < wanted; ) {
    const radius = powerLawRadius(random, least, most);
    const depth = covered / wanted;
    covered += 1.6 * radius * radius;
    const x = random.uniform(-0.5 * radius, canvas.width + 0.5 * radius);
    const y = random.uniform(-0.5 * radius, canvas.height + 0.5 * radius);
    const softness = softnessAt(focus, depth);
    const shape = leafShape(scene, radius, made);
    if (radius > 4 && random.chance(shadows)) {
      const offset = radius * random.uniform(0.03, 0.2);
      const blur = softness + radius * random.uniform(0.05, 0.3);
      const black = { material: plain([0.02, 0.02, 0.03]), opacity: random.uniform(0.15, 0.6) };
      paint(canvas, { shape, ...black, x: x + 0.6 * offset, y: y + offset, softness: blur });
    }
    // Small objects mostly resemble their background.
    const akin = random.chance(alike * Math.min(1, 24 / radius));
    const colour = akin ? palette.near(colourAt(canvas, x, y), variety) : palette.colour();
    const material = surface(random, palette, noises, colour, radius, 1 / (0.5 + softness));
    paint(canvas, { shape, material, x, y, softness });
  }
}

const GROUPS = [
  { draw: cluster, weight: 4 },
  { draw: hair, weight: 2 },
  { draw: branches, weight: 1 },
  { draw: writing, weight: 1.6 },
  { draw: facade, weight: 1.4 },
  { draw: line, weight: 3 },
  { draw: shadow, weight: 1.5 },
] as const;

function group(scene: Scene, spot: Spot): void {
  let left = scene.random.uniform(
    0,
    GROUPS.reduce((sum, { weight }) => sum + weight, 0),
  );
  for (const { draw, weight } of GROUPS) {
    left -= weight;
    if (left < 0) {
      draw(scene, spot);
      return;
    }
  }
}

/** Paints a whole scene, before tone adjustment. */
export function paintScene(canvas: Canvas, random: Random): void {
  const { width, height } = canvas;
  const size = Math.max(width, height);
  const gains = [random.uniform(0.85, 1.15), random.uniform(0.7, 0.95), random.uniform(0.5, 0.75)];
  const noises = gains.map(gain => fractalNoise(random, 128, gain));
  const palette = new Palette(random);
  const scene: Scene = { canvas, random, palette, noises };
  const focus: Focus = {
    sharpest: random.uniform(0.5, 0.9),
    depth: random.uniform(),
    aperture: random.chance(0.5) ? 0 : random.octaves(0.5, 4),
  };
  const ground = surface(random, palette, noises, palette.colour(), size / 2, 1);
  const everywhere = rectangle(2 * size, 2 * size, [1, 0]);
  paint(canvas, { shape: everywhere, material: ground, x: width / 2, y: height / 2, softness: 0.5 });
  const anywhere = (depth: number): Spot => ({
    x: random.uniform(0, width),
    y: random.uniform(0, height),
    radius: Math.min(size * 0.6, random.octaves(16, 3.5)),
    softness: softnessAt(focus, depth),
  });
  if (random.chance(0.3)) land(scene, anywhere(0));
  if (random.chance(0.85)) leaves(scene, focus);
  // Groups per 128x128 pixels.
  const groups = random.uniform(0.2, 1.6) * ((width * height) / 16384);
  for (let i = random.uniform(); i < groups; i++) group(scene, anywhere(random.uniform()));
}

/** Groups of small objects: foliage, gravel, hair, windows, land, shadows. */

import { colourAt, paint } from './canvas.ts';
import { dimmed, type Scene, type Spot } from './group.ts';
import { plain, surface } from './material.ts';
import { sampleNoise } from './noise.ts';
import type { Colour } from './palette.ts';
import { blob, ellipse, lens, ragged, rectangle, stroke } from './shapes.ts';

/** A random position in the group's ragged outline; undefined if it falls outside. */
function within({ random, noises }: Scene, spot: Spot): readonly [number, number] | undefined {
  const [c, s] = random.direction();
  const far = Math.sqrt(random.uniform());
  const [x, y] = [spot.x + c * far * spot.radius, spot.y + s * far * spot.radius];
  const cells = 20 / spot.radius;
  return sampleNoise(noises[2], x * cells, y * cells) < 2.4 * far - 1.2 ? undefined : [x, y];
}

/** The colour at a position, or a random one. */
function groundOr({ canvas, random, palette }: Scene, spot: Spot): Colour {
  return random.chance(0.5) ? palette.near(colourAt(canvas, spot.x, spot.y), 0.3) : palette.colour();
}

/** Many small objects of one kind: leaves, petals, pebbles or grains. Later ones are lighter. */
export function cluster(scene: Scene, spot: Spot): void {
  const { canvas, random, palette, noises } = scene;
  const size = Math.min(random.octaves(1.2, 3.5), spot.radius / 3);
  const base = groundOr(scene, spot);
  const other = palette.near(base, 0.4);
  const pointed = random.chance(0.5);
  const slim = random.uniform(0.2, 0.8);
  const spread = random.uniform(0.06, 0.35);
  const dark = random.uniform(0.4, 0.9);
  const main = random.direction();
  const aligned = random.uniform(0, 2);
  const count = Math.min(1600, Math.ceil((1.3 * spot.radius * spot.radius) / (size * size * (pointed ? slim : 1))));
  for (let i = 0; i < count; i++) {
    const at = within(scene, spot);
    if (at === undefined) continue;
    const [ux, uy] = random.direction();
    const [tx, ty] = [ux + aligned * main[0], uy + aligned * main[1]];
    const length = Math.sqrt(tx * tx + ty * ty) + 1e-6;
    const turned = [tx / length, ty / length] as const;
    const a = size * random.uniform(0.6, 1.5);
    const shape = pointed ? lens(a, a * slim, turned) : ellipse(a, a * random.uniform(0.6, 1), turned);
    const colour = dimmed(palette.near(random.chance(0.7) ? base : other, spread), dark + ((1.15 - dark) * i) / count);
    const material = size > 4 ? surface(random, palette, noises, colour, a, 1) : plain(colour);
    paint(canvas, { shape, material, x: at[0], y: at[1], softness: spot.softness });
  }
}

/** Fine, roughly parallel strokes: hair, fur, grass. */
export function hair(scene: Scene, spot: Spot): void {
  const { canvas, random, palette, noises } = scene;
  const length = random.octaves(5, 2.5);
  const thickness = random.octaves(0.35, 2);
  const [c, s] = random.direction();
  const noise = random.pick(noises);
  const curl = random.uniform(0.1, 0.9);
  const base = groundOr(scene, spot);
  const spread = random.uniform(0.06, 0.35);
  const dark = random.uniform(0.4, 0.9);
  const count = Math.min(2600, Math.ceil((2.2 * spot.radius * spot.radius) / (length * (thickness + 0.5))));
  for (let i = 0; i < count; i++) {
    const at = within(scene, spot);
    if (at === undefined) continue;
    const [x, y] = at;
    const bend = curl * sampleNoise(noise, x * 0.12, y * 0.12) + 0.15 * random.normal();
    const half = length * random.uniform(0.25, 0.75);
    const [ex, ey] = [half * (c - bend * s), half * (s + bend * c)];
    const shape = stroke(ex, ey, thickness, thickness * 0.3);
    const material = plain(dimmed(palette.near(base, spread), dark + ((1.15 - dark) * i) / count));
    paint(canvas, { shape, material, x, y, softness: spot.softness, opacity: 0.85 });
  }
}

/** A wall with rows of windows, slats or keys. */
export function facade(scene: Scene, spot: Spot): void {
  const { canvas, random, palette, noises } = scene;
  const [c, s] = random.nearlyLevel(0.12);
  const [halfWidth, halfHeight] = [spot.radius * random.uniform(0.5, 1), spot.radius * random.uniform(0.5, 1)];
  const wall = palette.colour();
  const material = surface(random, palette, noises, wall, spot.radius, 0.7);
  const { x, y, softness } = spot;
  paint(canvas, { shape: rectangle(halfWidth, halfHeight, [c, s]), material, x, y, softness });
  const step = random.octaves(5, 2.7);
  const tall = step * random.uniform(0.6, 2);
  const [a, b] = [(step / 2) * random.uniform(0.4, 0.85), (tall / 2) * random.uniform(0.4, 0.85)];
  const pane = palette.contrasting(wall);
  const spread = random.uniform(0, 0.5);
  const shape = rectangle(a, b, [c, s]);
  for (let v = -halfHeight + tall / 2; v < halfHeight - tall / 2; v += tall) {
    for (let u = -halfWidth + step / 2; u < halfWidth - step / 2; u += step) {
      const glass = plain(palette.near(pane, spread));
      paint(canvas, { shape, material: glass, x: x + u * c - v * s, y: y + u * s + v * c, softness });
    }
  }
}

/** Ground, water or hills: everything below a ragged line. */
export function land({ canvas, random, palette, noises }: Scene, spot: Spot): void {
  const { width, height } = canvas;
  const size = Math.max(width, height);
  const [c, s] = random.nearlyLevel(0.12);
  const half = rectangle(2 * size, size, [c, s]);
  const rough = random.chance(0.6);
  const shape = rough ? ragged(half, random.pick(noises), random.octaves(1, 4), random.octaves(0.15, 3), size) : half;
  const material = surface(random, palette, noises, palette.colour(), size / 2, 1);
  paint(canvas, { shape, material, x: spot.x, y: spot.y + size, softness: spot.softness });
}

/** A soft shadow or highlight over the canvas. */
export function shadow({ canvas, random }: Scene, spot: Spot): void {
  const light = random.chance(0.25);
  const material = plain(light ? [1, 0.98, 0.94] : [0.02, 0.02, 0.04]);
  const softness = random.octaves(0.8, 5);
  const opacity = random.uniform(0.1, light ? 0.3 : 0.6);
  paint(canvas, { shape: blob(random, spot.radius), material, x: spot.x, y: spot.y, softness, opacity });
}

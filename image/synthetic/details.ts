/** Groups of things that leaves alone do not make: foliage, gravel, hair, branches, writing, windows. */

import type { Random } from '../random.ts';
import { type Canvas, colourAt, paint } from './canvas.ts';
import { type Material, plain, surface } from './material.ts';
import { type Noise, sampleNoise } from './noise.ts';
import type { Colour, Palette } from './palette.ts';
import { blob, ellipse, lens, ragged, rectangle, stroke } from './shapes.ts';

/** What a painter of details works with. */
export interface Scene {
  readonly canvas: Canvas;
  readonly random: Random;
  readonly palette: Palette;
  readonly noises: readonly Noise[];
}

/** Where a group lies, how far it extends, and how soft edges are there. */
export interface Place {
  readonly x: number;
  readonly y: number;
  readonly radius: number;
  readonly softness: number;
}

/** A random place of the group, whose outline is ragged; undefined where it falls outside. */
function within({ random, noises }: Scene, place: Place): readonly [number, number] | undefined {
  const [c, s] = random.direction();
  const far = Math.sqrt(random.uniform());
  const [x, y] = [place.x + c * far * place.radius, place.y + s * far * place.radius];
  const cells = 20 / place.radius;
  return sampleNoise(noises[2], x * cells, y * cells) < 2.4 * far - 1.2 ? undefined : [x, y];
}

const darker = ([r, g, b]: Colour, factor: number): Colour => [r * factor, g * factor, b * factor];

/** The colour of what lies there, or any other. */
function groundOr({ canvas, random, palette }: Scene, place: Place): Colour {
  return random.chance(0.5) ? palette.near(colourAt(canvas, place.x, place.y), 0.3) : palette.colour();
}

/** Many small things of one kind: leaves or petals, pebbles or grains; those painted later are lighter. */
export function cluster(scene: Scene, place: Place): void {
  const { canvas, random, palette, noises } = scene;
  const size = Math.min(random.octaves(1.2, 3.5), place.radius / 3);
  const base = groundOr(scene, place);
  const other = palette.near(base, 0.4);
  const pointed = random.chance(0.5);
  const slim = random.uniform(0.2, 0.8);
  const spread = random.uniform(0.06, 0.35);
  const dark = random.uniform(0.4, 0.9);
  const main = random.direction();
  const aligned = random.uniform(0, 2);
  const count = Math.min(1600, Math.ceil((1.3 * place.radius * place.radius) / (size * size * (pointed ? slim : 1))));
  for (let i = 0; i < count; i++) {
    const at = within(scene, place);
    if (at === undefined) continue;
    const [ux, uy] = random.direction();
    const length = Math.sqrt((ux + aligned * main[0]) ** 2 + (uy + aligned * main[1]) ** 2) + 1e-6;
    const turned = [(ux + aligned * main[0]) / length, (uy + aligned * main[1]) / length] as const;
    const a = size * random.uniform(0.6, 1.5);
    const shape = pointed ? lens(a, a * slim, turned) : ellipse(a, a * random.uniform(0.6, 1), turned);
    const colour = darker(palette.near(random.chance(0.7) ? base : other, spread), dark + ((1.15 - dark) * i) / count);
    const material = size > 4 ? surface(random, palette, noises, colour, a, 1) : plain(colour);
    paint(canvas, { shape, material, x: at[0], y: at[1], softness: place.softness });
  }
}

/** Fine strokes that follow one another: hair, fur, grass. */
export function hair(scene: Scene, place: Place): void {
  const { canvas, random, palette, noises } = scene;
  const length = random.octaves(5, 2.5);
  const thickness = random.octaves(0.35, 2);
  const [c, s] = random.direction();
  const noise = random.pick(noises);
  const curl = random.uniform(0.1, 0.9);
  const base = groundOr(scene, place);
  const spread = random.uniform(0.06, 0.35);
  const dark = random.uniform(0.4, 0.9);
  const count = Math.min(2600, Math.ceil((2.2 * place.radius * place.radius) / (length * (thickness + 0.5))));
  for (let i = 0; i < count; i++) {
    const at = within(scene, place);
    if (at === undefined) continue;
    const [x, y] = at;
    const bend = curl * sampleNoise(noise, x * 0.12, y * 0.12) + 0.15 * random.normal();
    const half = length * random.uniform(0.25, 0.75);
    const [ex, ey] = [half * (c - bend * s), half * (s + bend * c)];
    const shape = stroke(ex, ey, thickness, thickness * 0.3);
    const material = plain(darker(palette.near(base, spread), dark + ((1.15 - dark) * i) / count));
    paint(canvas, { shape, material, x, y, softness: place.softness, opacity: 0.85 });
  }
}

/** A chain of tapering strokes. */
function chain(
  scene: Scene,
  points: readonly (readonly [number, number])[],
  w0: number,
  w1: number,
  material: Material,
  softness: number,
) {
  const steps = points.length - 1;
  for (let i = 0; i < steps; i++) {
    const [[x0, y0], [x1, y1]] = [points[i], points[i + 1]];
    const shape = stroke(
      (x1 - x0) / 2,
      (y1 - y0) / 2,
      w0 + ((w1 - w0) * i) / steps,
      w0 + ((w1 - w0) * (i + 1)) / steps,
    );
    paint(scene.canvas, { shape, material, x: (x0 + x1) / 2, y: (y0 + y1) / 2, softness });
  }
}

/** One curved line, as wires, stems and whiskers are: from the place across twice its radius. */
export function line(scene: Scene, place: Place): void {
  const { random, palette } = scene;
  const [c, s] = random.chance(0.4) ? random.nearlyLevel(0.2) : random.direction();
  const bend = random.chance(0.5) ? 0 : random.normal() * 0.4 * place.radius;
  const points: [number, number][] = [];
  const steps = bend === 0 ? 1 : 14;
  for (let i = 0; i <= steps; i++) {
    const t = (2 * i) / steps - 1;
    const off = bend * (1 - t * t);
    points.push([place.x + place.radius * t * c - off * s, place.y + place.radius * t * s + off * c]);
  }
  const width = random.octaves(0.3, 3.3);
  chain(scene, points, width, random.chance(0.5) ? width : width * 0.3, plain(palette.colour()), place.softness);
}

/** A stem that divides into twigs. */
export function branches(scene: Scene, place: Place): void {
  const { random, palette, noises } = scene;
  const material = surface(random, palette, noises, darker(palette.colour(), 0.6), place.radius, 0.6);
  const spread = random.uniform(0.25, 0.8);
  const grow = (x: number, y: number, c: number, s: number, length: number, width: number, depth: number): void => {
    const points: [number, number][] = [[x, y]];
    let [dx, dy] = [c, s];
    for (let i = 0; i < 4; i++) {
      const turn = 0.25 * random.normal();
      const norm = Math.sqrt(1 + turn * turn);
      [dx, dy] = [(dx - turn * dy) / norm, (dy + turn * dx) / norm];
      const last = points[points.length - 1];
      points.push([last[0] + (dx * length) / 4, last[1] + (dy * length) / 4]);
    }
    chain(scene, points, width, width * 0.65, material, place.softness);
    if (depth === 0) return;
    const [ex, ey] = points[points.length - 1];
    const twigs = 2 + random.integer(2);
    for (let i = 0; i < twigs; i++) {
      const turn = spread * random.normal();
      const norm = Math.sqrt(1 + turn * turn);
      grow(
        ex,
        ey,
        (dx - turn * dy) / norm,
        (dy + turn * dx) / norm,
        length * random.uniform(0.6, 0.9),
        width * 0.6,
        depth - 1,
      );
    }
  };
  const [c, s] = random.direction();
  const length = place.radius * 0.6;
  grow(
    place.x - c * place.radius,
    place.y - s * place.radius,
    c,
    s,
    length,
    Math.max(0.8, length * random.uniform(0.02, 0.09)),
    5,
  );
}

/** A glyph as strokes on a grid of 0…2 by 0…4, rounded bowls as corners cut off. */
function glyph(random: Random): readonly (readonly [number, number])[][] {
  const stems: [number, number][][] = [
    [
      [0, 0],
      [0, 4],
    ],
    [
      [2, 0],
      [2, 4],
    ],
    [
      [1, 0],
      [1, 4],
    ],
  ];
  const bars: [number, number][][] = [
    [
      [0, 0],
      [2, 0],
    ],
    [
      [0, 2],
      [2, 2],
    ],
    [
      [0, 4],
      [2, 4],
    ],
  ];
  const slants: [number, number][][] = [
    [
      [0, 0],
      [2, 4],
    ],
    [
      [2, 0],
      [0, 4],
    ],
    [
      [0, 2],
      [2, 4],
    ],
    [
      [0, 4],
      [1, 0],
      [2, 4],
    ],
  ];
  const bowl = (top: number, low: number): [number, number][] => [
    [0, top],
    [1.3, top],
    [1.85, top + 0.45],
    [2, (top + low) / 2],
    [1.85, low - 0.45],
    [1.3, low],
    [0, low],
  ];
  const ring: [number, number][] = [
    [1, 0],
    [0.3, 0.35],
    [0, 1.2],
    [0, 2.8],
    [0.3, 3.65],
    [1, 4],
    [1.7, 3.65],
    [2, 2.8],
    [2, 1.2],
    [1.7, 0.35],
    [1, 0],
  ];
  switch (random.integer(5)) {
    case 0:
      return [random.pick(stems), random.pick(bars), random.pick(bars)];
    case 1:
      return [stems[0], bowl(0, random.chance(0.5) ? 2 : 4)];
    case 2:
      return [ring];
    case 3:
      return [random.pick(stems), random.pick(slants)];
    default:
      return [stems[0], random.pick(slants), random.pick(stems)];
  }
}

/** Lines of writing, on a panel or without. */
export function writing(scene: Scene, place: Place): void {
  const { canvas, random, palette, noises } = scene;
  const [c, s] = random.nearlyLevel(random.chance(0.6) ? 0.03 : 0.4);
  const height = Math.min(random.octaves(5, 3), place.radius / 1.5);
  const rows = Math.max(1, Math.floor(Math.min(5, (1.6 * place.radius) / (1.7 * height))));
  const ground = palette.colour();
  if (random.chance(0.7)) {
    const shape = rectangle(place.radius * 1.1, rows * height + 0.3 * height, [c, s], random.uniform(0, 0.4) * height);
    const material = surface(random, palette, noises, ground, place.radius, 0.4);
    paint(canvas, { shape, material, x: place.x, y: place.y, softness: place.softness });
  }
  const ink = plain(palette.contrasting(ground));
  const width = Math.max(0.35, height * random.uniform(0.04, 0.12));
  const lean = random.chance(0.3) ? random.uniform(0, 0.3) : 0;
  const unit = height / 4;
  for (let row = 0; row < rows; row++) {
    const v = (row - (rows - 1) / 2) * 1.8 * height - height / 2;
    for (let u = -place.radius; u < place.radius - 2 * unit; u += 3.1 * unit) {
      if (random.chance(0.14)) continue;
      for (const path of glyph(random)) {
        const points = path.map(([gx, gy]) => {
          const [a, b] = [u + gx * unit + lean * (4 - gy) * unit, v + gy * unit];
          return [place.x + a * c - b * s, place.y + a * s + b * c] as const;
        });
        chain(scene, points, width, width, ink, place.softness);
      }
    }
  }
}

/** A wall with rows of windows, slats or keys. */
export function facade(scene: Scene, place: Place): void {
  const { canvas, random, palette, noises } = scene;
  const [c, s] = random.nearlyLevel(0.12);
  const [halfWidth, halfHeight] = [place.radius * random.uniform(0.5, 1), place.radius * random.uniform(0.5, 1)];
  const wall = palette.colour();
  const material = surface(random, palette, noises, wall, place.radius, 0.7);
  const { x, y, softness } = place;
  paint(canvas, { shape: rectangle(halfWidth, halfHeight, [c, s]), material, x, y, softness });
  const step = random.octaves(5, 2.7);
  const tall = step * random.uniform(0.6, 2);
  const [a, b] = [(step / 2) * random.uniform(0.4, 0.85), (tall / 2) * random.uniform(0.4, 0.85)];
  const pane = palette.contrasting(wall);
  const spread = random.uniform(0, 0.5);
  for (let v = -halfHeight + tall / 2; v < halfHeight - tall / 2; v += tall) {
    for (let u = -halfWidth + step / 2; u < halfWidth - step / 2; u += step) {
      const glass = plain(palette.near(pane, spread));
      paint(canvas, {
        shape: rectangle(a, b, [c, s]),
        material: glass,
        x: x + u * c - v * s,
        y: y + u * s + v * c,
        softness,
      });
    }
  }
}

/** Ground, water or hills: everything below a ragged line. */
export function land({ canvas, random, palette, noises }: Scene, place: Place): void {
  const { width, height } = canvas;
  const size = Math.max(width, height);
  const [c, s] = random.nearlyLevel(0.12);
  const half = rectangle(2 * size, size, [c, s]);
  const rough = random.chance(0.6);
  const shape = rough ? ragged(half, random.pick(noises), random.octaves(1, 4), random.octaves(0.15, 3), size) : half;
  const material = surface(random, palette, noises, palette.colour(), size / 2, 1);
  paint(canvas, { shape, material, x: place.x, y: place.y + size, softness: place.softness });
}

/** A soft shadow or a gleam across whatever is there. */
export function shadow({ canvas, random }: Scene, place: Place): void {
  const light = random.chance(0.25);
  const material = plain(light ? [1, 0.98, 0.94] : [0.02, 0.02, 0.04]);
  const softness = random.octaves(0.8, 5);
  const opacity = random.uniform(0.1, light ? 0.3 : 0.6);
  paint(canvas, { shape: blob(random, place.radius), material, x: place.x, y: place.y, softness, opacity });
}

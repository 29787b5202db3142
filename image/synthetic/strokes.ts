/** Things made of thin lines: wires, branches, writing. */

import type { Random } from '../random.ts';
import { paint } from './canvas.ts';
import { dimmed, type Place, type Scene } from './group.ts';
import { type Material, plain, surface } from './material.ts';
import { rectangle, stroke } from './shapes.ts';

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
  const material = surface(random, palette, noises, dimmed(palette.colour(), 0.6), place.radius, 0.6);
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

/** Objects made of thin lines: wires and branches. */

import { paint } from './canvas.ts';
import { dimmed, type Scene, type Spot } from './group.ts';
import { type Material, plain, surface } from './material.ts';
import { stroke } from './shapes.ts';

/** A chain of strokes that tapers from half width w0 to w1. */
export function chain(
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

/** A curved line (wire, stem, whisker) that starts at the position and spans twice its radius. */
export function line(scene: Scene, spot: Spot): void {
  const { random, palette } = scene;
  const [c, s] = random.chance(0.4) ? random.nearlyLevel(0.2) : random.direction();
  const bend = random.chance(0.5) ? 0 : random.normal() * 0.4 * spot.radius;
  const points: [number, number][] = [];
  const steps = bend === 0 ? 1 : 14;
  for (let i = 0; i <= steps; i++) {
    const t = (2 * i) / steps - 1;
    const off = bend * (1 - t * t);
    points.push([spot.x + spot.radius * t * c - off * s, spot.y + spot.radius * t * s + off * c]);
  }
  const width = random.octaves(0.3, 3.3);
  chain(scene, points, width, random.chance(0.5) ? width : width * 0.3, plain(palette.colour()), spot.softness);
}

/** A stem that divides into twigs. */
export function branches(scene: Scene, spot: Spot): void {
  const { random, palette, noises } = scene;
  const material = surface(random, palette, noises, dimmed(palette.colour(), 0.6), spot.radius, 0.6);
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
    chain(scene, points, width, width * 0.65, material, spot.softness);
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
  const length = spot.radius * 0.6;
  grow(
    spot.x - c * spot.radius,
    spot.y - s * spot.radius,
    c,
    s,
    length,
    Math.max(0.8, length * random.uniform(0.02, 0.09)),
    5,
  );
}

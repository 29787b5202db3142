/** Paints shapes over one another, with soft edges as through a lens. */

import type { Material } from './material.ts';
import type { Colour } from './palette.ts';
import type { Shape } from './shapes.ts';

/** RGB in 0…1: `data[(y · width + x) · 3 + c]`. */
export interface Canvas {
  readonly width: number;
  readonly height: number;
  readonly data: Float32Array;
}

/** The colour at a position, clamped to the canvas. */
export function colourAt({ width, height, data }: Canvas, x: number, y: number): Colour {
  const px = Math.min(width - 1, Math.max(0, Math.floor(x)));
  const py = Math.min(height - 1, Math.max(0, Math.floor(y)));
  const at = (py * width + px) * 3;
  return [data[at], data[at + 1], data[at + 2]];
}

export interface Stroke {
  readonly shape: Shape;
  readonly material: Material;
  /** Centre, in pixels; pixel centres lie at halves. */
  readonly x: number;
  readonly y: number;
  /** Half width in pixels of the edge's ramp; 0.5 is a sharp edge. */
  readonly softness: number;
  /** 0…1. Default 1. */
  readonly opacity?: number;
}

const shaded = new Float64Array(3);

/** Paints a shape onto the canvas. */
export function paint(canvas: Canvas, { shape, material, x, y, softness, opacity = 1 }: Stroke): void {
  const { width, height, data } = canvas;
  const reach = shape.reach + softness;
  const left = Math.max(0, Math.floor(x - reach));
  const right = Math.min(width, Math.ceil(x + reach) + 1);
  const top = Math.max(0, Math.floor(y - reach));
  const bottom = Math.min(height, Math.ceil(y + reach) + 1);
  const perPixel = 0.5 / softness;
  for (let py = top; py < bottom; py++) {
    const dy = py + 0.5 - y;
    for (let px = left; px < right; px++) {
      const dx = px + 0.5 - x;
      const distance = shape.distance(dx, dy);
      if (distance >= softness) continue;
      let cover = opacity;
      if (distance > -softness) {
        const t = 0.5 - distance * perPixel;
        cover *= t * t * (3 - 2 * t);
      }
      material.shade(dx, dy, distance, shaded);
      const at = (py * width + px) * 3;
      data[at] += cover * (shaded[0] - data[at]);
      data[at + 1] += cover * (shaded[1] - data[at + 1]);
      data[at + 2] += cover * (shaded[2] - data[at + 2]);
    }
  }
}

/** Planes for passes. */

import type { Plane } from '../image/plane.ts';
import { type Boundary, within } from '../image/resize-taps.ts';
import type { Runner } from './passes.ts';

/** A plane of zeros in a runner's memory. */
export function planeFor(runner: Runner, width: number, height: number): Plane {
  return { width, height, data: new Float64Array(runner.memory(width * height * Float64Array.BYTES_PER_ELEMENT)) };
}

/** A copy with `border` more samples at each side, in a runner's memory. */
export function framed(plane: Plane, border: number, boundary: Boundary, runner: Runner): Plane {
  const { width, height, data } = plane;
  const out = planeFor(runner, width + 2 * border, height + 2 * border);
  for (let y = 0, to = 0; y < out.height; y++) {
    const row = within(y - border, height, boundary) * width;
    for (let x = 0; x < out.width; x++) out.data[to++] = data[row + within(x - border, width, boundary)];
  }
  return out;
}

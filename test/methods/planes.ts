/** Planes for the tests of methods. */
import type { Plane } from '../../image/plane.ts';

/** A plane by formula. */
export function planeOf(width: number, height: number, at: (x: number, y: number) => number): Plane {
  const data = Float64Array.from({ length: width * height }, (_, i) => at(i % width, Math.floor(i / width)));
  return { width, height, data };
}

/** Edges, lines and texture of 8-bit levels: enough for every branch of a method. */
export const scene = (width: number, height: number): Plane =>
  planeOf(width, height, (x, y) => {
    const edge = x * 0.8 + y * 0.6 < 0.55 * width ? 60 : 180;
    const texture = 25 * Math.sin(x * 1.1 + y * 0.4) * Math.cos(y * 0.7);
    const line = Math.abs(x - y - 3) < 1 ? 60 : 0;
    return Math.round(edge + (y > height / 2 ? texture : line));
  });

/** Rows and columns swapped. */
export const transposed = ({ width, height, data }: Plane): Plane =>
  planeOf(height, width, (x, y) => data[x * width + y]);

/** The largest difference of two planes' samples. */
export function largestDifference(a: Plane, b: Plane): number {
  let most = a.width === b.width && a.height === b.height ? 0 : Number.NaN;
  for (let i = 0; i < a.data.length; i++) most = Math.max(most, Math.abs(a.data[i] - b.data[i]));
  return most;
}

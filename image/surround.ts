/** Pads pictures and planes. */

import { type Picture, type Samples, samplesLike } from './picture.ts';
import type { Plane } from './plane.ts';
import { type Boundary, within } from './resize-taps.ts';

/** Adds `border` pixels at each side. A border wider than the picture repeats it. */
export function surround<S extends Samples>(picture: Picture<S>, border: number, boundary: Boundary): Picture<S> {
  if (border === 0) return picture;
  const { width, height, channels, data } = picture;
  const [wide, high] = [width + 2 * border, height + 2 * border];
  const out = samplesLike(data, wide * high * channels);
  fill(out, picture, border, boundary);
  return { width: wide, height: high, channels, data: out };
}

/** `surround` for a plane. */
export function surroundPlane(plane: Plane, border: number, boundary: Boundary): Plane {
  if (border === 0) return plane;
  const [width, height] = [plane.width + 2 * border, plane.height + 2 * border];
  const data = new Float64Array(width * height);
  fill(data, { ...plane, channels: 1 }, border, boundary);
  return { width, height, data };
}

interface Source {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  readonly data: Samples | Float64Array;
}

function fill(
  out: Source['data'],
  { width, height, channels, data }: Source,
  border: number,
  boundary: Boundary,
): void {
  const columns = Array.from({ length: width + 2 * border }, (_, x) => within(x - border, width, boundary) * channels);
  let to = 0;
  for (let y = 0; y < height + 2 * border; y++) {
    const row = within(y - border, height, boundary) * width * channels;
    for (const column of columns) for (let c = 0; c < channels; c++) out[to++] = data[row + column + c];
  }
}

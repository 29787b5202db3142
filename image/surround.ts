/** Pads pictures. */

import { type Picture, type Samples, samplesLike } from './picture.ts';
import { type Boundary, within } from './resize-taps.ts';

/** Adds `border` pixels at each side. A border wider than the picture repeats it. */
export function surround<S extends Samples>(picture: Picture<S>, border: number, boundary: Boundary): Picture<S> {
  if (border === 0) return picture;
  const { width, height, channels, data } = picture;
  const [wide, high] = [width + 2 * border, height + 2 * border];
  const out = samplesLike(data, wide * high * channels);
  const columns = Array.from({ length: wide }, (_, x) => within(x - border, width, boundary) * channels);
  let to = 0;
  for (let y = 0; y < high; y++) {
    const row = within(y - border, height, boundary) * width * channels;
    for (const column of columns) for (let c = 0; c < channels; c++) out[to++] = data[row + column + c];
  }
  return { width: wide, height: high, channels, data: out };
}

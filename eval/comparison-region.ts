/** Chooses the region of a large picture that a comparison shows. */

import { luma } from '../image/colour.ts';
import { ImageError } from '../image/errors.ts';
import { crop, describe, type Picture } from '../image/picture.ts';

/** A rectangle in pixels. */
export interface Region {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** The largest size with the picture's aspect ratio, sides up to `longest`, and multiples of `multiple` pixels. */
export function regionSize({ width, height }: Picture, longest: number, multiple: number) {
  const scale = Math.min(1, longest / Math.max(width, height));
  const shrunk = (side: number) => Math.max(multiple, Math.floor((side * scale) / multiple) * multiple);
  return scale === 1 ? { width, height } : { width: shrunk(width), height: shrunk(height) };
}

/** `sums[(y · (width + 1)) + x]`: squared differences of luma above and left of (x, y). */
function summedDifferences(a: Picture, b: Picture): Float64Array {
  const { width, height } = a;
  const [ya, yb] = [luma(a).data, luma(b).data];
  const sums = new Float64Array((width + 1) * (height + 1));
  for (let y = 0; y < height; y++) {
    let row = 0;
    for (let x = 0; x < width; x++) {
      const difference = ya[y * width + x] - yb[y * width + x];
      row += difference * difference;
      sums[(y + 1) * (width + 1) + x + 1] = sums[y * (width + 1) + x + 1] + row;
    }
  }
  return sums;
}

/**
 * Where two pictures of equal size differ most: the `width`×`height` rectangle at multiples of `step` pixels with the
 * largest sum of squared luma differences. Ties go to the topmost, then leftmost.
 * @throws ImageError for unequal sizes or a rectangle larger than the pictures.
 */
export function mostTellingRegion(a: Picture, b: Picture, width: number, height: number, step = 1): Region {
  if (a.width !== b.width || a.height !== b.height || width > a.width || height > a.height) {
    throw new ImageError('picture', `no region of ${width}x${height} in both ${describe(a)} and ${describe(b)}`);
  }
  const sums = summedDifferences(a, b);
  const stride = a.width + 1;
  let best: Region = { x: 0, y: 0, width, height };
  let most = Number.NEGATIVE_INFINITY;
  for (let y = 0; y + height <= a.height; y += step) {
    const [top, bottom] = [y * stride, (y + height) * stride];
    for (let x = 0; x + width <= a.width; x += step) {
      const sum = sums[bottom + x + width] - sums[bottom + x] - sums[top + x + width] + sums[top + x];
      if (sum > most) {
        most = sum;
        best = { x, y, width, height };
      }
    }
  }
  return best;
}

/** Crops the region from a picture `factor` times smaller than the one it was chosen in. */
export function cropRegion(picture: Picture, { x, y, width, height }: Region, factor = 1): Picture {
  return crop(picture, x / factor, y / factor, width / factor, height / factor);
}

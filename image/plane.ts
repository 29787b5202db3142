/** One channel of numbers, for metrics and the colour conversions before them. */

import { ImageError } from './errors.ts';

/** `data[y · width + x]`; the range is that of whatever made it. */
export interface Plane {
  readonly width: number;
  readonly height: number;
  readonly data: Float64Array;
}

/** The plane without a strip of `border` samples at each side. */
export function shavePlane(plane: Plane, border: number): Plane {
  const width = plane.width - 2 * border;
  const height = plane.height - 2 * border;
  if (width < 1 || height < 1) {
    throw new ImageError('picture', `${plane.width}x${plane.height} is too small to cut ${border} from each side`);
  }
  const data = new Float64Array(width * height);
  for (let y = 0; y < height; y++) {
    const start = (y + border) * plane.width + border;
    data.set(plane.data.subarray(start, start + width), y * width);
  }
  return { width, height, data };
}

/** Single-channel float images, for metrics and their colour conversions. */

import { ImageError } from './errors.ts';

/** `data[y · width + x]`; the range depends on its source. */
export interface Plane {
  /** In samples. */
  readonly width: number;
  /** In samples. */
  readonly height: number;
  /** The samples, row by row. */
  readonly data: Float64Array;
}

/** Crops `border` samples from each side. */
export function shavePlane(plane: Plane, border: number): Plane {
  const width = plane.width - 2 * border;
  const height = plane.height - 2 * border;
  if (width < 1 || height < 1) {
    throw new ImageError('picture', `${plane.width}x${plane.height} is too small to crop ${border} from each side`);
  }
  const data = new Float64Array(width * height);
  for (let y = 0; y < height; y++) {
    const start = (y + border) * plane.width + border;
    data.set(plane.data.subarray(start, start + width), y * width);
  }
  return { width, height, data };
}

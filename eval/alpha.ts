/** Enlarging pictures that have an alpha channel, whatever enlarges their colour. */

import { createPicture, hasAlpha, joinAlpha, type Picture, splitAlpha } from '../image/picture.ts';
import { resize } from '../image/resize.ts';

/**
 * Enlarges colour by `upscaleColour` and alpha by bicubic. What lies under fully transparent pixels is often black or
 * noise and would show as a fringe around what is visible: it is replaced by the nearest visible colours first.
 * @param upscaleColour takes 1 or 3 channels and returns as many, `scale` times as wide and high.
 */
export async function upscaleBesideAlpha(
  picture: Picture,
  scale: number,
  upscaleColour: (colour: Picture) => Promise<Picture>,
): Promise<Picture> {
  if (!hasAlpha(picture)) return await upscaleColour(picture);
  const { colour, alpha } = splitAlpha(picture);
  const enlarged = await upscaleColour(spreadColour(colour, alpha!));
  return joinAlpha(enlarged, resize(alpha!, scale, { method: 'bicubic' }));
}

/**
 * The picture with the colour of fully transparent pixels replaced: ring by ring outwards from the visible ones, each
 * pixel becomes the mean of its neighbours in earlier rings (8-neighbourhood, rounded half up).
 */
export function spreadColour(colour: Picture, alpha: Picture): Picture {
  const { width, height, channels } = colour;
  const known = Uint8Array.from(alpha.data, value => (value > 0 ? 1 : 0));
  if (known.every(Boolean) || !known.some(Boolean)) return colour;
  const data = colour.data.slice();
  /** The neighbours of a pixel for which `known` is `wanted`. */
  const neighbours = (pixel: number, wanted: number) => {
    const [x, y] = [pixel % width, Math.floor(pixel / width)];
    const found: number[] = [];
    for (let j = Math.max(0, y - 1); j <= Math.min(height - 1, y + 1); j++) {
      for (let i = Math.max(0, x - 1); i <= Math.min(width - 1, x + 1); i++) {
        if (known[j * width + i] === wanted) found.push(j * width + i);
      }
    }
    return found;
  };
  let ring: number[] = [];
  for (let pixel = 0; pixel < known.length; pixel++) {
    if (!known[pixel] && neighbours(pixel, 1).length > 0) ring.push(pixel);
  }
  while (ring.length > 0) {
    for (const pixel of ring) {
      const sources = neighbours(pixel, 1);
      for (let c = 0; c < channels; c++) {
        const sum = sources.reduce((total, source) => total + data[source * channels + c], 0);
        data[pixel * channels + c] = Math.floor(sum / sources.length + 0.5);
      }
    }
    for (const pixel of ring) known[pixel] = 1;
    ring = [...new Set(ring.flatMap(pixel => neighbours(pixel, 0)))];
  }
  return createPicture(width, height, channels, data);
}

/** Enlarging pictures that have an alpha channel, whatever enlarges their colour. */

import { createPicture, hasAlpha, joinAlpha, type Picture, type Samples, splitAlpha } from '../image/picture.ts';
import { resize } from '../image/resize.ts';

/**
 * Enlarges colour by `upscaleColour` and alpha by bicubic. What lies under fully transparent pixels is often black or
 * noise and would show as a fringe around what is visible: it is replaced by the nearest visible colours first.
 * @param upscaleColour takes 1 or 3 channels and returns as many, `scale` times as wide and high.
 */
export async function upscaleBesideAlpha<S extends Samples>(
  picture: Picture<S>,
  scale: number,
  upscaleColour: (colour: Picture<S>) => Promise<Picture<S>>,
): Promise<Picture<S>> {
  if (!hasAlpha(picture)) return await upscaleColour(picture);
  const { colour, alpha } = splitAlpha(picture);
  const enlarged = await upscaleColour(spreadColour(colour, alpha!));
  return joinAlpha(enlarged, resize(alpha!, scale, { method: 'bicubic' }));
}

/** What is known of a pixel's colour while colours are spread. */
const [UNKNOWN, KNOWN, IN_RING] = [0, 1, 2];

/**
 * The picture with the colour of fully transparent pixels replaced: ring by ring outwards from the visible ones, each
 * pixel becomes the mean of its neighbours in earlier rings (8-neighbourhood, rounded half up).
 */
export function spreadColour<S extends Samples>(colour: Picture<S>, alpha: Picture<S>): Picture<S> {
  const { width, height, channels } = colour;
  const state = new Uint8Array(width * height);
  for (let pixel = 0; pixel < state.length; pixel++) if (alpha.data[pixel] > 0) state[pixel] = KNOWN;
  if (!state.includes(UNKNOWN) || !state.includes(KNOWN)) return colour;
  const data = colour.data.slice() as S;
  /** Calls `visit` with the neighbours of a pixel of which `wanted` is known. */
  const neighbours = (pixel: number, wanted: number, visit: (neighbour: number) => void) => {
    const [x, y] = [pixel % width, Math.floor(pixel / width)];
    for (let j = Math.max(0, y - 1); j <= Math.min(height - 1, y + 1); j++) {
      for (let i = Math.max(0, x - 1); i <= Math.min(width - 1, x + 1); i++) {
        if (state[j * width + i] === wanted) visit(j * width + i);
      }
    }
  };
  const sums = new Float64Array(channels);
  const fill = (pixel: number) => {
    let count = 0;
    sums.fill(0);
    neighbours(pixel, KNOWN, source => {
      count++;
      for (let c = 0; c < channels; c++) sums[c] += data[source * channels + c];
    });
    for (let c = 0; c < channels; c++) data[pixel * channels + c] = Math.floor(sums[c] / count + 0.5);
  };
  const ringAround = (pixels: Iterable<number>) => {
    const ring: number[] = [];
    for (const pixel of pixels) {
      neighbours(pixel, UNKNOWN, neighbour => {
        state[neighbour] = IN_RING;
        ring.push(neighbour);
      });
    }
    return ring;
  };
  let ring = ringAround(visible(state));
  while (ring.length > 0) {
    for (const pixel of ring) fill(pixel);
    for (const pixel of ring) state[pixel] = KNOWN;
    ring = ringAround(ring);
  }
  return createPicture(width, height, channels, data);
}

function* visible(state: Uint8Array): Generator<number> {
  for (let pixel = 0; pixel < state.length; pixel++) if (state[pixel] === KNOWN) yield pixel;
}

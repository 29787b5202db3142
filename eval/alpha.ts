/** Upscales pictures with an alpha channel, independently of the method for their colour. */

import { createPicture, hasAlpha, joinAlpha, type Picture, peak, type Samples, splitAlpha } from '../image/picture.ts';
import { resize } from '../image/resize.ts';
import { type Boundary, within } from '../image/resize-taps.ts';
import type { Size } from './tiles.ts';

/**
 * Upscales colour and alpha separately, to the same size. Fully transparent pixels are often black or noise, which
 * would show as a fringe around visible parts, so they are first replaced by the nearest visible colours.
 * @param colourOf takes 1 or 3 channels and returns as many.
 * @param alphaOf takes and returns 1 channel.
 */
export async function upscaleBesideAlpha<S extends Samples>(
  picture: Picture<S>,
  colourOf: (colour: Picture<S>) => Promise<Picture<S>>,
  alphaOf: (alpha: Picture<S>) => Picture<S>,
): Promise<Picture<S>> {
  if (!hasAlpha(picture)) return await colourOf(picture);
  const { colour, alpha } = splitAlpha(picture);
  return joinAlpha(await colourOf(spreadColour(colour, alpha!)), alphaOf(alpha!));
}

/** Radius of bicubic interpolation in pixels. */
const REACH = 2;

/**
 * Upscales alpha by bicubic interpolation. Where a mask is hard (only opaque or transparent within the radius of the
 * interpolation), the result is thresholded at one half: soft edges would show as halos around cut-outs.
 */
export function upscaleAlpha<S extends Samples>(alpha: Picture<S>, to: Size, boundary: Boundary): Picture<S> {
  const enlarged = resize(alpha, to, { method: 'bicubic', boundary });
  const { width, height } = alpha;
  if (to.width < width || to.height < height) return enlarged;
  const opaque = peak(alpha);
  const soft = softPixels(alpha, boundary);
  const columns = Array.from({ length: to.width }, (_, x) => Math.floor(((x + 0.5) * width) / to.width));
  for (let y = 0, at = 0; y < to.height; y++) {
    const row = Math.floor(((y + 0.5) * height) / to.height) * width;
    for (let x = 0; x < to.width; x++, at++)
      if (soft[row + columns[x]] === 0) enlarged.data[at] = enlarged.data[at] * 2 > opaque ? opaque : 0;
  }
  return enlarged;
}

/** 1 for each pixel within REACH, across and down, of a partially transparent one. */
function softPixels(alpha: Picture<Samples>, boundary: Boundary): Uint8Array {
  const { width, height, data } = alpha;
  const opaque = peak(alpha);
  const between = Uint8Array.from(data, value => (value === 0 || value === opaque ? 0 : 1));
  const across = spread(between, { count: height, step: width }, { count: width, step: 1 }, boundary);
  return spread(across, { count: width, step: 1 }, { count: height, step: width }, boundary);
}

/** Number and stride of elements. */
interface Axis {
  readonly count: number;
  readonly step: number;
}

/** Dilates marks by REACH along an axis. */
function spread(marks: Uint8Array, lines: Axis, along: Axis, boundary: Boundary): Uint8Array {
  const out = new Uint8Array(marks.length);
  for (let line = 0; line < lines.count; line++) {
    const start = line * lines.step;
    for (let i = 0; i < along.count; i++) {
      if (marks[start + i * along.step] === 0) continue;
      for (let j = i - REACH; j <= i + REACH; j++) out[start + within(j, along.count, boundary) * along.step] = 1;
    }
  }
  return out;
}

/** States of a pixel's colour while colours are spread. */
const [UNKNOWN, KNOWN, IN_RING] = [0, 1, 2];

/**
 * Replaces the colour of fully transparent pixels, ring by ring outwards from the visible ones. Each pixel becomes the
 * mean of its neighbours in earlier rings (8-neighbourhood, rounded half up).
 */
export function spreadColour<S extends Samples>(colour: Picture<S>, alpha: Picture<S>): Picture<S> {
  const { width, height, channels } = colour;
  const state = new Uint8Array(width * height);
  for (let pixel = 0; pixel < state.length; pixel++) if (alpha.data[pixel] > 0) state[pixel] = KNOWN;
  if (!state.includes(UNKNOWN) || !state.includes(KNOWN)) return colour;
  const data = colour.data.slice() as S;
  /** Calls `visit` with the neighbours of a pixel that are in state `wanted`. */
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

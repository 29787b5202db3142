/** Splits a picture into overlapping windows, so that the combined result of a network has no seams. */

import { mebibytes } from '../common/text.ts';
import { DaybreakError } from '../engine/basics/errors.ts';
import { TileError } from './errors.ts';

/** Sides in pixels. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/** A rectangle in pixels; (`x`, `y`) is its top left corner. */
export interface Rectangle extends Size {
  readonly x: number;
  readonly y: number;
}

/**
 * The network runs on `window`; only the result of `keep`, a part of it, is used. Both in pixels of the network's input: the
 * picture, or the enlarged picture.
 */
export interface Tile {
  readonly window: Rectangle;
  readonly keep: Rectangle;
}

/** A network's halo and memory, for choosing a window; see `Upscaler`. */
export interface TileCosts {
  /** Radius of the receptive field in pixels. */
  readonly halo: number;
  /** Peak bytes of a pass over a window; Infinity if the adapter cannot run it. */
  bytes(height: number, width: number): number;
  /** If the network's input is the picture enlarged by `scale`. Default: the picture as it is. */
  readonly images?: { readonly enlarged: boolean };
  readonly scale?: number;
}

interface Span {
  readonly start: number;
  readonly from: number;
  readonly to: number;
}

/** Windows of equal size along a side of `length`: window i is start…start + window, and from…to is kept. */
function spans(length: number, window: number, halo: number): Span[] {
  if (window >= length) return [{ start: 0, from: 0, to: length }];
  const step = window - 2 * halo;
  const count = Math.ceil((length - 2 * halo) / step);
  // The last window ends at the edge: it overlaps its neighbour more, but has the same size.
  const start = (i: number) => Math.min(i * step, length - window);
  const end = (i: number) => (i === count - 1 ? length : start(i) + window - halo);
  return Array.from({ length: count }, (_, i) => ({ start: start(i), from: i === 0 ? 0 : end(i - 1), to: end(i) }));
}

/**
 * Covers a picture with windows of equal size (each size needs a compilation), at most the picture's. The kept part of
 * a window is surrounded by `halo` pixels, except at the picture's edge, where the network's own padding must act as on
 * the whole picture. The kept parts are disjoint and cover the picture.
 * @throws DaybreakError if a repeated window is not larger than its two halos.
 */
export function planTiles(picture: Size, window: Size, halo: number): Tile[] {
  for (const side of ['width', 'height'] as const) {
    if (window[side] < picture[side] && window[side] <= 2 * halo) {
      throw new DaybreakError(
        `A window of ${window.width}x${window.height} is all halo (${halo} pixels on each side): use a larger tile.`,
      );
    }
  }
  const width = Math.min(window.width, picture.width);
  const height = Math.min(window.height, picture.height);
  const across = spans(picture.width, width, halo);
  return spans(picture.height, height, halo).flatMap(row =>
    across.map(column => ({
      window: { x: column.start, y: row.start, width, height },
      keep: { x: column.from, y: row.from, width: column.to - column.from, height: row.to - row.from },
    })),
  );
}

/** Window sides are multiples of this: kernels work on blocks of 8, and pictures of similar size share a window. */
const GRANULE = 8;

/** A candidate window side, and the total pixels computed along the picture's side with it, including halos. */
interface Side {
  readonly window: number;
  readonly computed: number;
}

/** Candidate window sides along `length`, ascending; the last is the whole side. */
function sidesFor(length: number, halo: number): Side[] {
  const sides: Side[] = [];
  const first = Math.floor((2 * halo) / GRANULE + 1) * GRANULE;
  for (let window = first; window < length; window += GRANULE) {
    sides.push({ window, computed: Math.ceil((length - 2 * halo) / (window - 2 * halo)) * window });
  }
  sides.push({ window: length, computed: length });
  return sides;
}

/** For each side, the side up to it with the least computation; ties go to the largest. */
function bestUpTo(sides: readonly Side[]): Side[] {
  let best = sides[0];
  return sides.map(side => {
    if (side.computed <= best.computed) best = side;
    return best;
  });
}

/**
 * The window within `budget` bytes that needs the fewest computed pixels in total, including repeated halos; the whole
 * picture if that fits. `costs.bytes` must not decrease as a side grows.
 * @throws TileError if even the smallest window does not fit.
 */
export function chooseWindow(picture: Size, costs: TileCosts, budget: number): Size {
  const widths = sidesFor(picture.width, costs.halo);
  const heights = sidesFor(picture.height, costs.halo);
  const bestHeight = bestUpTo(heights);
  let best: Size | undefined;
  let least = Number.POSITIVE_INFINITY;
  // A wider window must be lower: walks once along the boundary of what fits.
  let tallest = heights.length - 1;
  for (const width of widths) {
    while (tallest >= 0 && costs.bytes(heights[tallest].window, width.window) > budget) tallest--;
    if (tallest < 0) break;
    const height = bestHeight[tallest];
    if (width.computed * height.computed > least) continue;
    least = width.computed * height.computed;
    best = { width: width.window, height: height.window };
  }
  if (best) return best;
  const [width, height] = [widths[0].window, heights[0].window];
  throw new TileError(tooSmall(`${width}x${height}`, costs.halo, costs.bytes(height, width), budget));
}

function tooSmall(window: string, halo: number, bytes: number, budget: number): string {
  const smallest = `the smallest tile, ${window} pixels with a halo of ${halo},`;
  if (bytes === Number.POSITIVE_INFINITY) return `Cannot upscale: ${smallest} is more than this adapter can run.`;
  return `Cannot upscale: ${smallest} needs ${mebibytes(bytes, 1)}, but the memory budget is ${mebibytes(budget, 1)}. Raise the budget.`;
}

/** How a picture is cut into overlapping windows so that a network's result, put together again, has no seams. */

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

/** `window` is what the network sees; of its result only `keep`, a part of it, is used. Both in the picture's pixels. */
export interface Tile {
  readonly window: Rectangle;
  readonly keep: Rectangle;
}

/** What the choice of a window needs to know of a network; see `Upscaler`. */
export interface TileCosts {
  /** Pixels around a pixel on which its result depends. */
  readonly halo: number;
  /** Bytes at the peak of a pass over a window; Infinity where the adapter cannot run it at all. */
  bytes(height: number, width: number): number;
}

interface Span {
  readonly start: number;
  readonly from: number;
  readonly to: number;
}

/** Windows of one size along a side of `length`: window i is start…start + window, and from…to of it is kept. */
function spans(length: number, window: number, halo: number): Span[] {
  if (window >= length) return [{ start: 0, from: 0, to: length }];
  const step = window - 2 * halo;
  const count = Math.ceil((length - 2 * halo) / step);
  // The last window ends at the edge instead of beyond it: it overlaps its neighbour more, and has the same size.
  const start = (i: number) => Math.min(i * step, length - window);
  const end = (i: number) => (i === count - 1 ? length : start(i) + window - halo);
  return Array.from({ length: count }, (_, i) => ({ start: start(i), from: i === 0 ? 0 : end(i - 1), to: end(i) }));
}

/**
 * Covers a picture with windows that all have the same size (each size costs a compilation), capped at the picture's.
 * Around what is kept of a window lie `halo` pixels, fewer only at the picture's edge, where the network's own padding
 * must act as it does on the whole picture. The kept parts are disjoint and cover everything.
 * @throws DaybreakError for a window that does not exceed its two halos where it has to be repeated.
 */
export function planTiles(picture: Size, window: Size, halo: number): Tile[] {
  for (const side of ['width', 'height'] as const) {
    if (window[side] < picture[side] && window[side] <= 2 * halo) {
      throw new DaybreakError(
        `A tile's window of ${window.width}x${window.height} is all halo (${halo} at each side): make it larger.`,
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

/** Windows come in multiples of this: kernels work on blocks of 8, and pictures of like size share a window. */
const GRANULE = 8;

/** A side that a window may have, and the pixels computed along the picture's side with it, halos included. */
interface Side {
  readonly window: number;
  readonly computed: number;
}

/** The sides that a window may have along `length`, ascending; the last is the whole. */
function sidesFor(length: number, halo: number): Side[] {
  const sides: Side[] = [];
  const first = Math.floor((2 * halo) / GRANULE + 1) * GRANULE;
  for (let window = first; window < length; window += GRANULE) {
    sides.push({ window, computed: Math.ceil((length - 2 * halo) / (window - 2 * halo)) * window });
  }
  sides.push({ window: length, computed: length });
  return sides;
}

/** For each side the one, of it and all smaller, that computes least; of equals the largest. */
function bestUpTo(sides: readonly Side[]): Side[] {
  let best = sides[0];
  return sides.map(side => {
    if (side.computed <= best.computed) best = side;
    return best;
  });
}

/**
 * The window within `budget` bytes with which the least pixels are computed in all, halos counted as often as they are
 * computed: the whole picture where that fits. `costs.bytes` must not fall where a side grows.
 * @throws TileError where even the smallest window does not fit.
 */
export function chooseWindow(picture: Size, costs: TileCosts, budget: number): Size {
  const widths = sidesFor(picture.width, costs.halo);
  const heights = sidesFor(picture.height, costs.halo);
  const bestHeight = bestUpTo(heights);
  let best: Size | undefined;
  let least = Number.POSITIVE_INFINITY;
  // The wider the window, the lower it must be: one walk along the edge of what fits.
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
  const mib = (n: number) => `${(n / 2 ** 20).toFixed(1)} MiB`;
  return `Cannot upscale: ${smallest} takes ${mib(bytes)}, the memory budget is ${mib(budget)}. Raise the budget.`;
}

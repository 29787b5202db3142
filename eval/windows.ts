/** Chooses a network's windows: of a given size or within a budget, and smaller ones after running out of memory. */

import { DaybreakError } from '../engine/basics/errors.ts';
import { TileError } from './errors.ts';
import { chooseWindow, type Size, type TileCosts } from './tiles.ts';

/** Tiling options. */
export interface TileOptions {
  /** Side of a tile in the picture's pixels, without its halo; 0: no tiles. Default: what the budget allows. */
  readonly tile?: number | undefined;
  /** Maximum bytes of a pass if no tile is given. Default: 1 GiB. */
  readonly memoryBudget?: number | undefined;
}

/** Default bytes of a pass over one tile: little for a GPU, acceptable for a laptop's memory. */
export const DEFAULT_MEMORY_BUDGET = 2 ** 30;

/** Chooses windows for the pictures of a run, and remembers memory limits found by earlier ones. */
export class Windows {
  readonly #costs: TileCosts;
  readonly #options: TileOptions;
  /** Maximum bytes of a pass after running out of memory. */
  #learned: number | undefined;

  constructor(costs: TileCosts, options: TileOptions = {}) {
    this.#costs = costs;
    this.#options = options;
  }

  /** @throws TileError if no tile fits the budget, DaybreakError for an invalid tile size. */
  choose(picture: Size): Size {
    const { tile, memoryBudget = DEFAULT_MEMORY_BUDGET } = this.#options;
    if (this.#learned !== undefined) return chooseWindow(picture, this.#costs, this.#learned);
    if (tile === undefined) return chooseWindow(picture, this.#costs, memoryBudget);
    if (!Number.isInteger(tile) || tile < 0) {
      throw new DaybreakError(`Expected a tile size of 0 (no tiles) or a positive integer, got ${tile}.`);
    }
    if (tile === 0) return { width: picture.width, height: picture.height };
    const { halo, images, scale = 1 } = this.#costs;
    const side = tile * (images?.enlarged ? scale : 1) + 2 * halo;
    return { width: side, height: side };
  }

  /**
   * Returns a window with half the memory of one that failed, and limits all later windows.
   * @throws TileError, with `cause`, if there is none; then the limit stays.
   */
  halve(picture: Size, window: Size, cause: Error): Size {
    const [width, height] = [Math.min(window.width, picture.width), Math.min(window.height, picture.height)];
    const bytes = this.#costs.bytes(height, width);
    const budget = Number.isFinite(bytes) ? bytes / 2 : DEFAULT_MEMORY_BUDGET;
    let smaller: Size;
    try {
      smaller = chooseWindow(picture, this.#costs, budget);
    } catch (error) {
      if (!(error instanceof TileError)) throw error;
      const tried = `a tile of ${width}x${height} pixels needs too much GPU memory, and no smaller tile is possible`;
      throw new TileError(`Cannot upscale: ${tried}. ${cause.message}`, { cause });
    }
    this.#learned = Math.min(this.#learned ?? Number.POSITIVE_INFINITY, budget);
    return smaller;
  }
}

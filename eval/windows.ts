/** The windows that a network is given: of a stated size or within a budget, and smaller ones once memory has run out. */

import { DaybreakError } from '../engine/basics/errors.ts';
import { TileError } from './errors.ts';
import { chooseWindow, type Size, type TileCosts } from './tiles.ts';

/** How a picture is cut. */
export interface TileOptions {
  /** Side of a tile in LR pixels, its halo not counted; 0 takes the picture whole. Default: what the budget allows. */
  readonly tile?: number | undefined;
  /** Bytes that a pass may take where no tile is given. Default: 1 GiB. */
  readonly memoryBudget?: number | undefined;
}

/** Bytes of a pass over one tile where nothing else is asked: little for a GPU, bearable for a laptop's memory. */
export const DEFAULT_MEMORY_BUDGET = 2 ** 30;

/** Chooses windows for the pictures of a run; what it learns from one about memory holds for the next. */
export class Windows {
  readonly #costs: TileCosts;
  readonly #options: TileOptions;
  /** Bytes of a pass, once memory has run out. */
  #learned: number | undefined;

  constructor(costs: TileCosts, options: TileOptions = {}) {
    this.#costs = costs;
    this.#options = options;
  }

  /** @throws TileError where no tile fits the budget, DaybreakError for a tile that is none. */
  choose(picture: Size): Size {
    const { tile, memoryBudget = DEFAULT_MEMORY_BUDGET } = this.#options;
    if (this.#learned !== undefined) return chooseWindow(picture, this.#costs, this.#learned);
    if (tile === undefined) return chooseWindow(picture, this.#costs, memoryBudget);
    if (!Number.isInteger(tile) || tile < 0) {
      throw new DaybreakError(`A tile of ${tile} pixels: give a positive whole number, or 0 for the whole picture.`);
    }
    if (tile === 0) return { width: picture.width, height: picture.height };
    const side = tile + 2 * this.#costs.halo;
    return { width: side, height: side };
  }

  /**
   * A window of half the memory of one that was too much; from now on all are as small.
   * @throws TileError where there is none, with `cause`; then nothing is learned.
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
      const tried = `a tile of ${width}x${height} pixels is too much for the GPU and none is smaller`;
      throw new TileError(`Cannot upscale: ${tried}. ${cause.message}`, { cause });
    }
    this.#learned = Math.min(this.#learned ?? Number.POSITIVE_INFINITY, budget);
    return smaller;
  }
}

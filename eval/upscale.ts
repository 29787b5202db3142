/** Enlarging a picture with a network, whole or tile by tile: the same picture either way, bit for bit. */

import { DaybreakError } from '../engine/errors.ts';
import { toGrey } from '../image/colour.ts';
import { createPicture, type Picture, toRgb } from '../image/picture.ts';
import { upscaleBesideAlpha } from './alpha.ts';
import { chooseWindow, planTiles, type Rectangle, type Size, type Tile } from './tiles.ts';

/** A network that enlarges; `models/` makes one from a file. */
export interface Upscaler {
  /** For messages and labels. */
  readonly name: string;
  /** Enlargement: 4. */
  readonly scale: number;
  /** LR pixels around an output pixel on which it depends: the halo a tile needs. */
  readonly halo: number;
  /** GPU bytes that a forward pass of an h×w tile takes at its peak; Infinity where the adapter cannot run it at all. */
  bytes(height: number, width: number): number;
  /** Planar RGB in [0,1], [3][h][w] → planar RGB about [-1,1], [3][scale·h][scale·w]. Zeros count beyond the edges. */
  run(planes: Float32Array, height: number, width: number): Promise<Float32Array>;
}

/** How far a picture is and whether to go on. */
export interface UpscaleControl {
  /** Called before the first tile and after each. */
  readonly onTile?: ((done: number, total: number) => void) | undefined;
  /** Looked at before each tile; its reason is thrown. */
  readonly signal?: AbortSignal | undefined;
}

/** How a picture is cut. */
export interface TileOptions {
  /** Side of a tile in LR pixels, its halo not counted; 0 takes the picture whole. Default: what the budget allows. */
  readonly tile?: number | undefined;
  /** Bytes that a pass may take where no tile is given. Default: 1 GiB. */
  readonly memoryBudget?: number | undefined;
}

/** Bytes of a pass over one tile where nothing else is asked: little for a GPU, bearable for a laptop's memory. */
export const DEFAULT_MEMORY_BUDGET = 2 ** 30;

/**
 * The picture enlarged by a network: image = (y + 1) / 2 · 255, rounded half up and clipped, as 8-bit RGB. A grey
 * picture goes in as three equal channels, and its result becomes grey by round(0.299 R + 0.587 G + 0.114 B). Alpha is
 * enlarged by bicubic (see `upscaleBesideAlpha`).
 * @throws DaybreakError where no tile fits the budget, or the network gives something else than finite numbers.
 */
export async function upscalePicture(
  picture: Picture,
  upscaler: Upscaler,
  options: TileOptions & UpscaleControl = {},
): Promise<Picture> {
  return await upscaleBesideAlpha(picture, upscaler.scale, async colour => {
    const enlarged = await upscaleRgb(toRgb(colour), upscaler, options);
    return colour.channels === 1 ? toGrey(enlarged) : enlarged;
  });
}

async function upscaleRgb(
  picture: Picture,
  upscaler: Upscaler,
  { tile, memoryBudget, onTile, signal }: TileOptions & UpscaleControl,
): Promise<Picture> {
  const { scale, halo } = upscaler;
  const tiles = planTiles(picture, windowOf(picture, upscaler, tile, memoryBudget), halo);
  const out = createPicture(picture.width * scale, picture.height * scale, 3);
  for (const [done, one] of tiles.entries()) {
    signal?.throwIfAborted();
    onTile?.(done, tiles.length);
    const { width, height } = one.window;
    const result = await upscaler.run(planesOf(picture, one.window), height, width);
    if (result.length !== 3 * height * width * scale * scale) {
      throw new DaybreakError(
        `${upscaler.name}: ${result.length} numbers for a tile of ${width}x${height} are not three channels of ` +
          `${width * scale}x${height * scale}.`,
      );
    }
    if (!paste(result, one, scale, out)) {
      throw new DaybreakError(
        `${upscaler.name}: the result is not finite (NaN or infinity): are these the weights of a training that broke?`,
      );
    }
  }
  signal?.throwIfAborted();
  onTile?.(tiles.length, tiles.length);
  return out;
}

function windowOf(picture: Size, upscaler: Upscaler, tile: number | undefined, memoryBudget: number | undefined): Size {
  if (tile === undefined) return chooseWindow(picture, upscaler, memoryBudget ?? DEFAULT_MEMORY_BUDGET);
  if (!Number.isInteger(tile) || tile < 0) {
    throw new DaybreakError(`A tile of ${tile} pixels: give a positive whole number, or 0 for the whole picture.`);
  }
  if (tile === 0) return { width: picture.width, height: picture.height };
  const side = tile + 2 * upscaler.halo;
  return { width: side, height: side };
}

/** The window's samples / 255, channel by channel. */
function planesOf(picture: Picture, { x, y, width, height }: Rectangle): Float32Array {
  const planes = new Float32Array(3 * width * height);
  for (let c = 0, to = 0; c < 3; c++) {
    for (let row = y; row < y + height; row++) {
      let from = (row * picture.width + x) * 3 + c;
      for (let i = 0; i < width; i++, from += 3) planes[to++] = picture.data[from] / 255;
    }
  }
  return planes;
}

/** Writes the kept part of a tile's result into `out`; false where a number is not finite. */
function paste(result: Float32Array, { window, keep }: Tile, scale: number, out: Picture): boolean {
  const [width, height] = [window.width * scale, window.height * scale];
  const left = (keep.x - window.x) * scale;
  const top = (keep.y - window.y) * scale;
  let finite = true;
  for (let c = 0; c < 3; c++) {
    for (let y = 0; y < keep.height * scale; y++) {
      let from = (c * height + top + y) * width + left;
      let to = ((keep.y * scale + y) * out.width + keep.x * scale) * 3 + c;
      for (let x = 0; x < keep.width * scale; x++, from++, to += 3) {
        // The reference adds in float32 and multiplies and rounds in float64.
        const level = Math.floor(Math.fround(result[from] + 1) * 0.5 * 255 + 0.5);
        finite &&= Number.isFinite(level);
        out.data[to] = Math.min(255, Math.max(0, level));
      }
    }
  }
  return finite;
}

/** Enlarging a picture with a network, whole or tile by tile: the same picture either way, bit for bit. */

import { DaybreakError, LimitError, OutOfMemoryError } from '../engine/basics/errors.ts';
import { toGrey } from '../image/colour.ts';
import { createPicture, type Picture, peak, type Samples, samplesLike, toRgb } from '../image/picture.ts';
import { upscaleBesideAlpha } from './alpha.ts';
import { ResultError } from './errors.ts';
import { planTiles, type Rectangle, type Size, type Tile } from './tiles.ts';
import { type TileOptions, Windows } from './windows.ts';

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

/** How a picture was cut: what the network sees at once, and how often. */
export interface Tiling {
  readonly window: Size;
  readonly count: number;
}

/** How far a picture is and whether to go on. */
export interface UpscaleControl {
  /** Called before the first tile and after each. */
  readonly onTile?: ((done: number, total: number) => void) | undefined;
  /** Hears how the picture is cut, once more where memory ran out. */
  readonly onTiling?: ((tiling: Tiling) => void) | undefined;
  /** Hears, as a line for people, what was not as it should be and was overcome. */
  readonly onNote?: ((note: string) => void) | undefined;
  /** Looked at before each tile; its reason is thrown. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * The picture enlarged by a network: image = (y + 1) / 2 · 255 (65535 for 16 bit), rounded half up and clipped, in RGB of
 * as many bits. A grey picture goes in as three equal channels, and its result becomes grey by round(0.299 R + 0.587 G +
 * 0.114 B). Alpha is enlarged by bicubic (see `upscaleBesideAlpha`). Where the GPU's memory runs out, the picture is begun
 * again with tiles of half the memory.
 * @param windows for several pictures: those of earlier ones teach how large a tile may be.
 * @throws TileError where no tile fits, ResultError where the network gives no picture.
 */
export async function upscalePicture<S extends Samples>(
  picture: Picture<S>,
  upscaler: Upscaler,
  options: TileOptions & UpscaleControl = {},
  windows: Windows = new Windows(upscaler, options),
): Promise<Picture<S>> {
  return await upscaleBesideAlpha(picture, upscaler.scale, async colour => {
    const enlarged = await upscaleRgb(toRgb(colour), upscaler, windows, options);
    return colour.channels === 1 ? toGrey(enlarged) : enlarged;
  });
}

async function upscaleRgb<S extends Samples>(
  picture: Picture<S>,
  upscaler: Upscaler,
  windows: Windows,
  control: UpscaleControl,
): Promise<Picture<S>> {
  const [width, height] = [picture.width * upscaler.scale, picture.height * upscaler.scale];
  const out = createPicture(width, height, 3, samplesLike(picture.data, width * height * 3));
  let window = windows.choose(picture);
  for (;;) {
    try {
      await upscaleTiles(picture, window, upscaler, out, control);
      break;
    } catch (error) {
      if (!(error instanceof OutOfMemoryError || error instanceof LimitError)) throw error;
      const tried = sidesOf(window, picture);
      window = windows.halve(picture, window, error);
      control.onNote?.(
        `out of GPU memory with tiles of ${tried}: smaller ones, ${sidesOf(window, picture)}, from now on`,
      );
    }
  }
  if (isConstant(out) && varies(picture)) {
    throw new ResultError(
      `${upscaler.name}: the result is of one colour, the picture is not: is this a broken training's network, or a ` +
        'defect of the GPU driver (daybreak doctor tests it)?',
    );
  }
  return out;
}

const sidesOf = (window: Size, picture: Size) =>
  `${Math.min(window.width, picture.width)}x${Math.min(window.height, picture.height)}`;

async function upscaleTiles<S extends Samples>(
  picture: Picture<S>,
  size: Size,
  upscaler: Upscaler,
  out: Picture<S>,
  { onTile, onTiling, signal }: UpscaleControl,
): Promise<void> {
  const { scale, halo } = upscaler;
  const tiles = planTiles(picture, size, halo);
  const [{ window }] = tiles as [Tile];
  onTiling?.({ window: { width: window.width, height: window.height }, count: tiles.length });
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
      throw new ResultError(
        `${upscaler.name}: the result is not finite (NaN or infinity): are these the weights of a training that broke?`,
      );
    }
  }
  signal?.throwIfAborted();
  onTile?.(tiles.length, tiles.length);
}

/** The window's samples / peak, channel by channel. */
function planesOf(picture: Picture<Samples>, { x, y, width, height }: Rectangle): Float32Array {
  const planes = new Float32Array(3 * width * height);
  const white = peak(picture);
  for (let c = 0, to = 0; c < 3; c++) {
    for (let row = y; row < y + height; row++) {
      let from = (row * picture.width + x) * 3 + c;
      for (let i = 0; i < width; i++, from += 3) planes[to++] = picture.data[from] / white;
    }
  }
  return planes;
}

/** Writes the kept part of a tile's result into `out`; false where a number is not finite. */
function paste(result: Float32Array, { window, keep }: Tile, scale: number, out: Picture<Samples>): boolean {
  const [width, height] = [window.width * scale, window.height * scale];
  const left = (keep.x - window.x) * scale;
  const top = (keep.y - window.y) * scale;
  const white = peak(out);
  let finite = true;
  for (let c = 0; c < 3; c++) {
    for (let y = 0; y < keep.height * scale; y++) {
      let from = (c * height + top + y) * width + left;
      let to = ((keep.y * scale + y) * out.width + keep.x * scale) * 3 + c;
      for (let x = 0; x < keep.width * scale; x++, from++, to += 3) {
        // The reference adds in float32 and multiplies and rounds in float64.
        const level = Math.floor(Math.fround(result[from] + 1) * 0.5 * white + 0.5);
        finite &&= Number.isFinite(level);
        out.data[to] = Math.min(white, Math.max(0, level));
      }
    }
  }
  return finite;
}

/** True where all pixels are the same. */
function isConstant({ data, channels }: Picture<Samples>): boolean {
  for (let i = channels; i < data.length; i++) if (data[i] !== data[i - channels]) return false;
  return true;
}

/** Part of the range of samples that a picture must take up not to be called of one colour: noise is no content. */
const CONTENT = 1 / 32;

/** True where some channel of a picture takes up more than CONTENT of what it could. */
function varies(picture: Picture<Samples>): boolean {
  const { data, channels } = picture;
  const least = CONTENT * peak(picture);
  for (let c = 0; c < channels; c++) {
    let [low, high] = [data[c], data[c]];
    for (let i = c; i < data.length; i += channels) {
      low = Math.min(low, data[i]);
      high = Math.max(high, data[i]);
      if (high - low > least) return true;
    }
  }
  return false;
}

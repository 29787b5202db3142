/** Upscales a picture with a network, whole or tile by tile, with bit-identical results. */

import { DaybreakError, LimitError, OutOfMemoryError } from '../engine/basics/errors.ts';
import { toGrey } from '../image/colour.ts';
import { createPicture, type Picture, peak, type Samples, samplesLike, toRgb } from '../image/picture.ts';
import { resizeInTurns } from '../image/resize.ts';
import { surround } from '../image/surround.ts';
import { upscaleAlpha, upscaleBesideAlpha } from './alpha.ts';
import { ResultError } from './errors.ts';
import { isNoLarger, isSameSize } from './result-size.ts';
import { planTiles, type Rectangle, type Size, type Tile } from './tiles.ts';
import { type TileOptions, Windows } from './windows.ts';

/** An upscaling network; `models/` loads one from a file. */
export interface Upscaler {
  /** For messages and labels. */
  readonly name: string;
  /** The scale: 4. */
  readonly scale: number;
  /** Radius of the receptive field in LR pixels: the halo of a tile. */
  readonly halo: number;
  /** Padding around a picture: mirrored, or zeros (default). */
  readonly edges?: 'mirror' | 'zero';
  /** Peak GPU bytes of a forward pass over an h×w tile; Infinity if the adapter cannot run it. */
  bytes(height: number, width: number): number;
  /** Planar RGB in [0,1], [3][h][w] → planar RGB about [-1,1], [3][scale·h][scale·w]. Pads with zeros. */
  run(planes: Float32Array, height: number, width: number): Promise<Float32Array>;
}

/** How a picture was tiled: the window and the number of passes. */
export interface Tiling {
  readonly window: Size;
  readonly count: number;
}

/** Progress, notes and cancellation. */
export interface UpscaleControl {
  /** Called before the first tile and after each. */
  readonly onTile?: ((done: number, total: number) => void) | undefined;
  /** Called by methods that have no tiles: the work done, and all of it, in any unit. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
  /** Called with the tiling, and again after running out of memory. */
  readonly onTiling?: ((tiling: Tiling) => void) | undefined;
  /** Called with a line about each problem that was worked around. */
  readonly onNote?: ((note: string) => void) | undefined;
  /** Checked before each tile; its reason is thrown. */
  readonly signal?: AbortSignal | undefined;
}

/** Options of a method. */
export interface MethodControl extends UpscaleControl {
  /** The result's sides. Default: the picture's, times the method's scale. */
  readonly to?: Size | undefined;
  /** Treat the picture as a seamless texture, and keep it seamless. Default: false. */
  readonly wrap?: boolean | undefined;
}

/**
 * Width of mirrored padding in pixels. More changes the shipped networks' results by at most one level of 255
 * (docs/decisions.md).
 */
const MIRRORED = 12;

/**
 * Upscales a picture with a network: image = (y + 1) / 2 · 255 (65535 for 16 bits), rounded half up and clipped, in RGB
 * of the same depth. A grey picture is repeated to three channels, and its result becomes grey by round(0.299 R + 0.587
 * G + 0.114 B). Alpha is upscaled by bicubic, and hard edges stay hard (see `upscaleAlpha`). Other sizes than the
 * network's are resized from its result by bicubic; pictures that would not become larger skip the network. If GPU
 * memory runs out, the picture is restarted with tiles of half the memory.
 * @param windows share them between pictures, so that later ones use tile sizes known to fit.
 * @throws TileError if no tile fits, ResultError if the network's output is invalid.
 */
export async function upscalePicture<S extends Samples>(
  picture: Picture<S>,
  upscaler: Upscaler,
  options: TileOptions & MethodControl = {},
  windows: Windows = new Windows(upscaler, options),
): Promise<Picture<S>> {
  return await upscaleInSteps(picture, upscaler.scale, options, async colour => {
    const enlarged = await upscaleRgb(toRgb(colour), upscaler, windows, options);
    return colour.channels === 1 ? toGrey(enlarged) : enlarged;
  });
}

/**
 * Upscales a picture with a method of a fixed scale. Alpha is upscaled by bicubic, and hard edges stay hard (see
 * `upscaleAlpha`). Other sizes than the method's are resized from its result by bicubic; pictures that would not become
 * larger skip the method.
 * @param enlarge takes 1 or 3 channels and returns as many, `scale` times as wide and high.
 */
export async function upscaleInSteps<S extends Samples>(
  picture: Picture<S>,
  scale: number,
  { to = { width: picture.width * scale, height: picture.height * scale }, wrap, signal }: MethodControl,
  enlarge: (colour: Picture<S>) => Promise<Picture<S>>,
): Promise<Picture<S>> {
  const boundary = wrap ? 'wrap' : 'symmetric';
  return await upscaleBesideAlpha(
    picture,
    async colour => {
      const enlarged = isNoLarger(to, picture) ? colour : await enlarge(colour);
      return isSameSize(enlarged, to) ? enlarged : await resizeInTurns(enlarged, to, { boundary, signal });
    },
    alpha => upscaleAlpha(alpha, to, boundary),
  );
}

async function upscaleRgb<S extends Samples>(
  picture: Picture<S>,
  upscaler: Upscaler,
  windows: Windows,
  control: MethodControl,
): Promise<Picture<S>> {
  const [width, height] = [picture.width * upscaler.scale, picture.height * upscaler.scale];
  const out = createPicture(width, height, 3, samplesLike(picture.data, width * height * 3));
  const border = borderOf(upscaler, control);
  const framed = surround(picture, border, control.wrap ? 'wrap' : 'symmetric');
  let window = windows.choose(framed);
  for (;;) {
    try {
      await upscaleTiles(framed, border, window, upscaler, out, control);
      break;
    } catch (error) {
      if (!(error instanceof OutOfMemoryError || error instanceof LimitError)) throw error;
      const tried = sidesOf(window, framed);
      window = windows.halve(framed, window, error);
      control.onNote?.(
        `out of GPU memory with tiles of ${tried}: using tiles of ${sidesOf(window, framed)} from now on`,
      );
    }
  }
  if (isConstant(out) && varies(picture)) {
    throw new ResultError(
      `${upscaler.name}: the result has only one colour, but the picture does not: is the model broken, or is this a ` +
        'GPU driver bug (check with daybreak doctor)?',
    );
  }
  return out;
}

/** Width of padding; for a texture, the whole halo. */
function borderOf({ halo, edges }: Upscaler, { wrap }: MethodControl): number {
  if (wrap) return halo;
  return edges === 'mirror' ? Math.min(halo, MIRRORED) : 0;
}

const sidesOf = (window: Size, picture: Size) =>
  `${Math.min(window.width, picture.width)}x${Math.min(window.height, picture.height)}`;

/** Upscales a padded picture, and writes the result without the padding to `out`. */
async function upscaleTiles<S extends Samples>(
  picture: Picture<S>,
  border: number,
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
    if (!paste(result, withoutBorder(one, picture, border), scale, out)) {
      throw new ResultError(
        `${upscaler.name}: the result contains NaN or infinity: did the training of this model diverge?`,
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

/** The tile in coordinates of the unpadded picture. Nothing of the padding is kept. */
function withoutBorder({ window, keep }: Tile, { width, height }: Size, border: number): Tile {
  const [left, top] = [Math.max(keep.x, border), Math.max(keep.y, border)];
  const right = Math.min(keep.x + keep.width, width - border);
  const bottom = Math.min(keep.y + keep.height, height - border);
  return {
    window: { ...window, x: window.x - border, y: window.y - border },
    // Some tiles contain only padding.
    keep: { x: left - border, y: top - border, width: Math.max(0, right - left), height: Math.max(0, bottom - top) },
  };
}

/** Writes the kept part of a tile's result into `out`. Returns false if a value is not finite. */
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

/** True if all pixels are equal. */
function isConstant({ data, channels }: Picture<Samples>): boolean {
  for (let i = channels; i < data.length; i++) if (data[i] !== data[i - channels]) return false;
  return true;
}

/** Minimum share of the sample range that counts as content; less may be noise. */
const CONTENT = 1 / 32;

/** True if some channel spans more than CONTENT of its range. */
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

/** Upscales a picture with a network, whole or tile by tile, with bit-identical results. */

import { DaybreakError, LimitError, OutOfMemoryError } from '../engine/basics/errors.ts';
import { toGrey } from '../image/colour.ts';
import { enlargeLuma } from '../image/luma.ts';
import { createPicture, type Picture, peak, type Samples, samplesLike, toRgb } from '../image/picture.ts';
import type { Plane } from '../image/plane.ts';
import { resizeInTurns, resizeSamplesInTurns } from '../image/resize.ts';
import { surround, surroundPlane } from '../image/surround.ts';
import type { NetworkImages } from '../models/network.ts';
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
  /** Radius of the receptive field in pixels of the network's input: the halo of a tile. */
  readonly halo: number;
  /** What it reads and gives. Default: RGB in [0,1] → RGB about [-1,1], `scale` times as large, with its own padding. */
  readonly images?: NetworkImages;
  /** Peak GPU bytes of a forward pass over an h×w tile; Infinity if the adapter cannot run it. */
  bytes(height: number, width: number): number;
  /** Planes of the input, [channels][h][w] → planes of the output, as `images` describes them. */
  run(planes: Float32Array, height: number, width: number): Promise<Float32Array>;
}

/** How a picture was tiled: the window and the number of passes. */
export interface Tiling {
  /** Width and height that a pass reads. */
  readonly window: Size;
  /** Number of passes. */
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

/** What a network reads and gives if it does not say. */
const RGB: NetworkImages = { colour: 'rgb', enlarged: false, output: [-1, 1], edges: 'none' };

/**
 * Upscales a picture with a network, rounded half up and clipped, in RGB of the same depth. A network on RGB gets a grey
 * picture as three equal channels, and its result becomes grey by round(0.299 R + 0.587 G + 0.114 B). With a network on
 * luma, chroma is enlarged by bicubic (see `enlargeLuma`). Alpha is upscaled by bicubic, and hard edges stay hard (see
 * `upscaleAlpha`). Other sizes than the network's are resized from its result by bicubic; pictures that would not become
 * larger skip the network. If GPU memory runs out, the picture is restarted with tiles of half the memory.
 * @param windows share them between pictures, so that later ones use tile sizes known to fit.
 * @throws TileError if no tile fits, ResultError if the network's output is invalid.
 */
export async function upscalePicture<S extends Samples>(
  picture: Picture<S>,
  upscaler: Upscaler,
  options: TileOptions & MethodControl = {},
  windows: Windows = new Windows(upscaler, options),
): Promise<Picture<S>> {
  const upscaleColour = (upscaler.images ?? RGB).colour === 'rgb' ? upscaleRgb : upscaleLuma;
  return await upscaleInSteps(picture, upscaler.scale, options, async colour => {
    const enlarged = await upscaleColour(toRgb(colour), upscaler, windows, options);
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

/** A network's input with its padding: planes of floats, of which tiles are cut. */
interface Input extends Size {
  /** Width of the padding on each side. */
  readonly border: number;
  readonly planes: number;
  /** The window's values, plane by plane. */
  cut(window: Rectangle): Float32Array;
}

/** Keeps a part of a tile's result, which is not padded: `tile` is in the input's pixels. Returns false for NaN and infinity. */
type Paste = (result: Float32Array, tile: Tile) => boolean;

async function upscaleRgb<S extends Samples>(
  picture: Picture<S>,
  upscaler: Upscaler,
  windows: Windows,
  control: MethodControl,
): Promise<Picture<S>> {
  const { scale, images: { output } = RGB } = upscaler;
  const [width, height] = [picture.width * scale, picture.height * scale];
  const out = createPicture(width, height, 3, samplesLike(picture.data, width * height * 3));
  const border = borderOf(upscaler, control);
  const framed = surround(picture, border, boundaryOf(control));
  const input = { ...framed, border, planes: 3, cut: (window: Rectangle) => planesOf(framed, window) };
  await upscaleInput(input, upscaler, windows, control, (result, tile) => pasteRgb(result, tile, scale, output, out));
  if (isConstant(out) && varies(picture)) throw oneColour(upscaler);
  return out;
}

/** The same for a network on luma. Its input is Y of rgb2ycbcr, perhaps enlarged by bicubic. */
async function upscaleLuma<S extends Samples>(
  picture: Picture<S>,
  upscaler: Upscaler,
  windows: Windows,
  control: MethodControl,
): Promise<Picture<S>> {
  const { scale, images = RGB } = upscaler;
  const boundary = boundaryOf(control);
  const { signal } = control;
  // Y = 0 and 1 of the network as levels of rgb2ycbcr.
  const [black, white] = images.colour === 'full luma' ? [16, 235] : [0, 255];
  const [least, most] = images.clamp ?? [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  const [low, high] = images.output;
  const lumaOf = async (luma: Plane): Promise<Plane> => {
    const plane = images.enlarged
      ? await resizeSamplesInTurns({ ...luma, channels: 1 }, scale, { method: 'bicubic', boundary, signal })
      : luma;
    const border = borderOf(upscaler, control);
    const framed = surroundPlane(plane, border, boundary);
    const cut = (window: Rectangle) =>
      cutPlane(framed, window, level => Math.min(most, Math.max(least, (level - black) / (white - black))));
    const out = {
      width: luma.width * scale,
      height: luma.height * scale,
      data: new Float64Array(luma.data.length * scale ** 2),
    };
    const levelOf = (value: number) => black + ((value - low) / (high - low)) * (white - black);
    await upscaleInput({ ...framed, border, planes: 1, cut }, upscaler, windows, control, (result, tile) =>
      pastePlane(result, tile, factorOf(upscaler), levelOf, out),
    );
    if (spanOf(out) === 0 && spanOf(luma) > CONTENT * 255) throw oneColour(upscaler);
    return out;
  };
  return await enlargeLuma(picture, scale, lumaOf, { boundary, signal });
}

const boundaryOf = ({ wrap }: MethodControl) => (wrap ? 'wrap' : 'symmetric');

/** The output's sides over the input's. */
const factorOf = ({ scale, images = RGB }: Upscaler): number => (images.enlarged ? 1 : scale);

const oneColour = ({ name }: Upscaler) =>
  new ResultError(
    `${name}: the result has only one colour, but the picture does not: is the model broken, or is this a ` +
      'GPU driver bug (check with daybreak doctor)?',
  );

/** Runs the network on tiles of its input; smaller ones after running out of memory. */
async function upscaleInput(
  input: Input,
  upscaler: Upscaler,
  windows: Windows,
  control: MethodControl,
  paste: Paste,
): Promise<void> {
  let window = windows.choose(input);
  for (;;) {
    try {
      await upscaleTiles(input, window, upscaler, control, paste);
      return;
    } catch (error) {
      if (!(error instanceof OutOfMemoryError || error instanceof LimitError)) throw error;
      const tried = sidesOf(window, input);
      window = windows.halve(input, window, error);
      control.onNote?.(
        `out of GPU memory with tiles of ${tried}: using tiles of ${sidesOf(window, input)} from now on`,
      );
    }
  }
}

/** Width of padding in pixels of the input; for a texture, the whole halo. */
function borderOf({ halo, images = RGB }: Upscaler, { wrap }: MethodControl): number {
  if (wrap) return halo;
  return images.edges === 'mirror' ? Math.min(halo, MIRRORED) : 0;
}

const sidesOf = (window: Size, picture: Size) =>
  `${Math.min(window.width, picture.width)}x${Math.min(window.height, picture.height)}`;

async function upscaleTiles(
  input: Input,
  size: Size,
  upscaler: Upscaler,
  { onTile, onTiling, signal }: UpscaleControl,
  paste: Paste,
): Promise<void> {
  const tiles = planTiles(input, size, upscaler.halo);
  const [{ window }] = tiles as [Tile];
  onTiling?.({ window: { width: window.width, height: window.height }, count: tiles.length });
  const factor = factorOf(upscaler);
  for (const [done, one] of tiles.entries()) {
    signal?.throwIfAborted();
    onTile?.(done, tiles.length);
    const { width, height } = one.window;
    const result = await upscaler.run(input.cut(one.window), height, width);
    if (result.length !== input.planes * height * width * factor ** 2) {
      throw new DaybreakError(
        `${upscaler.name}: ${result.length} numbers for a tile of ${width}x${height} are not ${
          input.planes === 1 ? 'one channel' : 'three channels'
        } of ${width * factor}x${height * factor}.`,
      );
    }
    if (!paste(result, withoutBorder(one, input))) {
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

/** The window's values of a plane. */
function cutPlane(plane: Plane, { x, y, width, height }: Rectangle, inputOf: (level: number) => number): Float32Array {
  const values = new Float32Array(width * height);
  for (let row = 0, to = 0; row < height; row++) {
    let from = (y + row) * plane.width + x;
    for (let i = 0; i < width; i++) values[to++] = inputOf(plane.data[from++]);
  }
  return values;
}

/** The tile in coordinates of the input without its padding. Nothing of the padding is kept. */
function withoutBorder({ window, keep }: Tile, { width, height, border }: Input): Tile {
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
function pasteRgb(
  result: Float32Array,
  { window, keep }: Tile,
  scale: number,
  [low, high]: NetworkImages['output'],
  out: Picture<Samples>,
): boolean {
  const [width, height] = [window.width * scale, window.height * scale];
  const left = (keep.x - window.x) * scale;
  const top = (keep.y - window.y) * scale;
  const white = peak(out);
  const unit = 1 / (high - low);
  let finite = true;
  for (let c = 0; c < 3; c++) {
    for (let y = 0; y < keep.height * scale; y++) {
      let from = (c * height + top + y) * width + left;
      let to = ((keep.y * scale + y) * out.width + keep.x * scale) * 3 + c;
      for (let x = 0; x < keep.width * scale; x++, from++, to += 3) {
        // The reference adds in float32 and multiplies and rounds in float64.
        const level = Math.floor(Math.fround(result[from] - low) * unit * white + 0.5);
        finite &&= Number.isFinite(level);
        out.data[to] = Math.min(white, Math.max(0, level));
      }
    }
  }
  return finite;
}

/** The same for a plane, which is neither rounded nor clipped. */
function pastePlane(
  result: Float32Array,
  { window, keep }: Tile,
  factor: number,
  levelOf: (value: number) => number,
  out: Plane,
): boolean {
  let finite = true;
  for (let y = 0; y < keep.height * factor; y++) {
    let from = ((keep.y - window.y) * factor + y) * window.width * factor + (keep.x - window.x) * factor;
    let to = (keep.y * factor + y) * out.width + keep.x * factor;
    for (let x = 0; x < keep.width * factor; x++, from++, to++) {
      finite &&= Number.isFinite(result[from]);
      out.data[to] = levelOf(result[from]);
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

/** The largest level less the smallest. */
function spanOf({ data }: Plane): number {
  let [low, high] = [data[0], data[0]];
  for (const level of data) {
    if (level < low) low = level;
    if (level > high) high = level;
  }
  return high - low;
}

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

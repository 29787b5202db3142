/** The picture type, and functions to crop, flip and recombine pictures without changing samples. */

import { ImageError } from './errors.ts';

/** 1 grey, 2 grey and alpha, 3 RGB, 4 RGB and alpha. */
export type Channels = 1 | 2 | 3 | 4;

/** 8-bit samples 0…255, or 16-bit samples 0…65535. */
export type Samples = Uint8Array | Uint16Array;

/**
 * A picture, by default of 8-bit samples: `data[(y · width + x) · channels + c]` in 0…`peak`, with the transfer curve
 * of its file (sRGB unless metadata says otherwise) and straight alpha.
 */
export interface Picture<S extends Samples = Uint8Array> {
  /** In pixels. */
  readonly width: number;
  /** In pixels. */
  readonly height: number;
  /** 1 grey, 2 grey and alpha, 3 RGB, 4 RGB and alpha. */
  readonly channels: Channels;
  /** The samples, row by row, channels interleaved. */
  readonly data: S;
}

/** The sample value of white or opaque: 255 for 8 bits, 65535 for 16 bits. */
export function peak(picture: { readonly data: Samples }): 255 | 65535 {
  return picture.data instanceof Uint16Array ? 65535 : 255;
}

/** `length` zero samples of the same type as `like`. */
export function samplesLike<S extends Samples>(like: S, length: number): S {
  return (like instanceof Uint16Array ? new Uint16Array(length) : new Uint8Array(length)) as S;
}

/**
 * A picture over `data`, which is not copied; 8-bit zeros by default.
 * @throws ImageError if sizes are not positive integers or the length of `data` is not width · height · channels.
 */
export function createPicture<S extends Samples = Uint8Array>(
  width: number,
  height: number,
  channels: Channels,
  data?: S,
): Picture<S> {
  const valid = (n: number) => Number.isInteger(n) && n > 0;
  if (!valid(width) || !valid(height) || !(channels >= 1 && channels <= 4 && valid(channels))) {
    throw new ImageError('picture', `${width}x${height} pixels with ${channels} channels is not a valid picture size`);
  }
  const length = width * height * channels;
  if (data !== undefined && data.length !== length) {
    throw new ImageError('picture', `${width}x${height}x${channels}: expected ${length} samples, got ${data.length}`);
  }
  return { width, height, channels, data: data ?? (new Uint8Array(length) as Samples as S) };
}

/** A picture whose channels are the source channels with these indices. */
function rearrange<S extends Samples>(picture: Picture<S>, source: readonly number[]): Picture<S> {
  const { width, height, channels, data } = picture;
  const count = source.length as Channels;
  const out = samplesLike(data, width * height * count);
  for (let pixel = 0; pixel < width * height; pixel++) {
    for (let c = 0; c < count; c++) out[pixel * count + c] = data[pixel * channels + source[c]];
  }
  return { width, height, channels: count, data: out };
}

/** True for pictures with an alpha channel (2 or 4 channels). */
export function hasAlpha(picture: { readonly channels: Channels }): boolean {
  return picture.channels === 2 || picture.channels === 4;
}

/** Three channels: grey is repeated, alpha is dropped (not blended). Returns an RGB picture unchanged. */
export function toRgb<S extends Samples>(picture: Picture<S>): Picture<S> {
  if (picture.channels === 3) return picture;
  return rearrange(picture, picture.channels <= 2 ? [0, 0, 0] : [0, 1, 2]);
}

/** Splits a picture into colour (1 or 3 channels) and alpha (1 channel), if it has one. */
export function splitAlpha<S extends Samples>(
  picture: Picture<S>,
): { colour: Picture<S>; alpha: Picture<S> | undefined } {
  if (picture.channels === 2) return { colour: rearrange(picture, [0]), alpha: rearrange(picture, [1]) };
  if (picture.channels === 4) return { colour: rearrange(picture, [0, 1, 2]), alpha: rearrange(picture, [3]) };
  return { colour: picture, alpha: undefined };
}

/**
 * The inverse of `splitAlpha`: joins colour (1 or 3 channels) and alpha (1 channel, same size), if given.
 * @throws ImageError if sizes, depths or channel counts do not match.
 */
export function joinAlpha<S extends Samples>(colour: Picture<S>, alpha: Picture<S> | undefined): Picture<S> {
  if (alpha === undefined) return colour;
  const { width, height, channels } = colour;
  if (
    alpha.channels !== 1 ||
    hasAlpha(colour) ||
    peak(alpha) !== peak(colour) ||
    alpha.width !== width ||
    alpha.height !== height
  ) {
    throw new ImageError(
      'picture',
      `expected alpha (1 channel) and colour (1 or 3) of equal size and depth, got ${describe(alpha)} and ${describe(colour)}`,
    );
  }
  const count = (channels + 1) as Channels;
  const data = samplesLike(colour.data, width * height * count);
  for (let pixel = 0; pixel < width * height; pixel++) {
    for (let c = 0; c < channels; c++) data[pixel * count + c] = colour.data[pixel * channels + c];
    data[pixel * count + channels] = alpha.data[pixel];
  }
  return { width, height, channels: count, data };
}

/** Converts premultiplied to straight alpha, rounded half up. Fully transparent pixels become black. */
export function straight<S extends Samples>(picture: Picture<S>): Picture<S> {
  const { width, height, channels, data } = picture;
  if (!hasAlpha(picture)) return picture;
  const most = peak(picture);
  const out = samplesLike(data, data.length);
  for (let at = channels - 1; at < data.length; at += channels) {
    const alpha = data[at];
    out[at] = alpha;
    if (alpha === 0) continue;
    for (let c = at - channels + 1; c < at; c++) out[c] = Math.min(most, Math.floor((data[c] * most) / alpha + 0.5));
  }
  return { width, height, channels, data: out };
}

/**
 * The rectangle of `width`×`height` pixels with its top left corner at (`x`, `y`).
 * @throws ImageError if it is empty or extends beyond the picture.
 */
export function crop<S extends Samples>(
  picture: Picture<S>,
  x: number,
  y: number,
  width: number,
  height: number,
): Picture<S> {
  const whole = [x, y, width, height].every(Number.isInteger);
  if (!whole || x < 0 || y < 0 || width < 1 || height < 1 || x + width > picture.width || y + height > picture.height) {
    throw new ImageError('picture', `cannot crop ${width}x${height} at (${x}, ${y}) from ${describe(picture)}`);
  }
  const { channels } = picture;
  const row = width * channels;
  const data = samplesLike(picture.data, row * height);
  for (let i = 0; i < height; i++) {
    const start = ((y + i) * picture.width + x) * channels;
    data.set(picture.data.subarray(start, start + row), i * row);
  }
  return { width, height, channels, data };
}

/** Crops `border` pixels from each side. */
export function shave<S extends Samples>(picture: Picture<S>, border: number): Picture<S> {
  return crop(picture, border, border, picture.width - 2 * border, picture.height - 2 * border);
}

/** Crops right and bottom so that sides are multiples of `multiple`, as for the benchmark pictures. */
export function cropToMultiple<S extends Samples>(picture: Picture<S>, multiple: number): Picture<S> {
  const width = picture.width - (picture.width % multiple);
  const height = picture.height - (picture.height % multiple);
  return width === picture.width && height === picture.height ? picture : crop(picture, 0, 0, width, height);
}

/** Rearranges pixels: output pixel (x, y) of a `width`×`height` picture is the input pixel with index `from(x, y)`. */
function permute<S extends Samples>(
  picture: Picture<S>,
  width: number,
  height: number,
  from: (x: number, y: number) => number,
): Picture<S> {
  const { channels, data } = picture;
  const out = samplesLike(data, data.length);
  let position = 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const start = from(x, y) * channels;
      for (let c = 0; c < channels; c++) out[position++] = data[start + c];
    }
  }
  return { width, height, channels, data: out };
}

/** Mirrors left and right. */
export function flipHorizontal<S extends Samples>(picture: Picture<S>): Picture<S> {
  const { width, height } = picture;
  return permute(picture, width, height, (x, y) => y * width + (width - 1 - x));
}

/** Mirrors top and bottom. */
export function flipVertical<S extends Samples>(picture: Picture<S>): Picture<S> {
  const { width, height } = picture;
  return permute(picture, width, height, (x, y) => (height - 1 - y) * width + x);
}

/** Swaps rows and columns. */
export function transpose<S extends Samples>(picture: Picture<S>): Picture<S> {
  const { width, height } = picture;
  return permute(picture, height, width, (x, y) => x * width + y);
}

/** Converts 16-bit samples by round(v · 255 / 65535). Returns an 8-bit picture unchanged. */
export function toEightBit(picture: Picture<Samples>): Picture {
  const { width, height, channels, data } = picture;
  if (data instanceof Uint8Array) return { width, height, channels, data };
  const out = new Uint8Array(data.length);
  for (let i = 0; i < out.length; i++) out[i] = (data[i] + 128) / 257;
  return { width, height, channels, data: out };
}

/** Converts 8-bit samples by v · 257, which preserves black and white. Returns a 16-bit picture unchanged. */
export function toSixteenBit(picture: Picture<Samples>): Picture<Uint16Array> {
  const { width, height, channels, data } = picture;
  if (data instanceof Uint16Array) return { width, height, channels, data };
  const out = new Uint16Array(data.length);
  for (let i = 0; i < out.length; i++) out[i] = data[i] * 257;
  return { width, height, channels, data: out };
}

/** "640x480, 3 channels" for messages, with ", 16 bit" if it applies. */
export function describe(picture: Picture<Samples>): string {
  return `${picture.width}x${picture.height}, ${picture.channels} channel${picture.channels === 1 ? '' : 's'}${peak(picture) > 255 ? ', 16 bit' : ''}`;
}

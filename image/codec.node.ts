/** Picture files to pictures and back under Node: PNG by pngjs, JPEG by sharp where it is installed. */

import { PNG, type PNGOptions } from 'pngjs';
import { ImageError } from './errors.ts';
import { checkSize, DEFAULT_MAX_PIXELS, type Format, formatOf } from './formats.ts';
import { type Channels, createPicture, type Picture, type Samples, samplesLike, toEightBit } from './picture.ts';
import type { DecodeOptions, EncodeOptions, PictureFile } from './picture-file.ts';
import { readPngHeader } from './png-header.ts';

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

/**
 * Decodes a PNG or JPEG file, told apart by their first bytes; `name` is for messages.
 *
 * PNG: grey stays one channel; palettes expand to RGB; alpha, also a transparent colour or palette entry, becomes an
 * alpha channel; fewer than 8 bits scale to 0…255 and 16 bits become round(v · 255 / 65535). Gamma and colour profiles
 * are not applied. JPEG: turned upright after its EXIF orientation, converted to sRGB; grey stays one channel.
 *
 * @throws ImageError for empty, damaged, truncated or unsupported files, and for JPEG where sharp is missing.
 */
export async function decode(bytes: Uint8Array, name: string): Promise<Picture> {
  return toEightBit((await decodeFile(bytes, name)).picture);
}

/**
 * A file with all it holds: as `decode`, but 16-bit samples stay 16-bit.
 * @throws ImageError for empty, damaged, truncated or unsupported files and those of more than `maxPixels` pixels.
 */
export async function decodeFile(bytes: Uint8Array, name: string, options: DecodeOptions = {}): Promise<PictureFile> {
  const format = formatOf(bytes, name);
  const { maxPixels = DEFAULT_MAX_PIXELS } = options;
  const picture = format === 'png' ? decodePng(bytes, name, maxPixels) : await decodeJpeg(bytes, name);
  return { picture, format, metadata: {}, warnings: [] };
}

/**
 * The bytes of a file of this format.
 * @throws ImageError where the format needs sharp and it is missing.
 */
export async function encodeFile(picture: Picture<Samples>, format: Format, options: EncodeOptions = {}) {
  if (format === 'png') return await encodePng(picture);
  const { width, height, channels } = picture;
  const { data } = toEightBit(picture);
  const sharp = (await import('sharp')).default;
  return new Uint8Array(
    await sharp(data, { raw: { width, height, channels } })
      .toColourspace(channels <= 2 ? 'b-w' : 'srgb')
      .jpeg({ quality: options.quality ?? 95 })
      .toBuffer(),
  );
}

function decodePng(bytes: Uint8Array, name: string, maxPixels: number): Picture<Samples> {
  const header = readPngHeader(bytes, name);
  const { width, height, depth, colourType } = header;
  checkSize(width, height, name, maxPixels);
  let rgba: Samples;
  try {
    const file = Buffer.from(bytes.buffer, bytes.byteOffset, header.end);
    rgba = PNG.sync.read(file, { skipRescale: depth === 16 } as PNGOptions).data;
  } catch (error) {
    throw new ImageError(name, `damaged PNG: ${messageOf(error)}`, { cause: error });
  }
  const colours = colourType === 0 || colourType === 4 ? 1 : 3;
  const alpha = colourType >= 4 || header.transparency ? 1 : 0;
  const channels = (colours + alpha) as Channels;
  const data = samplesLike(rgba, width * height * channels);
  // pngjs gives RGBA whatever the file holds.
  for (let from = 0, to = 0; to < data.length; from += 4) {
    for (let c = 0; c < colours; c++) data[to++] = rgba[from + c];
    if (alpha) data[to++] = rgba[from + 3];
  }
  return createPicture(width, height, channels, data);
}

async function decodeJpeg(bytes: Uint8Array, name: string): Promise<Picture> {
  let sharp: typeof import('sharp');
  try {
    sharp = (await import('sharp')).default;
  } catch (error) {
    throw new ImageError(name, 'JPEG needs the optional package sharp: npm install sharp', { cause: error });
  }
  try {
    const grey = (await sharp(bytes).metadata()).channels === 1;
    const { data, info } = await sharp(bytes)
      .rotate()
      .toColourspace(grey ? 'b-w' : 'srgb')
      .raw()
      .toBuffer({ resolveWithObject: true });
    return createPicture(info.width, info.height, info.channels as Channels, new Uint8Array(data));
  } catch (error) {
    throw new ImageError(name, `damaged JPEG: ${messageOf(error)}`, { cause: error });
  }
}

const COLOUR_TYPE = { 1: 0, 2: 4, 3: 2, 4: 6 } as const;

/** The bytes of a PNG file that holds exactly this picture: 8 or 16 bit; grey, RGB, with or without alpha. */
export async function encodePng(picture: Picture<Samples>): Promise<Uint8Array> {
  const { width, height, channels, data } = picture;
  const bitDepth = data instanceof Uint16Array ? (16 as const) : (8 as const);
  const colorType = COLOUR_TYPE[channels];
  const png = new PNG({ width, height });
  // pngjs takes 16-bit samples from the start of a buffer, so a view needs one of its own.
  const whole = bitDepth === 16 ? data.slice() : data;
  png.data = Buffer.from(whole.buffer, whole.byteOffset, whole.byteLength);
  // Level 9, the default, takes several times as long as 6 for a hundredth of the bytes.
  const options = {
    colorType,
    bitDepth,
    inputColorType: colorType,
    inputHasAlpha: channels % 2 === 0,
    deflateLevel: 6,
  };
  return new Uint8Array(PNG.sync.write(png, options));
}

/** Picture files to pictures and back under Node: PNG by pngjs, JPEG by sharp where it is installed. */

import { PNG } from 'pngjs';
import { ImageError } from './errors.ts';
import { checkSize, formatOf } from './formats.ts';
import { type Channels, createPicture, type Picture } from './picture.ts';
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
  return formatOf(bytes, name) === 'png' ? decodePng(bytes, name) : await decodeJpeg(bytes, name);
}

function decodePng(bytes: Uint8Array, name: string): Picture {
  const header = readPngHeader(bytes, name);
  const { width, height, colourType } = header;
  checkSize(width, height, name);
  let rgba: Uint8Array;
  try {
    rgba = PNG.sync.read(Buffer.from(bytes.buffer, bytes.byteOffset, header.end)).data;
  } catch (error) {
    throw new ImageError(name, `damaged PNG: ${messageOf(error)}`, { cause: error });
  }
  const colours = colourType === 0 || colourType === 4 ? 1 : 3;
  const alpha = colourType >= 4 || header.transparency ? 1 : 0;
  const channels = (colours + alpha) as Channels;
  const data = new Uint8Array(width * height * channels);
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

/** The bytes of a PNG file that holds exactly this picture: 8 bit; grey, RGB, with or without alpha. */
export async function encodePng(picture: Picture): Promise<Uint8Array> {
  const { width, height, channels, data } = picture;
  const colorType = COLOUR_TYPE[channels];
  const png = new PNG({ width, height });
  png.data = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  // Level 9, the default, takes several times as long as 6 for a hundredth of the bytes.
  const options = { colorType, inputColorType: colorType, inputHasAlpha: channels % 2 === 0, deflateLevel: 6 };
  return new Uint8Array(PNG.sync.write(png, options));
}

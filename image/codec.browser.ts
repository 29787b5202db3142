/** Decodes and encodes picture files with the browser's codecs. */

import { messageOf } from '../common/errors.ts';
import { ImageError } from './errors.ts';
import { checkSize, FORMAT_NAMES, formatOf, type ReadFormat } from './formats.ts';
import { isFrame, jpegSegments } from './metadata/jpeg-segments.ts';
import { type Channels, createPicture, type Picture } from './picture.ts';
import { readPngStructure } from './png-header.ts';

// Declared here because the project is type-checked without the DOM library, which would hide mistakes elsewhere.
interface Bitmap {
  readonly width: number;
  readonly height: number;
  close(): void;
}
interface Samples {
  readonly data: Uint8ClampedArray<ArrayBuffer>;
}
interface Context {
  drawImage(bitmap: Bitmap, x: number, y: number): void;
  getImageData(x: number, y: number, width: number, height: number): Samples;
  putImageData(samples: Samples, x: number, y: number): void;
}
interface Canvas {
  getContext(kind: '2d', options: { willReadFrequently: boolean }): Context | null;
  convertToBlob(options: { type: string }): Promise<Blob>;
}
declare const createImageBitmap: (source: Blob, options: Record<string, string>) => Promise<Bitmap>;
declare const OffscreenCanvas: new (width: number, height: number) => Canvas;
declare const ImageData: new (data: Uint8ClampedArray<ArrayBuffer>, width: number, height: number) => Samples;

/** The number of channels in the file, or undefined if only its pixels show it. The canvas always returns RGBA. */
function channelsOf(bytes: Uint8Array, format: ReadFormat, name: string): Channels | undefined {
  if (format === 'png') {
    const { header, chunks } = readPngStructure(bytes, name);
    checkSize(header.width, header.height, name);
    const colours = header.colourType === 0 || header.colourType === 4 ? 1 : 3;
    const hasAlpha = header.colourType >= 4 || chunks.some(({ type }) => type === 'tRNS');
    return (colours + (hasAlpha ? 1 : 0)) as Channels;
  }
  if (format !== 'jpeg') return undefined;
  // The frame header (marker C0…CF except C4, C8, CC) holds the size and the number of components.
  for (const { marker, data } of jpegSegments(bytes)) {
    if (!isFrame(marker) || data.length < 6) continue;
    checkSize((data[3] << 8) | data[4], (data[1] << 8) | data[2], name);
    return data[5] === 1 ? 1 : 3;
  }
  throw new ImageError(name, 'damaged JPEG: no frame header');
}

function context(width: number, height: number, name: string): { canvas: Canvas; drawing: Context } {
  const canvas = new OffscreenCanvas(width, height);
  const drawing = canvas.getContext('2d', { willReadFrequently: true });
  if (drawing === null) throw new ImageError(name, `this browser cannot create a canvas of ${width}x${height} pixels`);
  return { canvas, drawing };
}

/** 4 if any pixel is not opaque, otherwise 3. */
function channelsIn(rgba: Uint8ClampedArray): Channels {
  for (let i = 3; i < rgba.length; i += 4) if (rgba[i] < 255) return 4;
  return 3;
}

/**
 * Decodes PNG and JPEG files like the Node codec, and WebP, AVIF, GIF and TIFF if the browser supports them. The canvas
 * limits precision: it premultiplies alpha, so colours under partial alpha may be off by a few levels, and the browser
 * reduces 16-bit files to 8 bits. Colours of formats other than PNG are converted from their profile to sRGB.
 *
 * @throws ImageError for empty, damaged, truncated or unsupported files.
 */
export async function decode(bytes: Uint8Array, name: string): Promise<Picture> {
  const format = formatOf(bytes, name);
  const stated = channelsOf(bytes, format, name);
  let bitmap: Bitmap;
  try {
    bitmap = await createImageBitmap(new Blob([new Uint8Array(bytes)]), {
      imageOrientation: 'from-image',
      premultiplyAlpha: 'none',
      colorSpaceConversion: format === 'png' ? 'none' : 'default',
    });
  } catch (error) {
    const what =
      format === 'png' || format === 'jpeg'
        ? 'damaged picture'
        : `damaged, or this browser does not support ${FORMAT_NAMES[format]}`;
    throw new ImageError(name, `${what}: ${messageOf(error)}`, { cause: error });
  }
  const { width, height } = bitmap;
  checkSize(width, height, name);
  const { drawing } = context(width, height, name);
  drawing.drawImage(bitmap, 0, 0);
  bitmap.close();
  const rgba = drawing.getImageData(0, 0, width, height).data;
  const channels = stated ?? channelsIn(rgba);
  const colours = channels < 3 ? 1 : 3;
  const data = new Uint8Array(width * height * channels);
  for (let from = 0, to = 0; to < data.length; from += 4) {
    for (let c = 0; c < colours; c++) data[to++] = rgba[from + c];
    if (channels > colours) data[to++] = rgba[from + 3];
  }
  return createPicture(width, height, channels, data);
}

/** Encodes the picture as PNG. Browsers always write RGBA. */
export async function encodePng(picture: Picture): Promise<Uint8Array> {
  const { width, height, channels, data } = picture;
  const rgba = new Uint8ClampedArray(width * height * 4);
  for (let pixel = 0; pixel < width * height; pixel++) {
    const start = pixel * channels;
    for (let c = 0; c < 3; c++) rgba[pixel * 4 + c] = data[start + (channels < 3 ? 0 : c)];
    rgba[pixel * 4 + 3] = channels % 2 === 0 ? data[start + channels - 1] : 255;
  }
  const { canvas, drawing } = context(width, height, 'picture');
  drawing.putImageData(new ImageData(rgba, width, height), 0, 0);
  return new Uint8Array(await (await canvas.convertToBlob({ type: 'image/png' })).arrayBuffer());
}

/**
 * The PNG codec on Node (PNG specification, third edition). The decoder is ours and needs memory only for rows and
 * samples; pngjs filters and deflates when encoding.
 */

import { Worker } from 'node:worker_threads';
import { crc32, createInflate, inflateSync } from 'node:zlib';
import { PNG, type PNGOptions } from 'pngjs';
import { messageOf } from '../common/errors.ts';
import type { ColourStatements } from './colours/meaning.ts';
import { ImageError } from './errors.ts';
import { checkSize } from './formats.ts';
import { orientationOf } from './metadata/exif.ts';
import { type Channels, createPicture, type Picture, peak, type Samples, samplesLike } from './picture.ts';
import type { DecodedPicture, Metadata } from './picture-file.ts';
import { type PngChunk, type PngHeader, readPngStructure } from './png-header.ts';
import {
  isXmp,
  KEPT_CHUNKS,
  metadataChunks,
  pngColours,
  pngMetadata,
  profileInText,
  TEXT_CHUNKS,
} from './png-metadata.node.ts';
import { channelsInFile, rowsLength, samplesInRows } from './png-rows.ts';

/** Deflate's maximum expansion: 258 bytes from two bits. */
const MOST_INFLATION = 1032;

/**
 * Decodes a PNG file without rotating it: grey stays one channel; palettes expand to RGB; alpha, including a
 * transparent colour or palette entry, becomes an alpha channel; fewer than 8 bits scale to 0…255; 16 bits stay.
 *
 * @throws ImageError for damaged or truncated files and those of more than `maxPixels` pixels.
 */
export async function decodePng(bytes: Uint8Array, name: string, maxPixels: number): Promise<DecodedPicture> {
  const { header, chunks } = readPngStructure(bytes, name);
  checkSize(header.width, header.height, name, maxPixels);
  const parts = partsOf(bytes, chunks, name);
  const { metadata, colours, warnings, notCarried, palette, transparency } = parts;
  const samples = await samplesOf(header, parts.pixels, name, warnings);
  const picture =
    header.colourType === 3
      ? lookedUp(header, samples, palette, transparency, name)
      : pictureOf(header, samples, transparency);
  return { picture, orientation: orientationOf(metadata.exif), metadata, colours, warnings, notCarried };
}

/** For grey and RGB: adds an alpha channel for a transparent colour (tRNS), and scales fewer than 8 bits. */
function pictureOf(header: PngHeader, samples: Samples, transparency: Uint8Array | undefined): Picture<Samples> {
  const { width, height, depth, colourType } = header;
  const channels = channelsInFile(header) as Channels;
  const key = colourType === 0 || colourType === 2 ? keyOf(transparency, channels, depth) : undefined;
  const stretch = depth < 8 ? 255 / (2 ** depth - 1) : 1;
  if (depth < 8) for (let at = 0; at < samples.length; at++) samples[at] *= stretch;
  const picture = createPicture(width, height, channels, samples);
  return key
    ? keyed(
        picture,
        key.map(value => value * stretch),
      )
    : picture;
}

interface Parts {
  /** All IDAT data, concatenated. */
  readonly pixels: Uint8Array;
  readonly palette: Uint8Array | undefined;
  readonly transparency: Uint8Array | undefined;
  readonly metadata: Metadata;
  readonly colours: ColourStatements;
  readonly warnings: string[];
  readonly notCarried: readonly string[];
}

function partsOf(bytes: Uint8Array, chunks: readonly PngChunk[], name: string): Parts {
  const pixels: Uint8Array[] = [];
  const found = new Map<string, Uint8Array>();
  const texts = new Set<string>();
  const warnings: string[] = [];
  const inTexts: { exif?: Uint8Array; xmp?: Uint8Array } = {};
  for (const { type, at, data } of chunks) {
    const sum = crc32(bytes.subarray(at + 4, at + 8 + data.length));
    const stated = Buffer.from(bytes.buffer, bytes.byteOffset + at + 8 + data.length, 4).readUInt32BE();
    // A lower-case first letter marks an ancillary chunk.
    const needless = (bytes[at + 4] & 0x20) !== 0 && type !== 'tRNS';
    if (sum !== stated && !needless) throw new ImageError(name, `damaged PNG: wrong checksum of ${type}`);
    if (!needless && !['IHDR', 'PLTE', 'tRNS', 'IDAT', 'IEND'].includes(type)) {
      throw new ImageError(name, `damaged PNG: unknown chunk ${type}`);
    }
    if (type === 'IDAT') pixels.push(data);
    else if (sum !== stated) {
      if (KEPT_CHUNKS.includes(type)) warnings.push(`dropped a damaged metadata chunk (${type})`);
    } else if (TEXT_CHUNKS.includes(type) && !isXmp(type, data)) {
      const profile = profileInText(type, data);
      if (profile) inTexts[profile.kind] ??= profile.bytes;
      else texts.add(type);
    } else if (KEPT_CHUNKS.includes(type)) found.set(type, data);
  }
  // Dedicated chunks take precedence over texts.
  const metadata = pngMetadata(found, warnings, inTexts);
  const colours = { ...pngColours(found, metadata.icc !== undefined, warnings), exif: metadata.exif };
  const notCarried = texts.size > 0 ? [`its text (${[...texts].join(', ')}) is not carried over`] : [];
  const [palette, transparency] = [found.get('PLTE'), found.get('tRNS')];
  const joined = pixels.length === 1 ? pixels[0] : Buffer.concat(pixels);
  return { pixels: joined, palette, transparency, metadata, colours, warnings, notCarried };
}

/** The file's samples, neither scaled nor looked up in the palette. */
async function samplesOf(header: PngHeader, pixels: Uint8Array, name: string, warnings: string[]): Promise<Samples> {
  const { width, height } = header;
  const length = rowsLength(header);
  if (length > pixels.length * MOST_INFLATION) {
    throw new ImageError(name, `damaged PNG: ${pixels.length} bytes are too few for ${width}x${height} pixels`);
  }
  try {
    const rows = await rowsOf(pixels, length, warnings);
    if (rows.length < length) throw new Error(`${rows.length} bytes of image data, but its header needs ${length}`);
    return samplesInRows(header, rows);
  } catch (error) {
    throw new ImageError(name, `damaged PNG: ${messageOf(error)}`, { cause: error });
  }
}

/** Inflates at most the first `length` bytes. */
async function rowsOf(pixels: Uint8Array, length: number, warnings: string[]): Promise<Uint8Array> {
  try {
    // One chunk, plus a byte to detect surplus data: zlib would copy smaller chunks a second time.
    return inflateSync(pixels, { maxOutputLength: length, chunkSize: Math.max(64, length + 1) });
  } catch (error) {
    if (!(error instanceof RangeError && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE')) throw error;
  }
  warnings.push('it has more image data than its rows need; the surplus was ignored');
  const rows = new Uint8Array(length);
  const inflating = createInflate();
  inflating.end(pixels);
  let filled = 0;
  // Leaving the loop ends the stream, so that the rest is never inflated.
  for await (const piece of inflating as AsyncIterable<Uint8Array>) {
    rows.set(piece.subarray(0, length - filled), filled);
    filled += piece.length;
    if (filled >= length) break;
  }
  return rows;
}

/** Looks indices up in the palette; adds alpha if some entries are transparent. */
function lookedUp(
  { width, height }: PngHeader,
  indices: Samples,
  palette: Uint8Array | undefined,
  transparency: Uint8Array | undefined,
  name: string,
): Picture<Samples> {
  if (palette === undefined || palette.length === 0 || palette.length % 3 !== 0 || palette.length > 768) {
    throw new ImageError(name, 'damaged PNG: no valid palette');
  }
  const channels = transparency ? 4 : 3;
  const data = new Uint8Array(indices.length * channels);
  for (let pixel = 0, to = 0; pixel < indices.length; pixel++, to += channels) {
    const index = indices[pixel];
    if (3 * index >= palette.length) throw new ImageError(name, `damaged PNG: palette index ${index} is out of range`);
    for (let c = 0; c < 3; c++) data[to + c] = palette[3 * index + c];
    if (transparency) data[to + 3] = transparency[index] ?? 255;
  }
  return createPicture<Samples>(width, height, channels, data);
}

/** Adds an alpha channel that makes one colour transparent. */
function keyed(picture: Picture<Samples>, key: readonly number[]): Picture<Samples> {
  const { width, height, channels, data } = picture;
  const out = samplesLike(data, width * height * (channels + 1));
  const opaque = peak(picture);
  for (let from = 0, to = 0; from < data.length; to++) {
    let clear = true;
    for (let c = 0; c < channels; c++, from++, to++) {
      out[to] = data[from];
      clear &&= data[from] === key[c];
    }
    out[to] = clear ? 0 : opaque;
  }
  return createPicture(width, height, (channels + 1) as Channels, out);
}

/** The transparent colour, in the file's own depth. */
function keyOf(transparency: Uint8Array | undefined, colours: number, depth: number): number[] | undefined {
  if (transparency === undefined || transparency.length < 2 * colours) return undefined;
  const mask = 2 ** depth - 1;
  return Array.from({ length: colours }, (_, c) => ((transparency[2 * c] << 8) | transparency[2 * c + 1]) & mask);
}

/** zlib's output size is limited to 32 bits. */
const MOST_IN_ONE_PIECE = 1 << 30;

const DEFAULT_LEVEL = 6;

/** Bytes of samples that take as long to encode as a thread takes to start: about 50 ms. */
const WORTH_A_THREAD = 1 << 20;

const COLOUR_TYPE = { 1: 0, 2: 4, 3: 2, 4: 6 } as const;

/** The input and options for pngjs. 16-bit samples must start at offset 0 of their buffer. */
function pngjsInput({ width, height, channels, data }: Picture<Samples>, level: number) {
  const colorType = COLOUR_TYPE[channels];
  const bitDepth = data instanceof Uint16Array ? 16 : 8;
  const samples = bitDepth === 16 && data.byteLength < data.buffer.byteLength ? data.slice() : data;
  const options: PNGOptions = {
    colorType,
    inputColorType: colorType,
    inputHasAlpha: channels % 2 === 0,
    bitDepth,
    deflateLevel: level,
    // In one piece: zlib puts smaller ones together in a second copy. Memory that is not written to is not taken.
    deflateChunkSize: Math.min(MOST_IN_ONE_PIECE, data.byteLength + height + (data.byteLength >> 8) + 1024),
    ...(level === 0 && { filterType: 0 }),
  };
  return { width, height, samples, options };
}

/** The file with chunks for this metadata after its signature and IHDR. */
function withMetadata(file: Uint8Array, metadata: Metadata): Uint8Array {
  const chunks = metadataChunks(metadata);
  const whole = chunks.length === 0 ? file : Buffer.concat([file.subarray(0, 33), ...chunks, file.subarray(33)]);
  return new Uint8Array(whole.buffer, whole.byteOffset, whole.length);
}

/**
 * The bytes of a PNG file that holds exactly this picture, 8 or 16 bit, and this metadata.
 * @param level Of deflate. The highest, 9, takes several times as long as 6 for a hundredth of the bytes; 0 copies.
 */
export function encodePngFile(picture: Picture<Samples>, metadata: Metadata = {}, level = DEFAULT_LEVEL): Uint8Array {
  const { width, height, samples, options } = pngjsInput(picture, level);
  const png = new PNG({ width, height });
  png.data = Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength);
  return withMetadata(PNG.sync.write(png, options), metadata);
}

/**
 * The same bytes as `encodePngFile`, written in a thread of their own where it takes longer than to start one: 12
 * megapixels take seconds, in which nothing else would run and no signal be heard.
 */
export async function encodePngAside(picture: Picture<Samples>, metadata: Metadata = {}): Promise<Uint8Array> {
  if (picture.data.byteLength < WORTH_A_THREAD) return encodePngFile(picture, metadata);
  const worker = new Worker(new URL('./png-worker.node.mjs', import.meta.url), {
    workerData: pngjsInput(picture, DEFAULT_LEVEL),
    // Nothing of the main thread's: a loader of sources has nothing to do there.
    execArgv: [],
  });
  const file = await new Promise<Uint8Array>((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', code => reject(new Error(`the thread that writes a PNG file ended (${code})`)));
  });
  return withMetadata(file, metadata);
}

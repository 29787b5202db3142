/** JPEG, WebP, AVIF and TIFF files under Node, by the optional package sharp (libvips). */

import type { Metadata as SharpMetadata } from 'sharp';
import { readAvif } from './avif-boxes.ts';
import { ImageError, messageOf } from './errors.ts';
import { checkSize, FORMAT_NAMES, type Format } from './formats.ts';
import { type Channels, createPicture, type Picture, peak, type Samples, straight } from './picture.ts';
import type { DecodedPicture, Metadata } from './picture-file.ts';
import { encodePngFile } from './png.node.ts';
import { exifOfTiff, withExif } from './tiff-exif.ts';
import { numberOf, readTiffStructure } from './tiff-tags.ts';

async function loadSharp(format: Format, name: string): Promise<typeof import('sharp')> {
  try {
    return (await import('sharp')).default;
  } catch (error) {
    const problem = `${FORMAT_NAMES[format]} needs the optional package sharp: npm install sharp`;
    throw new ImageError(name, problem, { cause: error });
  }
}

/** Colour spaces of libvips whose numbers are taken as they are. */
const KEPT_SPACES = ['b-w', 'grey16', 'srgb', 'rgb', 'rgb16'];
/** Others by the names that people know. */
const SPACE_NAMES: Readonly<Record<string, string>> = { cmyk: 'CMYK', lab: 'Lab' };

/**
 * The picture of a file as it lies, not turned, in the file's own numbers: grey stays one channel, 16 bits stay. CMYK and
 * Lab are converted to sRGB, with a warning.
 *
 * @throws ImageError for damaged, truncated or unsupported files, those of more than `maxPixels` pixels, and all where
 *   sharp is missing.
 */
export async function decodeBySharp(
  bytes: Uint8Array,
  format: Format,
  name: string,
  maxPixels: number,
): Promise<DecodedPicture> {
  const sharp = await loadSharp(format, name);
  let bits = 8;
  try {
    const known = await sharp(bytes, { limitInputPixels: false }).metadata();
    bits = known.bitsPerSample ?? 8;
    checkSize(known.width, known.height, name, maxPixels);
    checkSamples(known, bytes, format, name);
    const kept = KEPT_SPACES.includes(known.space);
    const sixteen = kept && known.depth === 'ushort';
    const grey = kept && known.channels <= 2;
    // libvips has no 8-bit grey with alpha in a row of samples.
    const space = sixteen ? (grey ? 'grey16' : 'rgb16') : grey && !known.hasAlpha ? 'b-w' : 'srgb';
    const { data, info } = await sharp(bytes, { limitInputPixels: maxPixels, ignoreIcc: kept })
      .toColourspace(space)
      .raw({ depth: sixteen ? 'ushort' : 'uchar' })
      .toBuffer({ resolveWithObject: true });
    const samples = sixteen
      ? sixteenBit(data, known.bitsPerSample ?? 16)
      : new Uint8Array(data.buffer, data.byteOffset, data.length);
    const picture = createPicture<Samples>(info.width, info.height, info.channels as Channels, samples);
    const pages = known.pages ?? 1;
    const said = format === 'avif' ? readAvif(bytes) : undefined;
    const exif = withoutPrefix(known.exif) ?? (format === 'tiff' ? exifOfTiff(bytes) : undefined);
    const own = grey && picture.channels > 2 ? greyWithAlpha(picture) : picture;
    return {
      picture: said?.premultiplied ? straight(own) : own,
      // libheif turns pictures itself.
      orientation: format === 'avif' ? 1 : (known.orientation ?? 1),
      metadata: {
        icc: kept ? bytesOf(known.icc) : undefined,
        exif,
        xmp: bytesOf(known.xmp),
      },
      colours: kept ? { cicp: said?.cicp, exif: format === 'tiff' ? bytes : exif } : {},
      warnings: [
        ...(kept
          ? []
          : [
              `its colours (${SPACE_NAMES[known.space] ?? known.space}) are converted to sRGB and its own profile is not kept`,
            ]),
        ...(pages > 1 ? [`only the first of its ${pages} pages or frames is read`] : []),
      ],
      notCarried: holdsIptc(known.iptc, format) ? ['its IPTC data (captions, keywords) are not carried over'] : [],
    };
  } catch (error) {
    if (error instanceof ImageError) throw error;
    const message = messageOf(error);
    const problem =
      bits > 8 && message.includes('not supported by this decoder')
        ? `${FORMAT_NAMES[format]} of ${bits} bits is not supported by this build of sharp: convert it to PNG or TIFF`
        : `damaged ${FORMAT_NAMES[format]}: ${firstOf(message)}`;
    throw new ImageError(name, problem, { cause: error });
  }
}

/** Colour spaces of libvips that are converted. */
const CONVERTED_SPACES = ['cmyk', 'lab', 'labs'];

const PHOTOMETRIC = 262;
const COMPRESSION = 259;
const YCBCR = 6;
/** JPEG within TIFF, old and new, whose reader converts YCbCr itself. */
const JPEG_COMPRESSIONS = [6, 7];

/** @throws ImageError where libvips would give something other than the colours that the file means. */
function checkSamples(known: SharpMetadata, bytes: Uint8Array, format: Format, name: string): void {
  const { space, depth, channels } = known;
  const refuse = (what: string) => {
    const advice = 'convert it to 8 or 16 bit grey or RGB';
    throw new ImageError(name, `${FORMAT_NAMES[format]} of ${what} is not supported: ${advice}`);
  };
  if (depth !== 'uchar' && depth !== 'ushort') refuse(`samples of type ${depth}`);
  if (![...KEPT_SPACES, ...CONVERTED_SPACES].includes(space)) refuse(`colour space ${space}`);
  if (KEPT_SPACES.includes(space) && channels > 4) refuse(`${channels} channels`);
  const tiff = format === 'tiff' ? readTiffStructure(bytes) : undefined;
  if (tiff === undefined) return;
  const value = (tag: number) => numberOf(tiff, tiff.first.tags.get(tag));
  if (value(PHOTOMETRIC) === YCBCR && !JPEG_COMPRESSIONS.includes(value(COMPRESSION) ?? 1)) refuse('YCbCr samples');
}

/** Samples of 9 to 15 bits lie in the upper bits: their upper bits repeated below make white 65535. */
function sixteenBit(data: Buffer, bits: number): Uint16Array {
  const samples = new Uint16Array(data.length / 2);
  new Uint8Array(samples.buffer).set(data);
  if (bits > 8 && bits < 16) for (let i = 0; i < samples.length; i++) samples[i] |= samples[i] >> bits;
  return samples;
}

function greyWithAlpha({ width, height, data }: Picture<Samples>): Picture<Samples> {
  const out = new Uint8Array(width * height * 2);
  for (let pixel = 0; pixel < width * height; pixel++) {
    out[2 * pixel] = data[4 * pixel];
    out[2 * pixel + 1] = data[4 * pixel + 3];
  }
  return createPicture(width, height, 2, out);
}

function bytesOf(buffer: Buffer | undefined): Uint8Array | undefined {
  return buffer && new Uint8Array(buffer);
}

/** EXIF without the mark that JPEG puts before it. */
function withoutPrefix(exif: Buffer | undefined): Uint8Array | undefined {
  return bytesOf(exif?.subarray(0, 4).toString('latin1') === 'Exif' ? exif.subarray(6) : exif);
}

/** True for IPTC data of TIFF, and where they are among Photoshop's resources of JPEG, which may be others alone. */
function holdsIptc(data: Buffer | undefined, format: Format): boolean {
  if (data === undefined || format !== 'jpeg') return data !== undefined;
  // The resource's number 0x0404, an empty name, and a length, which may be 0.
  const at = data.indexOf('8BIM\x04\x04\0\0', 0, 'latin1');
  return at >= 0 && at + 12 < data.length && data.readUInt32BE(at + 8) > 0;
}

const LONGEST_PROBLEM = 200;

/** libvips says the same several times, a line each, after others of what follows from it. */
function firstOf(message: string): string {
  const idle = /^\s*$|^Warning treated as error|: bad seek to \d+$/;
  const lines = message.split('\n').filter(line => !idle.test(line));
  return (lines[0] ?? message).slice(0, LONGEST_PROBLEM);
}

/** Longest sides that the formats can hold, JPEG and AVIF by their libraries. */
const LONGEST_SIDE = { jpeg: 65_500, webp: 16_383, avif: 65_535, tiff: 0x7fff_ffff } as const;

/** @throws ImageError, by the name of the file to be written, where the sides are too long for the format. */
export function checkSides(width: number, height: number, format: Format, name: string): void {
  if (format === 'png' || Math.max(width, height) <= LONGEST_SIDE[format]) return;
  const problem = `${width}x${height} is more than ${FORMAT_NAMES[format]} holds (${LONGEST_SIDE[format]} a side)`;
  throw new ImageError(name, `${problem}: choose PNG or TIFF`);
}

const DEFAULT_QUALITY = { jpeg: 95, webp: 95, avif: 80 } as const;

/** Above this many bytes of samples a TIFF file may need offsets of 64 bits. */
const LARGE_TIFF = 0xf000_0000;

/**
 * The bytes of a file of this picture, which suits the format (see `fitted`), and metadata.
 * @throws ImageError where the sides are too long for the format, or sharp is missing.
 */
export async function encodeBySharp(
  picture: Picture<Samples>,
  format: Exclude<Format, 'png'>,
  metadata: Metadata,
  stated: number | undefined,
  name: string,
): Promise<Uint8Array> {
  const { width, height, channels, data } = picture;
  const sharp = await loadSharp(format, name);
  checkSides(width, height, format, name);
  // Samples alone cannot bring their metadata along: an uncompressed PNG does.
  const carrier = encodePngFile(picture, metadata, 0);
  const depth = peak(picture) > 255 ? 'rgb16' : 'srgb';
  const grey = peak(picture) > 255 ? 'grey16' : 'b-w';
  const pipeline = sharp(carrier, { limitInputPixels: false, unlimited: true })
    .keepMetadata()
    .toColourspace(channels <= 2 ? grey : depth);
  const quality = format === 'tiff' ? undefined : (stated ?? DEFAULT_QUALITY[format]);
  try {
    const encoded =
      format === 'tiff'
        ? pipeline.tiff({ compression: 'deflate', predictor: 'horizontal', bigtiff: data.byteLength > LARGE_TIFF })
        : format === 'jpeg'
          ? pipeline.jpeg({ quality: quality!, chromaSubsampling: '4:4:4' })
          : pipeline[format]({ quality: quality!, lossless: quality === 100 });
    const file = new Uint8Array(await encoded.toBuffer());
    return format === 'tiff' && metadata.exif ? withExif(file, metadata.exif) : file;
  } catch (error) {
    const problem = `cannot be encoded as ${FORMAT_NAMES[format]}: ${firstOf(messageOf(error))}`;
    throw new ImageError(name, problem, { cause: error });
  }
}

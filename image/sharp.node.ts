/** Decodes and encodes JPEG, WebP, AVIF and TIFF on Node with the optional package sharp (libvips). */

import type { Metadata as SharpMetadata } from 'sharp';
import { messageOf } from '../common/errors.ts';
import { readAvif } from './avif-boxes.ts';
import { ImageError } from './errors.ts';
import { checkSides, checkSize, FORMAT_NAMES, type Format, type ReadFormat } from './formats.ts';
import { orientationOf, resolutionOfExif } from './metadata/exif.ts';
import { fillRoom, roomFor } from './metadata/exif-room.ts';
import { readJpegMetadata } from './metadata/jpeg-metadata.ts';
import { type Repaired, repairedJpeg, withoutSurplus } from './metadata/jpeg-repair.ts';
import { withJpegMetadata } from './metadata/jpeg-write.node.ts';
import { resolutionOfTags } from './metadata/resolution.ts';
import { completedTiff, exifOfTiff, exifWithResolution } from './metadata/tiff-exif.ts';
import { mainPage, rareCompression, type TiffPage } from './metadata/tiff-pages.ts';
import { isAboutTags, repairedTiff } from './metadata/tiff-repair.ts';
import { numberOf, readTiffStructure, type TiffStructure } from './metadata/tiff-tags.ts';
import { type Channels, createPicture, type Picture, peak, type Samples, straight } from './picture.ts';
import type { DecodedPicture, Metadata } from './picture-file.ts';
import { encodePngFile } from './png.node.ts';

async function loadSharp(format: ReadFormat, name: string): Promise<typeof import('sharp')> {
  try {
    return (await import('sharp')).default;
  } catch (error) {
    const problem = `${FORMAT_NAMES[format]} needs the optional package sharp: npm install sharp`;
    throw new ImageError(name, problem, { cause: error });
  }
}

/** libvips colour spaces whose samples are used unconverted. */
const KEPT_SPACES = ['b-w', 'grey16', 'srgb', 'rgb', 'rgb16'];
/** Display names of others. */
const SPACE_NAMES: Readonly<Record<string, string>> = { cmyk: 'CMYK', lab: 'Lab' };

/** A file and, for TIFF, its tags and the page that is read. */
interface Source {
  readonly bytes: Uint8Array;
  readonly format: ReadFormat;
  readonly name: string;
  readonly tiff?: { readonly structure: TiffStructure; readonly page: TiffPage } | undefined;
  /** What libvips reads, if not the original bytes, and which page of it. */
  readonly mended?: Uint8Array | undefined;
  readonly page: number;
}

/**
 * Decodes a file without rotating it: grey stays one channel, 16 bits stay. CMYK and Lab are converted to sRGB, with a
 * warning. If libvips or its libraries report a fault that affects no pixel, the file is repaired in memory and decoded
 * again, as strictly, with a warning.
 *
 * @throws ImageError for damaged, truncated or unsupported files, files of more than `maxPixels` pixels, and if sharp
 *   is not installed.
 */
export async function decodeBySharp(
  bytes: Uint8Array,
  format: ReadFormat,
  name: string,
  maxPixels: number,
): Promise<DecodedPicture> {
  const structure = format === 'tiff' ? readTiffStructure(bytes) : undefined;
  const tiff = structure && { structure, page: mainPage(structure) };
  const source: Source = { bytes, format, name, tiff, page: tiff?.page.number ?? 0 };
  let problem: unknown;
  try {
    return await decodeStrictly(source, maxPixels);
  } catch (error) {
    if (error instanceof ImageError) throw error;
    problem = error;
  }
  const faults: string[] = [];
  let [mended, complaint] = [source, problem];
  for (let attempt = 0; attempt < 3; attempt++) {
    const repaired = repairedBy(mended, messageOf(complaint), attempt);
    if (repaired === undefined) continue;
    faults.push(...repaired.faults);
    mended = format === 'tiff' ? { ...source, mended: repaired.bytes, page: 0 } : { ...source, bytes: repaired.bytes };
    try {
      const decoded = await decodeStrictly(mended, maxPixels);
      const warning = `repaired ${faults.length === 1 ? 'a harmless fault' : 'harmless faults'}: ${faults.join(', ')}`;
      return { ...decoded, warnings: [warning, ...decoded.warnings] };
    } catch (error) {
      complaint = error;
    }
  }
  throw problemOf(source, problem);
}

/** Tries to repair the fault that libvips reported. */
function repairedBy({ bytes, format, tiff, mended }: Source, message: string, attempt: number): Repaired | undefined {
  if (format === 'jpeg') {
    if (attempt === 0) return repairedJpeg(bytes);
    const surplus = /: (\d{1,6}) extraneous bytes before marker 0xd9/.exec(firstOf(message));
    return surplus ? withoutSurplus(bytes, Number(surplus[1])) : undefined;
  }
  const complaint = firstOf(message);
  if (tiff === undefined || mended !== undefined || !isAboutTags(complaint)) return undefined;
  const repaired = repairedTiff(tiff.structure, tiff.page.directory);
  return repaired && { bytes: repaired, faults: [`its tags (${complaint.replace(/[;.] .*/, '')})`] };
}

/** @throws ImageError for unsupported files, otherwise libvips' error. */
async function decodeStrictly(source: Source, maxPixels: number): Promise<DecodedPicture> {
  const { bytes, format, name, tiff } = source;
  const sharp = await loadSharp(format, name);
  const file = source.mended ?? bytes;
  const { page } = source;
  const known = await sharp(file, { limitInputPixels: false, page }).metadata();
  checkSize(known.width, known.height, name, maxPixels);
  checkSamples(known, source);
  const kept = KEPT_SPACES.includes(known.space);
  const sixteen = kept && known.depth === 'ushort';
  const grey = kept && known.channels <= 2;
  // libvips cannot output 8-bit grey with alpha.
  const space = sixteen ? (grey ? 'grey16' : 'rgb16') : grey && !known.hasAlpha ? 'b-w' : 'srgb';
  try {
    const { data, info } = await sharp(file, { limitInputPixels: maxPixels, ignoreIcc: kept, page })
      .toColourspace(space)
      .raw({ depth: sixteen ? 'ushort' : 'uchar' })
      .toBuffer({ resolveWithObject: true });
    const samples = sixteen
      ? sixteenBit(data, known.bitsPerSample ?? 16)
      : new Uint8Array(data.buffer, data.byteOffset, data.length);
    const picture = createPicture<Samples>(info.width, info.height, info.channels as Channels, samples);
    const said = format === 'avif' ? readAvif(bytes) : undefined;
    const own = grey && picture.channels > 2 ? greyWithAlpha(picture) : picture;
    const { metadata, warnings } = metadataOf(known, source);
    return {
      picture: said?.premultiplied ? straight(own) : own,
      // libheif rotates pictures itself.
      orientation: format === 'avif' ? 1 : orientationOf(metadata.exif),
      metadata: { ...metadata, icc: kept ? bytesOf(known.icc) : undefined },
      colours: kept ? { cicp: said?.cicp, exif: format === 'tiff' ? bytes : metadata.exif } : {},
      warnings: [
        ...(kept
          ? []
          : [
              `its colours (${SPACE_NAMES[known.space] ?? known.space}) are converted to sRGB and its profile was dropped`,
            ]),
        ...warnings,
        ...(tiff ? pageWarnings(tiff.page) : frameWarnings(known.pages ?? 1)),
      ],
      notCarried: holdsIptc(known.iptc, format) ? ['its IPTC data (captions, keywords) are not carried over'] : [],
    };
  } catch (error) {
    const bits = known.bitsPerSample ?? 8;
    if (bits > 8 && messageOf(error).includes('not supported by this decoder')) {
      const problem = `${FORMAT_NAMES[format]} of ${bits} bits is not supported by this build of sharp`;
      throw new ImageError(name, `${problem}: convert it to PNG or TIFF`, { cause: error });
    }
    throw error;
  }
}

function metadataOf(known: SharpMetadata, { bytes, format, tiff }: Source) {
  const xmp = bytesOf(known.xmp);
  if (tiff) {
    const { structure, page } = tiff;
    const exif = exifOfTiff(structure, page.directory);
    const resolution = resolutionOfTags(structure, page.directory);
    return { metadata: { exif, xmp, resolution }, warnings: [] };
  }
  const exif = withoutPrefix(known.exif);
  if (format !== 'jpeg') return { metadata: { exif, xmp }, warnings: [] };
  const { warnings, ...jpeg } = readJpegMetadata(bytes);
  // Like ExifTool and libvips, prefers EXIF over JFIF.
  return { metadata: { exif, ...jpeg, resolution: resolutionOfExif(exif) ?? jpeg.resolution }, warnings };
}

const frameWarnings = (frames: number) =>
  frames > 1 ? [`only the first of its ${frames} pages or frames is read`] : [];

function pageWarnings({ number, pages, fullPages }: TiffPage): string[] {
  if (fullPages > 1 && number > 0) return [`only page ${number + 1} of its ${pages} pages is read`];
  if (fullPages > 1) return frameWarnings(pages);
  return number > 0 ? [`page ${number + 1} of its ${pages} is read: the others are thumbnails or masks`] : [];
}

/** Translates libvips' message to an error that says what is damaged or unsupported. */
function problemOf({ format, name, tiff }: Source, cause: unknown): ImageError {
  const message = messageOf(cause);
  const unsupported = (what: string, advice: string) =>
    new ImageError(name, `${FORMAT_NAMES[format]} ${what} is not supported: convert it${advice}`, { cause });
  const precision = /Unsupported JPEG data precision (\d+)/.exec(message);
  if (precision) return unsupported(`of ${precision[1]} bits`, ' to 8-bit JPEG, PNG or TIFF');
  const process = /Unsupported JPEG process: (SOF type 0x\w+)/.exec(message);
  if (process)
    return unsupported(`with a rare coding process (${process[1]})`, ' to baseline or progressive JPEG, or to PNG');
  const configured = /(\S+) compression support is not configured/.exec(message);
  const rare = tiff && rareCompression(tiff.structure, tiff.page.directory);
  if (configured ?? rare) {
    return unsupported(`compressed by ${rare ?? configured?.[1]}`, ', for example to deflate or LZW (tiffcp -c lzw)');
  }
  return new ImageError(name, `damaged ${FORMAT_NAMES[format]}: ${firstOf(message)}`, { cause });
}

/** libvips colour spaces that are converted. */
const CONVERTED_SPACES = ['cmyk', 'lab', 'labs'];

const PHOTOMETRIC = 262;
const COMPRESSION = 259;
const YCBCR = 6;
/** Old and new JPEG in TIFF, whose decoder converts YCbCr itself. */
const JPEG_COMPRESSIONS = [6, 7];

/** @throws ImageError if libvips would return wrong colours. */
function checkSamples(known: SharpMetadata, { format, name, tiff }: Source): void {
  const { space, depth, channels } = known;
  const refuse = (what: string) => {
    const advice = 'convert it to 8 or 16 bit grey or RGB';
    throw new ImageError(name, `${FORMAT_NAMES[format]} of ${what} is not supported: ${advice}`);
  };
  if (depth !== 'uchar' && depth !== 'ushort') refuse(`samples of type ${depth}`);
  if (![...KEPT_SPACES, ...CONVERTED_SPACES].includes(space)) refuse(`colour space ${space}`);
  if (KEPT_SPACES.includes(space) && channels > 4) refuse(`${channels} channels`);
  if (tiff === undefined) return;
  const value = (tag: number) => numberOf(tiff.structure, tiff.page.directory.tags.get(tag));
  if (value(PHOTOMETRIC) === YCBCR && !JPEG_COMPRESSIONS.includes(value(COMPRESSION) ?? 1)) refuse('YCbCr samples');
}

/** Samples of 9 to 15 bits are in the upper bits. Their upper bits are repeated below, so that white becomes 65535. */
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

/** EXIF without JPEG's "Exif" header. */
function withoutPrefix(exif: Buffer | undefined): Uint8Array | undefined {
  return bytesOf(exif?.subarray(0, 4).toString('latin1') === 'Exif' ? exif.subarray(6) : exif);
}

/** True for IPTC data in TIFF, or among JPEG's Photoshop resources, which need not contain any. */
function holdsIptc(data: Buffer | undefined, format: ReadFormat): boolean {
  if (data === undefined || format !== 'jpeg') return data !== undefined;
  // The resource's number 0x0404, an empty name, and a length, which may be 0.
  const at = data.indexOf('8BIM\x04\x04\0\0', 0, 'latin1');
  return at >= 0 && at + 12 < data.length && data.readUInt32BE(at + 8) > 0;
}

const LONGEST_PROBLEM = 200;

/** The relevant line of libvips' message, which repeats errors and adds consequential ones. */
function firstOf(message: string): string {
  const idle = /^\s*$|^Warning treated as error|: bad seek to \d+$/;
  const lines = message.split('\n').filter(line => !idle.test(line));
  return (lines[0] ?? message.split('\n')[0]).slice(0, LONGEST_PROBLEM);
}

const DEFAULT_QUALITY = { jpeg: 95, webp: 95, avif: 80 } as const;

/** Above this many bytes of samples a TIFF file may need 64-bit offsets. */
const LARGE_TIFF = 0xf000_0000;

/**
 * Encodes a picture that fits the format (see `fitted`) with its metadata.
 * @throws ImageError if a side is too long for the format, or sharp is not installed.
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
  const depth = peak(picture) > 255 ? 'rgb16' : 'srgb';
  const grey = peak(picture) > 255 ? 'grey16' : 'b-w';
  const quality = format === 'tiff' ? undefined : (stated ?? DEFAULT_QUALITY[format]);
  const encoded = async (carried: Metadata) => {
    // Raw samples cannot carry metadata, so sharp gets an uncompressed PNG.
    const pipeline = sharp(encodePngFile(picture, carried, 0), { limitInputPixels: false, unlimited: true })
      .keepMetadata()
      .toColourspace(channels <= 2 ? grey : depth);
    const coded =
      format === 'tiff'
        ? pipeline.tiff({ compression: 'deflate', predictor: 'horizontal', bigtiff: data.byteLength > LARGE_TIFF })
        : format === 'jpeg'
          ? pipeline.jpeg({ quality: quality!, chromaSubsampling: '4:4:4' })
          : pipeline[format]({ quality: quality!, lossless: quality === 100 });
    return new Uint8Array(await coded.toBuffer());
  };
  try {
    return await withMetadata(format, metadata, encoded);
  } catch (error) {
    const problem = `cannot be encoded as ${FORMAT_NAMES[format]}: ${firstOf(messageOf(error))}`;
    throw new ImageError(name, problem, { cause: error });
  }
}

/** Replaces the metadata in the encoded file: libvips adds its own to every file. */
async function withMetadata(
  format: Exclude<Format, 'png'>,
  { icc, exif, xmp, resolution, comments }: Metadata,
  encoded: (carried: Metadata) => Promise<Uint8Array>,
): Promise<Uint8Array> {
  if (format === 'jpeg') return withJpegMetadata(await encoded({ icc }), { exif, xmp, resolution, comments });
  if (format === 'tiff') return completedTiff(await encoded({ icc, xmp }), exif, resolution);
  const stated = resolution ? exifWithResolution(exif, resolution) : exif;
  const file = await encoded({ icc, xmp, exif: roomFor(stated) });
  return fillRoom(file, stated) ? file : await encoded({ icc, xmp, exif });
}

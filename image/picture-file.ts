/** What a picture file holds: the picture, its format, what it says besides pixels, and what a reader should know. */

import type { Cicp } from './colours/cicp.ts';
import type { ColourStatements } from './colours/meaning.ts';
import type { ReadFormat } from './formats.ts';
import type { Resolution } from './metadata/resolution.ts';
import type { Picture, Samples } from './picture.ts';

/** What goes with a picture from file to file, each as the bytes that the formats share. */
export interface Metadata {
  /** ICC profile: the file's, or one written of what the file says of its colours in another way. */
  readonly icc?: Uint8Array | undefined;
  /** Code points of the colours, beside a profile or where there can be none (HDR): PNG files alone take them. */
  readonly cicp?: Cicp | undefined;
  /** EXIF: a TIFF structure, without the "Exif\0\0" that JPEG puts before it. */
  readonly exif?: Uint8Array | undefined;
  /** XMP packet: XML in UTF-8. */
  readonly xmp?: Uint8Array | undefined;
  /** Dots per inch or another unit, which every format holds in its own way. */
  readonly resolution?: Resolution | undefined;
  /** Comments of JPEG (COM), which no other format takes: bytes in an encoding that nobody states. */
  readonly comments?: readonly Uint8Array[] | undefined;
}

export interface PictureFile {
  /** As the file has it: 8 or 16 bit, grey or RGB, with or without alpha; turned upright. */
  readonly picture: Picture<Samples>;
  readonly format: ReadFormat;
  readonly metadata: Metadata;
  /** The name of the colour profile or space from which the samples were converted to sRGB, where they were. */
  readonly convertedFrom?: string | undefined;
  /** What was converted or lost, and what the numbers mean where that is not sRGB: a line each. */
  readonly warnings: readonly string[];
}

/** A file's picture as it lies in the file. */
export interface DecodedPicture extends Omit<PictureFile, 'format'> {
  /** How it is to be turned: 1…8 (see `upright`). */
  readonly orientation: number;
  /** What the file says of its colours beside the profile in `metadata`; nothing where they were converted to sRGB. */
  readonly colours: ColourStatements;
  /** A line for all metadata that are left behind. */
  readonly notCarried: readonly string[];
}

export interface DecodeOptions {
  /** Pictures of more pixels are refused before they are decoded. Default: DEFAULT_MAX_PIXELS. */
  readonly maxPixels?: number | undefined;
  /**
   * The file's own numbers with their profile, or, for who will not keep the profile, their colours in sRGB: then it is left
   * out of the metadata unless it cannot be converted from, which a warning tells; what else of the metadata is left behind
   * is not told. Default: own.
   */
  readonly colours?: 'own' | 'srgb' | undefined;
}

export interface EncodeOptions {
  /** Default: none. */
  readonly metadata?: Metadata | undefined;
  /** Of JPEG, WebP and AVIF: 1…100, where 100 is lossless for the last two. Default: 95, 95 and 80. */
  readonly quality?: number | undefined;
}

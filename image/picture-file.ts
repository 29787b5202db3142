/** Types of picture files: the picture, its format, metadata and warnings. */

import type { Cicp } from './colours/cicp.ts';
import type { ColourStatements } from './colours/meaning.ts';
import type { ReadFormat } from './formats.ts';
import type { Resolution } from './metadata/resolution.ts';
import type { Picture, Samples } from './picture.ts';

/** Metadata that is copied from file to file, as bytes that all formats share. */
export interface Metadata {
  /** ICC profile: the file's, or one generated from other colour information in the file. */
  readonly icc?: Uint8Array | undefined;
  /** Colour code points, with a profile or, for HDR, without one. Only written to PNG. */
  readonly cicp?: Cicp | undefined;
  /** EXIF: a TIFF structure, without the "Exif\0\0" that JPEG puts before it. */
  readonly exif?: Uint8Array | undefined;
  /** XMP packet: XML in UTF-8. */
  readonly xmp?: Uint8Array | undefined;
  /** Dots per inch or another unit; each format stores it differently. */
  readonly resolution?: Resolution | undefined;
  /** JPEG comments (COM): bytes in an unknown encoding. Only written to JPEG. */
  readonly comments?: readonly Uint8Array[] | undefined;
}

export interface PictureFile {
  /** As stored in the file (8 or 16 bits, grey or RGB, with or without alpha), but rotated upright. */
  readonly picture: Picture<Samples>;
  readonly format: ReadFormat;
  readonly metadata: Metadata;
  /** The name of the profile or colour space, if the samples were converted from it to sRGB. */
  readonly convertedFrom?: string | undefined;
  /** One line for each conversion and loss, and for colours that are not sRGB. */
  readonly warnings: readonly string[];
}

/** A file's picture before rotation. */
export interface DecodedPicture extends Omit<PictureFile, 'format'> {
  /** The orientation 1…8 (see `upright`). */
  readonly orientation: number;
  /** Colour information beside the profile in `metadata`; empty if the colours were converted to sRGB. */
  readonly colours: ColourStatements;
  /** One line for each kind of metadata that is not carried over. */
  readonly notCarried: readonly string[];
}

export interface DecodeOptions {
  /** Pictures with more pixels are rejected before decoding. Default: DEFAULT_MAX_PIXELS. */
  readonly maxPixels?: number | undefined;
  /**
   * `own`: the file's samples with their profile. `srgb`: for callers that drop metadata; converts to sRGB and omits
   * the profile, unless it cannot be converted, which gives a warning. Other metadata losses give no warning then.
   * Default: own.
   */
  readonly colours?: 'own' | 'srgb' | undefined;
}

export interface EncodeOptions {
  /** Default: none. */
  readonly metadata?: Metadata | undefined;
  /** Quality of JPEG, WebP and AVIF: 1…100, where 100 is lossless for WebP and AVIF. Default: 95, 95 and 80. */
  readonly quality?: number | undefined;
}

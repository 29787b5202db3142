/** Reduces a picture and its metadata to what a format can hold, and lists what is lost. */

import { type Cicp, meaningOfCicp } from './colours/cicp.ts';
import { readProfile } from './colours/icc.ts';
import { FORMAT_NAMES, type Format } from './formats.ts';
import { exifFor } from './metadata/exif.ts';
import { isLongExif, isLongXmp } from './metadata/jpeg-limits.ts';
import { xmpFor } from './metadata/xmp.ts';
import { createPicture, hasAlpha, type Picture, peak, type Samples, splitAlpha, toEightBit } from './picture.ts';
import type { Metadata } from './picture-file.ts';

export interface Fitted {
  readonly picture: Picture<Samples>;
  readonly metadata: Metadata;
  /** One line for each thing that is lost. */
  readonly losses: readonly string[];
}

/**
 * Returns the closest that the format can hold. JPEG, WebP and AVIF hold 8 bits per sample: 16 bits are rounded. JPEG
 * has no alpha: the picture is blended with white. WebP and AVIF have no grey: it becomes RGB with equal channels. A
 * profile that does not fit the file's channels is dropped, and EXIF is updated to the picture.
 */
export function fitted(picture: Picture<Samples>, format: Format, metadata: Metadata = {}): Fitted {
  const losses: string[] = [];
  let out = picture;
  if (peak(out) > 255 && format !== 'png' && format !== 'tiff') {
    losses.push(`${FORMAT_NAMES[format]} holds 8 bits per sample: 16-bit samples are rounded (PNG and TIFF keep them)`);
    out = toEightBit(out);
  }
  if (format === 'jpeg' && hasAlpha(out)) {
    if (!isOpaque(out))
      losses.push('JPEG has no alpha: the picture is blended with white (PNG, WebP, AVIF and TIFF keep it)');
    out = overWhite(out);
  }
  const { exif, xmp, comments } = fittingTexts(picture, format, metadata, losses);
  const icc = fittingProfile(out, format, metadata.icc, losses);
  const cicp = fittingCicp(format, metadata, losses);
  return { picture: out, metadata: { icc, cicp, exif, xmp, resolution: metadata.resolution, comments }, losses };
}

/** HDR has no profile, so its code points are lost in formats other than PNG. */
function fittingCicp(format: Format, { icc, cicp }: Metadata, losses: string[]): Cicp | undefined {
  if (format === 'png' || cicp === undefined) return format === 'png' ? cicp : undefined;
  if (icc === undefined) {
    const { name } = meaningOfCicp(cicp, 8);
    losses.push(`its colour space (${name}) is not carried over to ${FORMAT_NAMES[format]} (PNG keeps it)`);
  }
  return undefined;
}

/** EXIF and XMP, updated to the picture, and comments, as far as the format can hold them. */
function fittingTexts(
  picture: Picture<Samples>,
  format: Format,
  metadata: Metadata,
  losses: string[],
): Pick<Metadata, 'exif' | 'xmp' | 'comments'> {
  let exif = metadata.exif && exifFor(metadata.exif, picture, metadata.resolution);
  if (metadata.exif && !exif) losses.push('its EXIF is damaged and was dropped');
  let xmp = metadata.xmp && xmpFor(metadata.xmp, picture);
  const tooMuch = (what: string, bytes: Uint8Array) =>
    losses.push(`its ${what} of ${bytes.length} bytes does not fit into JPEG and was dropped`);
  if (format === 'jpeg' && exif && isLongExif(exif)) {
    tooMuch('EXIF', exif);
    exif = undefined;
  }
  if (format === 'jpeg' && xmp && isLongXmp(xmp)) {
    tooMuch('XMP', xmp);
    xmp = undefined;
  }
  const comments = format === 'jpeg' ? metadata.comments : undefined;
  if (metadata.comments?.length && !comments) {
    losses.push(`its comment (COM) is not carried over to ${FORMAT_NAMES[format]} (JPEG keeps it)`);
  }
  return { exif, xmp, comments };
}

function fittingProfile(
  picture: Picture<Samples>,
  format: Format,
  icc: Uint8Array | undefined,
  losses: string[],
): Uint8Array | undefined {
  if (icc === undefined) return undefined;
  const profile = readProfile(icc);
  const grey = picture.channels <= 2 && format !== 'webp' && format !== 'avif';
  if (profile?.space === (grey ? 'GRAY' : 'RGB')) return icc;
  const what = profile ? `colour profile "${profile.name}" (${profile.space})` : 'damaged colour profile';
  if (!profile?.isSrgb) losses.push(`its ${what} does not fit ${grey ? 'a grey' : 'an RGB'} file and was dropped`);
  return undefined;
}

function isOpaque({ channels, data }: Picture<Samples>): boolean {
  const opaque = peak({ data });
  for (let i = channels - 1; i < data.length; i += channels) if (data[i] !== opaque) return false;
  return true;
}

/** Blends with white in the file's own sample values, as browsers do on a white page; rounded half up. */
function overWhite(picture: Picture<Samples>): Picture<Samples> {
  const { colour, alpha } = splitAlpha(picture);
  const white = peak(picture);
  const { width, height, channels, data } = colour;
  for (let i = 0; i < data.length; i++) {
    const share = alpha!.data[Math.floor(i / channels)] / white;
    data[i] = Math.floor(white + (data[i] - white) * share + 0.5);
  }
  return createPicture(width, height, channels, data);
}

/** What a format cannot hold of a picture, and the picture and metadata that it can. */

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
  /** A line for everything that is lost. */
  readonly losses: readonly string[];
}

/**
 * The nearest that a format can hold. JPEG, WebP and AVIF have 8 bits a sample: 16 are rounded. JPEG has no alpha: what
 * shines through is white. WebP and AVIF have no grey: it becomes RGB of the same numbers. A profile must speak of the
 * channels that the file has, and EXIF says what is true of the picture as it is now.
 */
export function fitted(picture: Picture<Samples>, format: Format, metadata: Metadata = {}): Fitted {
  const losses: string[] = [];
  let out = picture;
  if (peak(out) > 255 && format !== 'png' && format !== 'tiff') {
    losses.push(`${FORMAT_NAMES[format]} has 8 bits a sample: 16 bits are rounded (PNG and TIFF keep them)`);
    out = toEightBit(out);
  }
  if (format === 'jpeg' && hasAlpha(out)) {
    if (!isOpaque(out))
      losses.push('JPEG has no alpha: the picture is laid over white (PNG, WebP, AVIF and TIFF keep it)');
    out = overWhite(out);
  }
  const { exif, xmp, comments } = fittingTexts(picture, format, metadata, losses);
  const icc = fittingProfile(out, format, metadata.icc, losses);
  const cicp = fittingCicp(format, metadata, losses);
  return { picture: out, metadata: { icc, cicp, exif, xmp, resolution: metadata.resolution, comments }, losses };
}

/** Of HDR there is no profile: its code points are lost with their chunk. */
function fittingCicp(format: Format, { icc, cicp }: Metadata, losses: string[]): Cicp | undefined {
  if (format === 'png' || cicp === undefined) return format === 'png' ? cicp : undefined;
  if (icc === undefined) {
    const { name } = meaningOfCicp(cicp, 8);
    losses.push(`that its colours are ${name} is not carried over to ${FORMAT_NAMES[format]} (PNG keeps it)`);
  }
  return undefined;
}

/** EXIF and XMP that are true of the picture, and comments, as far as the format holds them. */
function fittingTexts(
  picture: Picture<Samples>,
  format: Format,
  metadata: Metadata,
  losses: string[],
): Pick<Metadata, 'exif' | 'xmp' | 'comments'> {
  let exif = metadata.exif && exifFor(metadata.exif, picture, metadata.resolution);
  if (metadata.exif && !exif) losses.push('its EXIF is damaged and left out');
  let xmp = metadata.xmp && xmpFor(metadata.xmp, picture);
  const tooMuch = (what: string, bytes: Uint8Array) =>
    losses.push(`its ${what} of ${bytes.length} bytes is more than JPEG holds and left out`);
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
  if (!profile?.isSrgb) losses.push(`its ${what} does not suit ${grey ? 'a grey' : 'an RGB'} file and is left out`);
  return undefined;
}

function isOpaque({ channels, data }: Picture<Samples>): boolean {
  const opaque = peak({ data });
  for (let i = channels - 1; i < data.length; i += channels) if (data[i] !== opaque) return false;
  return true;
}

/** Blended in the file's own numbers, as browsers do on a white page; rounded half up. */
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

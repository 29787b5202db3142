/** Converts from table-based profiles (scanners, printers, Lab) to sRGB with libvips and Little CMS, through sharp. */

import { createPicture, type Picture, peak, type Samples } from '../picture.ts';
import { encodePngFile } from '../png.node.ts';
import { profileTags, readProfile } from './icc.ts';

/** True if the profile has A-to-B tables, which override primaries and curves (ICC.1:2022, 8.2.2). */
export const isOfTables = (icc: Uint8Array): boolean => profileTags(icc).has('A2B0');

/** A converted picture, or why the conversion failed. */
export type Converted<S extends Samples> =
  | { readonly picture: Picture<S> }
  | { readonly problem: 'no sharp' | 'no use' };

/** Distinct colours that any usable profile changes. */
const PROBE = [30, 60, 200, 200, 40, 90, 70, 210, 120, 128, 128, 128, 240, 200, 20, 10, 20, 15];

/**
 * Converts the picture to sRGB with the perceptual tables of its profile. Depth and alpha stay. docs/decisions.md
 * compares the result with Little CMS in floating point.
 */
export async function convertByEngine<S extends Samples>(picture: Picture<S>, icc: Uint8Array): Promise<Converted<S>> {
  const suits = readProfile(icc)?.space === (picture.channels <= 2 ? 'GRAY' : 'RGB');
  if (!suits) return { problem: 'no use' };
  const sharp = await import('sharp').then(
    module => module.default,
    () => undefined,
  );
  if (sharp === undefined) return { problem: 'no sharp' };
  const convert = async (own: Picture<Samples>, profile: Uint8Array | undefined) => {
    const sixteen = peak(own) > 255;
    // Converts directly between the profiles: sharp's own conversion of 16 bits goes through Display P3.
    const { data, info } = await sharp(encodePngFile(own, { icc: profile }, 0), {
      ignoreIcc: true,
      limitInputPixels: false,
      unlimited: true,
    })
      .toColourspace(sixteen ? 'rgb16' : 'srgb')
      .withIccProfile('srgb')
      .raw({ depth: sixteen ? 'ushort' : 'uchar' })
      .toBuffer({ resolveWithObject: true });
    const bytes = new Uint8Array(data);
    return { samples: sixteen ? new Uint16Array(bytes.buffer) : bytes, channels: info.channels };
  };
  try {
    // libvips silently replaces a profile that it cannot use.
    const probe = probeLike(picture);
    const [used, unused] = [await convert(probe, icc), await convert(probe, undefined)];
    if (used.samples.every((sample, at) => sample === unused.samples[at])) return { problem: 'no use' };
    const { samples, channels } = await convert(picture, icc);
    return { picture: withColours(picture, samples, channels) };
  } catch {
    return { problem: 'no use' };
  }
}

/** The probe colours (or greys) as a picture with another picture's depth. */
function probeLike({ channels, data }: Picture<Samples>): Picture<Samples> {
  const unit = peak({ data }) / 255;
  const each = channels <= 2 ? 1 : 3;
  const samples = PROBE.map(value => value * unit);
  return createPicture<Samples>(
    PROBE.length / each,
    1,
    each,
    unit > 1 ? Uint16Array.from(samples) : Uint8Array.from(samples),
  );
}

/** Replaces the picture's colours with these samples of 1 to 4 channels. */
function withColours<S extends Samples>(picture: Picture<S>, samples: Samples, from: number): Picture<S> {
  const { width, height, channels, data } = picture;
  const colours = channels <= 2 ? 1 : 3;
  const out = data.slice() as S;
  for (let pixel = 0; pixel < width * height; pixel++) {
    for (let c = 0; c < colours; c++) out[pixel * channels + c] = samples[pixel * from + c];
  }
  return createPicture(width, height, channels, out);
}

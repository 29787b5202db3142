/** Converts pictures from other colour spaces to sRGB (IEC 61966-2-1). */

import { createPicture, hasAlpha, type Picture, peak, type Samples, samplesLike } from '../picture.ts';
import { profileTags, readProfile } from './icc.ts';
import { curveOf } from './icc-curve.ts';

/**
 * From XYZ under D50 (0.9642, 1, 0.8249) to linear sRGB: the inverse of sRGB's primaries, adapted from D65 to D50 by
 * Bradford's matrix.
 */
const FROM_XYZ = [
  [3.1341864, -1.617209, -0.4906941],
  [-0.9787485, 1.9161301, 0.0334334],
  [0.0719639, -0.2289939, 1.4057537],
] as const;

/**
 * Converts the picture to sRGB. Depth and alpha stay. Relative colorimetric (white stays white); out-of-gamut colours
 * are clipped per channel; rounded half up. Computed in float64, because libvips converts 16-bit RGB through another
 * space (off by up to 5/255) and cannot convert 16-bit grey.
 *
 * @returns undefined unless the profile has three primaries and curves (RGB) or one curve (grey) and fits the picture's
 *   channels.
 */
export function toSrgb<S extends Samples>(picture: Picture<S>, icc: Uint8Array): Picture<S> | undefined {
  const profile = readProfile(icc);
  const colours = picture.channels <= 2 ? 1 : 3;
  if (profile?.space !== (colours === 1 ? 'GRAY' : 'RGB')) return undefined;
  if (colours === 3 && !profile.connectsByXyz) return undefined;
  const tags = profileTags(icc);
  const names = colours === 1 ? ['kTRC'] : ['rTRC', 'gTRC', 'bTRC'];
  const curves = names.map(name => lightOf(tags.get(name), peak(picture)));
  const light = curves.filter(curve => curve !== undefined);
  if (light.length < curves.length) return undefined;
  if (colours === 1) return greyToSrgb(picture, profile.connectsByXyz ? light[0] : light[0].map(lightOfLightness));
  const matrix = toSrgbLight(['rXYZ', 'gXYZ', 'bXYZ'].map(name => tags.get(name)));
  return matrix && rgbToSrgb(picture, light, matrix);
}

/** Light from L* (0…1 for 0…100), for grey profiles with connection space Lab (ICC.1:2022, F.2; CIE 15). */
function lightOfLightness(lightness: number): number {
  const y = (100 * lightness + 16) / 116;
  return y > 6 / 29 ? y ** 3 : 3 * (6 / 29) ** 2 * (y - 4 / 29);
}

/** A table of the light of every sample value. */
function lightOf(tag: DataView | undefined, white: number): Float64Array | undefined {
  const curve = tag && curveOf(tag);
  const light = curve && Float64Array.from({ length: white + 1 }, (_, sample) => curve(sample / white));
  return light?.every(Number.isFinite) ? light : undefined;
}

/** The row-major matrix from the profile's linear RGB to linear sRGB. */
function toSrgbLight(primaries: readonly (DataView | undefined)[]): number[] | undefined {
  const columns: number[][] = [];
  for (const tag of primaries) {
    if (tag === undefined || tag.byteLength < 20) return undefined;
    columns.push([8, 12, 16].map(at => tag.getInt32(at) / 65536));
  }
  return FROM_XYZ.flatMap(row => columns.map(xyz => row[0] * xyz[0] + row[1] * xyz[1] + row[2] * xyz[2]));
}

function greyToSrgb<S extends Samples>(picture: Picture<S>, light: Float64Array): Picture<S> {
  const { width, height, channels, data } = picture;
  const white = peak(picture);
  const numbers = samplesLike(data, light.length);
  for (let sample = 0; sample <= white; sample++) numbers[sample] = numberOf(light[sample]) * white + 0.5;
  const out = data.slice() as S;
  for (let at = 0; at < out.length; at += channels) out[at] = numbers[data[at]];
  return createPicture(width, height, channels, out);
}

function rgbToSrgb<S extends Samples>(
  picture: Picture<S>,
  [red, green, blue]: readonly Float64Array[],
  m: readonly number[],
): Picture<S> {
  const { width, height, channels, data } = picture;
  const white = peak(picture);
  const out = samplesLike(data, data.length);
  const alpha = hasAlpha(picture);
  for (let at = 0; at < data.length; at += channels) {
    const [r, g, b] = [red[data[at]], green[data[at + 1]], blue[data[at + 2]]];
    // A typed array truncates fractions.
    out[at] = numberOf(m[0] * r + m[1] * g + m[2] * b) * white + 0.5;
    out[at + 1] = numberOf(m[3] * r + m[4] * g + m[5] * b) * white + 0.5;
    out[at + 2] = numberOf(m[6] * r + m[7] * g + m[8] * b) * white + 0.5;
    if (alpha) out[at + 3] = data[at + 3];
  }
  return createPicture(width, height, channels, out);
}

/**
 * Steps of the lookup table for sRGB's curve. Linear interpolation is off by less than 10⁻⁷, 1/150 of a 16-bit level.
 */
const STEPS = 1 << 16;
let numbers: Float64Array | undefined;

/** Encodes light as an sRGB value 0…1. Light is clipped to 0…1. */
function numberOf(light: number): number {
  numbers ??= Float64Array.from({ length: STEPS + 1 }, (_, i) => srgbCurve(i / STEPS));
  if (!(light > 0)) return 0;
  if (light >= 1) return 1;
  const at = light * STEPS;
  const below = Math.floor(at);
  return numbers[below] + (at - below) * (numbers[below + 1] - numbers[below]);
}

const srgbCurve = (light: number) => (light <= 0.0031308 ? 12.92 * light : 1.055 * light ** (1 / 2.4) - 0.055);

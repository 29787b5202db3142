/**
 * A picture's resolution in PNG (pHYs, 11.3.4.3 of its specification), JFIF (1.02, the density in APP0), and TIFF and
 * EXIF (TIFF 6.0, section 8).
 */

import { type Directory, numberOf, RATIONAL, SHORT, type Tag, type TiffStructure } from './tiff-tags.ts';

export interface Resolution {
  /** Dots per unit, both above 0. Without a unit, only their ratio is meaningful: the pixel aspect ratio. */
  readonly across: number;
  readonly down: number;
  readonly unit: 'inch' | 'centimetre' | 'metre' | 'none';
}

export const X_RESOLUTION = 0x11a;
export const Y_RESOLUTION = 0x11b;
export const RESOLUTION_UNIT = 0x128;

/** Values of the tag ResolutionUnit. */
const TAG_UNITS = { none: 1, inch: 2, centimetre: 3 } as const;

const METRES_PER_INCH = 0.0254;

/** The resolution of a picture after rotation by 90 degrees. */
export function turnedResolution({ across, down, unit }: Resolution): Resolution {
  return { across: down, down: across, unit };
}

function valid(across: number, down: number, unit: Resolution['unit']): Resolution | undefined {
  return across > 0 && down > 0 && Number.isFinite(across) && Number.isFinite(down)
    ? { across, down, unit }
    : undefined;
}

/** Reads a pHYs chunk. Undefined if it is invalid or carries no information. */
export function resolutionOfPhys(data: Uint8Array): Resolution | undefined {
  if (data.length !== 9) return undefined;
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  return valid(view.getUint32(0), view.getUint32(4), data[8] === 1 ? 'metre' : 'none');
}

/** The data of a pHYs chunk. */
export function physOf({ across, down, unit }: Resolution): Uint8Array {
  const factor = { none: 1, metre: 1, centimetre: 100, inch: 1 / METRES_PER_INCH }[unit];
  const out = new Uint8Array(9);
  const view = new DataView(out.buffer);
  const [x, y] = unit === 'none' ? wholeRatio(across, down, 0x7fff_ffff) : [across * factor, down * factor];
  view.setUint32(0, whole(x, 0x7fff_ffff));
  view.setUint32(4, whole(y, 0x7fff_ffff));
  out[8] = unit === 'none' ? 0 : 1;
  return out;
}

const whole = (value: number, most: number) => Math.min(most, Math.max(1, Math.round(value)));

/** Two integers in about this ratio. */
function wholeRatio(across: number, down: number, most: number): [number, number] {
  if (Number.isInteger(across) && Number.isInteger(down) && Math.max(across, down) <= most) return [across, down];
  const factor = Math.min(most, 10_000) / Math.max(across, down);
  return [across * factor, down * factor];
}

/** Reads the density in JFIF's APP0. Undefined if it states only that pixels are square. */
export function resolutionOfJfif(data: Uint8Array): Resolution | undefined {
  if (data.length < 12 || String.fromCharCode(...data.subarray(0, 5)) !== 'JFIF\0') return undefined;
  const [across, down] = [(data[8] << 8) | data[9], (data[10] << 8) | data[11]];
  const unit = (['none', 'inch', 'centimetre'] as const)[data[7]];
  if (unit === undefined || (unit === 'none' && across === down)) return undefined;
  return valid(across, down, unit);
}

/** JFIF's unit, x and y density as integers; square pixels if there is no resolution. */
export function jfifDensity(resolution: Resolution | undefined): [unit: number, across: number, down: number] {
  if (resolution === undefined) return [0, 1, 1];
  if (resolution.unit === 'none') {
    const [x, y] = wholeRatio(resolution.across, resolution.down, 0xffff);
    return [0, whole(x, 0xffff), whole(y, 0xffff)];
  }
  const { across, down, unit } = printed(resolution);
  // Uses centimetres if those are closer to integers, or if inches exceed 16 bits.
  const [inch, centimetre] = unit === 'inch' ? [1, 1 / 2.54] : [2.54, 1];
  const rounded = [inch, centimetre].map(factor => [across * factor, down * factor].map(value => whole(value, 0xffff)));
  const errors = [inch, centimetre].map((factor, i) =>
    Math.max(Math.abs(rounded[i][0] / (across * factor) - 1), Math.abs(rounded[i][1] / (down * factor) - 1)),
  );
  const best = errors[1] < errors[0] - 1e-9 ? 1 : 0;
  return [best + 1, rounded[best][0], rounded[best][1]];
}

/**
 * Converts to inches or centimetres. PNG stores integer dots per metre, so 11811 stands for the 300 per inch that were
 * meant.
 */
function printed(resolution: Resolution): Resolution {
  const { across, down, unit } = resolution;
  if (unit !== 'metre') return resolution;
  const inches = [across, down].map(value => Math.round(value * METRES_PER_INCH));
  const meant = inches.every((value, i) => value > 0 && Math.round(value / METRES_PER_INCH) === [across, down][i]);
  return meant
    ? { across: inches[0], down: inches[1], unit: 'inch' }
    : { across: across / 100, down: down / 100, unit: 'centimetre' };
}

/** Reads the tags of a directory. Undefined if they state only that pixels are square. */
export function resolutionOfTags(tiff: TiffStructure, { tags }: Directory): Resolution | undefined {
  const across = fractionOf(tiff, tags.get(X_RESOLUTION));
  const down = fractionOf(tiff, tags.get(Y_RESOLUTION)) ?? across;
  const unit = numberOf(tiff, tags.get(RESOLUTION_UNIT)) ?? 2;
  if (across === undefined || down === undefined) return undefined;
  if (unit === 1) return across === down ? undefined : valid(across, down, 'none');
  return valid(across, down, unit === 3 ? 'centimetre' : 'inch');
}

function fractionOf({ view, littleEndian }: TiffStructure, tag: Tag | undefined): number | undefined {
  if (tag?.type !== RATIONAL) return undefined;
  return view.getUint32(tag.valueAt, littleEndian) / view.getUint32(tag.valueAt + 4, littleEndian);
}

/** The values of the tags XResolution, YResolution (numerator, denominator) and ResolutionUnit. */
export interface ResolutionTags {
  readonly across: readonly [number, number];
  readonly down: readonly [number, number];
  readonly unit: 1 | 2 | 3;
}

/** Tag values; no unit and square pixels if there is no resolution, because TIFF requires the tags. */
export function resolutionTags(resolution: Resolution | undefined): ResolutionTags {
  if (resolution === undefined) return { across: [1, 1], down: [1, 1], unit: TAG_UNITS.none };
  const { across, down, unit } = printed(resolution);
  return { across: fraction(across), down: fraction(down), unit: TAG_UNITS[unit === 'metre' ? 'inch' : unit] };
}

/** Numerator and denominator of 32 bits each. */
function fraction(value: number): [number, number] {
  for (const denominator of [1, 10, 100, 1000, 10_000, 100_000]) {
    const numerator = value * denominator;
    if (numerator > 0xffff_ffff) break;
    if (Math.abs(numerator - Math.round(numerator)) < 1e-6 * denominator) return [Math.round(numerator), denominator];
  }
  const denominator = Math.max(1, Math.min(10_000, Math.floor(0xffff_ffff / value)));
  return [whole(value * denominator, 0xffff_ffff), denominator];
}

/** Updates the resolution tags if they exist and differ. True if all three exist. */
export function setResolution(tiff: TiffStructure, directory: Directory, resolution: Resolution | undefined): boolean {
  const tags = [X_RESOLUTION, Y_RESOLUTION, RESOLUTION_UNIT].map(number => directory.tags.get(number));
  const [across, down, unit] = tags;
  if (across?.type !== RATIONAL || down?.type !== RATIONAL || unit?.type !== SHORT) return false;
  if (alike(resolutionOfTags(tiff, directory), resolution)) return true;
  const { view, littleEndian } = tiff;
  const values = resolutionTags(resolution);
  for (const [tag, pair] of [
    [across, values.across],
    [down, values.down],
  ] as const) {
    view.setUint32(tag.valueAt, pair[0], littleEndian);
    view.setUint32(tag.valueAt + 4, pair[1], littleEndian);
  }
  view.setUint16(unit.valueAt, values.unit, littleEndian);
  return true;
}

const PER_METRE = { inch: 1 / METRES_PER_INCH, centimetre: 100, metre: 1, none: 1 } as const;

function alike(a: Resolution | undefined, b: Resolution | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  if ((a.unit === 'none') !== (b.unit === 'none')) return false;
  const near = (x: number, y: number) => Math.abs((x * PER_METRE[a.unit]) / (y * PER_METRE[b.unit]) - 1) < 1e-4;
  return near(a.across, b.across) && near(a.down, b.down);
}

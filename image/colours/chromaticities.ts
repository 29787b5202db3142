/**
 * Colour spaces given by chromaticities and gamma: PNG's cHRM and gAMA chunks (PNG, third edition, 11.3.2.1 and
 * 11.3.2.2).
 */

import {
  type Chromaticities,
  type Chromaticity,
  powerCurve,
  type RgbSpace,
  SRGB_CHROMATICITIES,
  SRGB_CURVE,
  sameChromaticities,
  toProfileXyz,
} from './rgb-space.ts';

/** Both chunks store values times this. */
const UNIT = 100_000;

const viewOf = (chunk: Uint8Array) => new DataView(chunk.buffer, chunk.byteOffset, chunk.byteLength);

/** Reads a cHRM chunk. Undefined if it is damaged or describes no colour space. */
export function readChromaticities(chunk: Uint8Array): Chromaticities | undefined {
  if (chunk.length !== 32) return undefined;
  const view = viewOf(chunk);
  const at = (offset: number): Chromaticity => [view.getUint32(offset) / UNIT, view.getUint32(offset + 4) / UNIT];
  const chromaticities = { white: at(0), red: at(8), green: at(16), blue: at(24) };
  const all = [chromaticities.white, chromaticities.red, chromaticities.green, chromaticities.blue];
  // Some wide spaces have primaries slightly outside the visible colours.
  if (!all.every(([x, y]) => x <= 1.5 && y <= 1.5)) return undefined;
  return toProfileXyz(chromaticities) && chromaticities;
}

/** Exponents outside this range are not plausible. */
const LEAST_GAMMA = 0.05;
const MOST_GAMMA = 20;

/** Reads the encoding exponent of a gAMA chunk (usually 0.45455). Undefined if it is damaged. */
export function readGamma(chunk: Uint8Array): number | undefined {
  const gamma = chunk.length === 4 ? viewOf(chunk).getUint32(0) / UNIT : 0;
  return gamma >= LEAST_GAMMA && gamma <= MOST_GAMMA ? gamma : undefined;
}

/** The gamma that stands for sRGB's curve, and the tolerance for other programs' rounding. */
const USUAL_GAMMA = 1 / 2.2;
const GAMMA_TOLERANCE = 0.01;

/** The colour space of these values; missing ones default to sRGB's. Undefined if it is sRGB within tolerance. */
export function spaceOf(chromaticities: Chromaticities | undefined, gamma: number | undefined): RgbSpace | undefined {
  const usual = gamma === undefined || Math.abs(gamma - USUAL_GAMMA) <= GAMMA_TOLERANCE;
  const ofSrgb = chromaticities === undefined || sameChromaticities(chromaticities, SRGB_CHROMATICITIES);
  if (usual && ofSrgb) return undefined;
  const curve = gamma === undefined ? SRGB_CURVE : powerCurve(1 / gamma);
  const names = [ofSrgb ? undefined : primariesName(chromaticities), gamma && `gamma ${Number(gamma.toFixed(5))}`];
  const name = names.filter(part => part !== undefined).join(', ');
  return { name, chromaticities: ofSrgb ? SRGB_CHROMATICITIES : chromaticities, curve };
}

/** Primaries with well-known names. */
const KNOWN: readonly (readonly [name: string, Chromaticities])[] = [
  ['P3', { red: [0.68, 0.32], green: [0.265, 0.69], blue: [0.15, 0.06], white: [0.3127, 0.329] }],
  ['Adobe RGB', { red: [0.64, 0.33], green: [0.21, 0.71], blue: [0.15, 0.06], white: [0.3127, 0.329] }],
  ['BT.2020', { red: [0.708, 0.292], green: [0.17, 0.797], blue: [0.131, 0.046], white: [0.3127, 0.329] }],
];

function primariesName(chromaticities: Chromaticities): string {
  const known = KNOWN.find(([, each]) => sameChromaticities(each, chromaticities));
  return known ? `${known[0]} primaries` : 'custom primaries';
}

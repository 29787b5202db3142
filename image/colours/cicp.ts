/** Colour spaces given by code points (ITU-T H.273, 07/2021, section 8): AVIF's nclx and PNG's cICP. */

import {
  BT709_CURVE,
  type Chromaticities,
  type Chromaticity,
  type CurveParameters,
  narrowed,
  powerCurve,
  type RgbSpace,
  SMPTE240_CURVE,
  SRGB_CHROMATICITIES,
  SRGB_CURVE,
} from './rgb-space.ts';

/** Code points without the matrix, since decoded samples are RGB. */
export interface Cicp {
  readonly primaries: number;
  readonly transfer: number;
  /** False if black is 16 and white 235 of 255, as in videos. */
  readonly fullRange: boolean;
}

const C: Chromaticity = [0.31, 0.316];
const D65 = SRGB_CHROMATICITIES.white;

type Named<T> = readonly [name: string, value: T];

const primaries = (red: Chromaticity, green: Chromaticity, blue: Chromaticity, white = D65): Chromaticities => ({
  red,
  green,
  blue,
  white,
});

const SMPTE170_PRIMARIES = primaries([0.63, 0.34], [0.31, 0.595], [0.155, 0.07]);

/** ColourPrimaries, table 2. */
const PRIMARIES: Readonly<Record<number, Named<Chromaticities>>> = {
  1: ['BT.709', SRGB_CHROMATICITIES],
  4: ['BT.470 M', primaries([0.67, 0.33], [0.21, 0.71], [0.14, 0.08], C)],
  5: ['BT.601 625', primaries([0.64, 0.33], [0.29, 0.6], [0.15, 0.06])],
  6: ['BT.601 525', SMPTE170_PRIMARIES],
  7: ['SMPTE 240M', SMPTE170_PRIMARIES],
  8: ['generic film', primaries([0.681, 0.319], [0.243, 0.692], [0.145, 0.049], C)],
  9: ['BT.2020', primaries([0.708, 0.292], [0.17, 0.797], [0.131, 0.046])],
  10: ['XYZ', primaries([1, 0], [0, 1], [0, 0], [1 / 3, 1 / 3])],
  11: ['DCI-P3', primaries([0.68, 0.32], [0.265, 0.69], [0.15, 0.06], [0.314, 0.351])],
  12: ['P3 D65', primaries([0.68, 0.32], [0.265, 0.69], [0.15, 0.06])],
  22: ['EBU 3213', primaries([0.63, 0.34], [0.295, 0.605], [0.155, 0.077])],
};

/** TransferCharacteristics, table 3, from samples to light. No curve for HDR and unsupported ones. */
const TRANSFERS: Readonly<Record<number, Named<CurveParameters | undefined>>> = {
  1: ['BT.709', BT709_CURVE],
  4: ['gamma 2.2', powerCurve(2.2)],
  5: ['gamma 2.8', powerCurve(2.8)],
  6: ['BT.601', BT709_CURVE],
  7: ['SMPTE 240M', SMPTE240_CURVE],
  8: ['linear', powerCurve(1)],
  9: ['logarithmic', undefined],
  10: ['logarithmic', undefined],
  11: ['xvYCC', BT709_CURVE],
  12: ['BT.1361', BT709_CURVE],
  13: ['sRGB', SRGB_CURVE],
  14: ['BT.2020', BT709_CURVE],
  15: ['BT.2020', BT709_CURVE],
  16: ['PQ', undefined],
  17: ['SMPTE ST 428', undefined],
  18: ['HLG', undefined],
};

/** The code point "unspecified". */
const UNSPECIFIED = 2;

/** True if both code points are unspecified. */
export const isUnspecified = ({ primaries, transfer }: Cicp): boolean =>
  primaries === UNSPECIFIED && transfer === UNSPECIFIED;

/** The colour space of these code points for `bits` per sample. Unspecified ones default to sRGB's. */
export function meaningOfCicp(
  cicp: Cicp,
  bits: 8 | 16,
): { name: string; space: RgbSpace | undefined; isSrgb: boolean } {
  const [p, t] = [cicp.primaries, cicp.transfer].map((code, i) => (code === UNSPECIFIED ? [1, 13][i] : code));
  const [light, number] = [PRIMARIES[p], TRANSFERS[t]];
  const range = cicp.fullRange ? '' : ', narrow range';
  const name = `${nameOf(p, t, light?.[0], number?.[0])}${range}`;
  const isSrgb = p === 1 && t === 13 && cicp.fullRange;
  if (light === undefined || number?.[1] === undefined) return { name, space: undefined, isSrgb };
  // Section 8.3: 16 and 235, shifted to the upper bits of 16.
  const unit = bits === 8 ? 1 / 255 : 256 / 65535;
  const curve = cicp.fullRange ? number[1] : narrowed(number[1], 16 * unit, 235 * unit);
  return { name, space: { name, chromaticities: light[1], curve }, isSrgb };
}

function nameOf(p: number, t: number, light = `primaries ${p}`, number = `transfer ${t}`): string {
  if (p === 1 && t === 13) return 'sRGB';
  if (p === 12 && t === 13) return 'Display P3';
  return light === number ? light : `${light}, ${number}`;
}

/** Reads a cICP chunk (PNG, third edition, 11.3.2.6). Undefined if it is damaged; its matrix must be RGB. */
export function readCicp(chunk: Uint8Array): Cicp | undefined {
  if (chunk.length !== 4 || chunk[2] !== 0 || chunk[3] > 1) return undefined;
  return { primaries: chunk[0], transfer: chunk[1], fullRange: chunk[3] === 1 };
}

/** The data of a cICP chunk. */
export function writeCicp({ primaries, transfer, fullRange }: Cicp): Uint8Array {
  return Uint8Array.of(primaries, transfer, 0, fullRange ? 1 : 0);
}

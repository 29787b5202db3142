/**
 * Colour spaces of three primaries, a white point and a curve, and their matrices to the profile connection space XYZ.
 */

/** A colour's CIE 1931 chromaticity coordinates. */
export type Chromaticity = readonly [x: number, y: number];

/** Chromaticities of the primaries and the white point. */
export interface Chromaticities {
  readonly red: Chromaticity;
  readonly green: Chromaticity;
  readonly blue: Chromaticity;
  readonly white: Chromaticity;
}

/** A curve from samples to light: (a·x + b)^g + e from d on, c·x + f below (ICC.1:2022, 10.18, function 4). */
export interface CurveParameters {
  readonly g: number;
  readonly a: number;
  readonly b: number;
  readonly c: number;
  readonly d: number;
  readonly e: number;
  readonly f: number;
}

/** A colour space that an ICC profile can describe. */
export interface RgbSpace {
  /** Name for messages and the profile's description: ASCII. */
  readonly name: string;
  readonly chromaticities: Chromaticities;
  readonly curve: CurveParameters;
}

export type Vector = readonly [number, number, number];
/** Row-major. */
export type Matrix = readonly [Vector, Vector, Vector];

const D65: Chromaticity = [0.3127, 0.329];

/** ITU-R BT.709, whose primaries and white are those of sRGB (IEC 61966-2-1). */
export const SRGB_CHROMATICITIES: Chromaticities = {
  red: [0.64, 0.33],
  green: [0.3, 0.6],
  blue: [0.15, 0.06],
  white: D65,
};

/** Light is sample^gamma. */
export const powerCurve = (gamma: number): CurveParameters => ({ g: gamma, a: 1, b: 0, c: 0, d: 0, e: 0, f: 0 });

/** A power with a linear segment below `d`: ((x + offset) / (1 + offset))^g, x / slope. */
const piecewise = (g: number, offset: number, slope: number, d: number): CurveParameters => ({
  g,
  a: 1 / (1 + offset),
  b: offset / (1 + offset),
  c: 1 / slope,
  d,
  e: 0,
  f: 0,
});

/** The curve of sRGB (IEC 61966-2-1). */
export const SRGB_CURVE = piecewise(2.4, 0.055, 12.92, 0.04045);
/** The inverse of ITU-R BT.709-6, item 1.2. */
export const BT709_CURVE = piecewise(1 / 0.45, 0.099, 4.5, 0.081);
/** The inverse of SMPTE ST 240. */
export const SMPTE240_CURVE = piecewise(1 / 0.45, 0.1115, 4, 0.0912);

/** Adobe RGB (1998) Color Image Encoding, version 2005-05: its exponent is 2 51/256. */
export const ADOBE_RGB: RgbSpace = {
  name: 'Adobe RGB (1998)',
  chromaticities: { red: [0.64, 0.33], green: [0.21, 0.71], blue: [0.15, 0.06], white: D65 },
  curve: powerCurve(2.19921875),
};

/** The curve for samples where black is `low` and white is `high` (0…1) instead of 0 and 1. */
export function narrowed({ g, a, b, c, d, e, f }: CurveParameters, low: number, high: number): CurveParameters {
  const scale = 1 / (high - low);
  const shift = -low * scale;
  return { g, a: a * scale, b: b + a * shift, c: c * scale, d: (d - shift) / scale, e, f: f + c * shift };
}

/** White of the profile connection space (ICC.1:2022, 7.2.16). */
export const D50: Vector = [0.9642, 1, 0.8249];

const BRADFORD: Matrix = [
  [0.8951, 0.2664, -0.1614],
  [-0.7502, 1.7135, 0.0367],
  [0.0389, -0.0685, 1.0296],
];

const dot = (a: Vector, b: Vector) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
export const multiply = (m: Matrix, v: Vector): Vector => [dot(m[0], v), dot(m[1], v), dot(m[2], v)];
export const columnsOf = ([a, b, c]: Matrix): Matrix => [
  [a[0], b[0], c[0]],
  [a[1], b[1], c[1]],
  [a[2], b[2], c[2]],
];

function product(m: Matrix, n: Matrix): Matrix {
  const [a, b, c] = columnsOf(n);
  return columnsOf([multiply(m, a), multiply(m, b), multiply(m, c)]);
}

/** Computed from cofactors; not finite for a singular matrix. */
function inverse([a, b, c]: Matrix): Matrix {
  const cross = (u: Vector, v: Vector): Vector => [
    u[1] * v[2] - u[2] * v[1],
    u[2] * v[0] - u[0] * v[2],
    u[0] * v[1] - u[1] * v[0],
  ];
  const determinant = dot(a, cross(b, c));
  const scaled = (v: Vector): Vector => [v[0] / determinant, v[1] / determinant, v[2] / determinant];
  return columnsOf([scaled(cross(b, c)), scaled(cross(c, a)), scaled(cross(a, b))]);
}

const xyzOf = ([x, y]: Chromaticity): Vector => [x, y, 1 - x - y];

/**
 * The matrix from linear RGB to XYZ with Y = 1 for white (SMPTE RP 177), adapted to D50 by Bradford's matrix
 * (ICC.1:2022, annex E). Undefined if the chromaticities form no colour space: collinear primaries or an invalid white.
 */
export function toProfileXyz({ red, green, blue, white }: Chromaticities): Matrix | undefined {
  const [x, y, z] = xyzOf(white);
  if (!(y > 0)) return undefined;
  const whiteXyz: Vector = [x / y, 1, z / y];
  const primaries = columnsOf([xyzOf(red), xyzOf(green), xyzOf(blue)]);
  const shares = multiply(inverse(primaries), whiteXyz);
  if (!shares.every(share => share > 0 && share < 100)) return undefined;
  const toXyz = product(primaries, [
    [shares[0], 0, 0],
    [0, shares[1], 0],
    [0, 0, shares[2]],
  ]);
  const [from, to] = [multiply(BRADFORD, whiteXyz), multiply(BRADFORD, D50)];
  if (!from.every(response => response > 0.01)) return undefined;
  const adapting: Matrix = [
    [to[0] / from[0], 0, 0],
    [0, to[1] / from[1], 0],
    [0, 0, to[2] / from[2]],
  ];
  return product(product(inverse(BRADFORD), product(adapting, BRADFORD)), toXyz);
}

/** Tolerance for chromaticities rounded by files and monitor makers. */
const SAME_PLACE = 0.005;

/** True if primaries and white are equal within tolerance. */
export function sameChromaticities(one: Chromaticities, other: Chromaticities): boolean {
  return (['red', 'green', 'blue', 'white'] as const).every(colour =>
    one[colour].every((value, i) => Math.abs(value - other[colour][i]) <= SAME_PLACE),
  );
}

/**
 * ICC profiles of three primaries and a gamma (or of a grey's gamma), written here by the specification (ICC.1:2022,
 * sections 7 to 10), and what their numbers are in sRGB (IEC 61966-2-1): in float64, so that no library judges itself.
 */

type Vector = readonly [number, number, number];
type Matrix = readonly [Vector, Vector, Vector];

export interface RgbSpace {
  /** Chromaticities (x, y) of red, green, blue and white. */
  readonly primaries: readonly [Chromaticity, Chromaticity, Chromaticity];
  readonly white: Chromaticity;
  readonly gamma: number;
}

type Chromaticity = readonly [x: number, y: number];

const D65: Chromaticity = [0.3127, 0.329];

/** Adobe RGB (1998) Color Image Encoding, version 2005-05: its primaries, white and exponent (2 51/256). */
export const ADOBE_RGB: RgbSpace = {
  primaries: [
    [0.64, 0.33],
    [0.21, 0.71],
    [0.15, 0.06],
  ],
  white: D65,
  gamma: 2.19921875,
};

/** ROMM RGB (ISO 22028-2), known as ProPhoto, without the straight piece at its curve's beginning. */
export const WIDE_RGB: RgbSpace = {
  primaries: [
    [0.7347, 0.2653],
    [0.1596, 0.8404],
    [0.0366, 0.0001],
  ],
  white: [0.3457, 0.3585],
  gamma: 1.80078125,
};

const SRGB_PRIMARIES: RgbSpace['primaries'] = [
  [0.64, 0.33],
  [0.3, 0.6],
  [0.15, 0.06],
];

const multiply = (m: Matrix, v: Vector): Vector =>
  m.map(row => row[0] * v[0] + row[1] * v[1] + row[2] * v[2]) as unknown as Vector;

const columns = (m: Matrix): Matrix => [0, 1, 2].map(i => [m[0][i], m[1][i], m[2][i]] as const) as unknown as Matrix;

/** m · n. */
const product = (m: Matrix, n: Matrix): Matrix => columns(columns(n).map(v => multiply(m, v)) as unknown as Matrix);

/** By cofactors. */
function inverse(m: Matrix): Matrix {
  const minor = (i: number, j: number) => {
    const [a, b, c, d] = [(i + 1) % 3, (i + 2) % 3, (j + 1) % 3, (j + 2) % 3];
    return m[a][c] * m[b][d] - m[a][d] * m[b][c];
  };
  const determinant = [0, 1, 2].reduce((sum, j) => sum + m[0][j] * minor(0, j), 0);
  return [0, 1, 2].map(i => [0, 1, 2].map(j => minor(j, i) / determinant)) as unknown as Matrix;
}

const xyzOf = ([x, y]: Chromaticity): Vector => [x / y, 1, (1 - x - y) / y];

/** Light of the primaries to XYZ, as SMPTE RP 177 derives it. */
function toXyz({ primaries, white }: Pick<RgbSpace, 'primaries' | 'white'>): Matrix {
  const whole = columns(primaries.map(xyzOf) as unknown as Matrix);
  const shares = multiply(inverse(whole), xyzOf(white));
  return whole.map(row => row.map((value, i) => value * shares[i])) as unknown as Matrix;
}

/** The white of the profile connection space. */
const D50: Vector = [0.9642, 1, 0.8249];

const BRADFORD: Matrix = [
  [0.8951, 0.2664, -0.1614],
  [-0.7502, 1.7135, 0.0367],
  [0.0389, -0.0685, 1.0296],
];

/** Colours under one white to those under D50. */
function toD50(white: Chromaticity): Matrix {
  const [from, to] = [multiply(BRADFORD, xyzOf(white)), multiply(BRADFORD, D50)];
  const scaled = BRADFORD.map((row, i) => row.map(value => (value * to[i]) / from[i])) as unknown as Matrix;
  return product(inverse(BRADFORD), scaled);
}

/** Half up to the 16 fraction bits of s15Fixed16Number. */
const fixed = (value: number) => Math.round(value * 65536);

function tag(type: string, length: number, fill: (data: Buffer) => void): Buffer {
  const data = Buffer.alloc(8 + length);
  data.write(type, 'latin1');
  fill(data.subarray(8));
  return data;
}

const xyzTag = (xyz: Vector) =>
  tag('XYZ ', 12, data => {
    for (const [i, value] of xyz.entries()) data.writeInt32BE(fixed(value), 4 * i);
  });

/** A curve that is a gamma: u8Fixed8Number. */
const gammaTag = (gamma: number) =>
  tag('curv', 6, data => {
    data.writeUInt32BE(1, 0);
    data.writeUInt16BE(Math.round(gamma * 256), 4);
  });

/** A curve by its samples: uInt16Number. */
export const tableTag = (values: readonly number[]) =>
  tag('curv', 4 + 2 * values.length, data => {
    data.writeUInt32BE(values.length, 0);
    for (const [i, value] of values.entries()) data.writeUInt16BE(value, 4 + 2 * i);
  });

/** A parametric curve of this kind, 0…4. */
export const parametricTag = (kind: number, parameters: readonly number[]) =>
  tag('para', 4 + 4 * parameters.length, data => {
    data.writeUInt16BE(kind, 0);
    for (const [i, value] of parameters.entries()) data.writeInt32BE(fixed(value), 4 + 4 * i);
  });

/** textDescriptionType: ASCII, no Unicode, no ScriptCode. */
const descriptionTag = (text: string) =>
  tag('desc', 4 + text.length + 1 + 8 + 70, data => {
    data.writeUInt32BE(text.length + 1, 0);
    data.write(text, 4, 'latin1');
  });

const textTag = (text: string) => tag('text', text.length + 1, data => data.write(text, 'latin1'));

/** A display profile of version 2.1. */
function profile(space: 'RGB ' | 'GRAY', tags: readonly (readonly [string, Buffer])[]): Uint8Array {
  const header = Buffer.alloc(128);
  header.writeUInt32BE(0x02100000, 8);
  header.write(`mntr${space}XYZ `, 12, 'latin1');
  // Made on the first day of 2000.
  for (const [i, value] of [2000, 1, 1].entries()) header.writeUInt16BE(value, 24 + 2 * i);
  header.write('acsp', 36, 'latin1');
  for (const [i, value] of D50.entries()) header.writeInt32BE(fixed(value), 68 + 4 * i);
  const table = Buffer.alloc(4 + 12 * tags.length);
  table.writeUInt32BE(tags.length, 0);
  const parts: Buffer[] = [header, table];
  let end = header.length + table.length;
  tags.forEach(([name, data], i) => {
    const at = 4 + 12 * i;
    table.write(name, at, 'latin1');
    table.writeUInt32BE(end, at + 4);
    table.writeUInt32BE(data.length, at + 8);
    parts.push(data, Buffer.alloc(-data.length & 3));
    end += data.length + (-data.length & 3);
  });
  header.writeUInt32BE(end, 0);
  return new Uint8Array(Buffer.concat(parts));
}

const common = (name: string) =>
  [
    ['desc', descriptionTag(name)],
    ['cprt', textTag('CC0')],
    ['wtpt', xyzTag(D50)],
  ] as const;

/** The profile of an RGB space, its colours adapted to D50 by Bradford's matrix; its curve is its gamma. */
export function rgbProfile(name: string, space: RgbSpace, curve: Buffer = gammaTag(space.gamma)): Uint8Array {
  const [red, green, blue] = columns(product(toD50(space.white), toXyz(space)));
  return profile('RGB ', [
    ...common(name),
    ['rXYZ', xyzTag(red)],
    ['gXYZ', xyzTag(green)],
    ['bXYZ', xyzTag(blue)],
    ['rTRC', curve],
    ['gTRC', curve],
    ['bTRC', curve],
  ]);
}

/** The profile of a grey. */
export function greyProfile(name: string, gamma: number): Uint8Array {
  return profile('GRAY', [...common(name), ['kTRC', gammaTag(gamma)]]);
}

/** A profile that names neither primaries nor curves, as those made of tables. */
export function bareProfile(name: string): Uint8Array {
  return profile('RGB ', common(name));
}

/** Light 0…1 (what lies beyond is cut off) to a number 0…1 of sRGB. */
export function srgbOfLight(light: number): number {
  const inside = Math.min(1, Math.max(0, light));
  return inside <= 0.0031308 ? 12.92 * inside : 1.055 * inside ** (1 / 2.4) - 0.055;
}

/** A colour 0…1 of an RGB space in sRGB, 0…1: relative colorimetry, each channel cut off alone. */
export function srgbOf(space: RgbSpace, colour: Vector): Vector {
  const there = toXyz({ primaries: SRGB_PRIMARIES, white: D65 });
  const adapted = product(toD50(space.white), toXyz(space));
  const light = multiply(
    product(inverse(product(toD50(D65), there)), adapted),
    colour.map(v => v ** space.gamma) as unknown as Vector,
  );
  return light.map(srgbOfLight) as unknown as Vector;
}

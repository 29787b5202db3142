/**
 * ICC profiles made of tables, as scanners' and printers' are, written by the specification (ICC.1:2022, 10.10 lut16Type, its
 * Lab as version 2 encodes it), and what their numbers are in sRGB, in float64. Colours are Lab by sums of the numbers, which
 * any way to interpolate a table gives exactly.
 */

import { srgbOfLight } from './icc-profile.ts';

/** L*, a* and b* of numbers 0…1: a constant and what each number adds. */
export type Affine = readonly (readonly [constant: number, ...each: number[]])[];

/** A scanner: grey where all three are equal, milder colours than sRGB shows. */
export const SCANNER: Affine = [
  [0, 28, 60, 12],
  [0, 48, -52, 4],
  [0, 16, 30, -46],
];

/** A printing press of four inks: white paper, black where all are. */
export const PRESS: Affine = [
  [100, -20, -30, -5, -45],
  [0, -40, 45, -5, 0],
  [0, -40, -10, 50, 0],
];

const lab16 = ([l, a, b]: readonly number[]) => [(l / 100) * 0xff00, (a + 128) * 256, (b + 128) * 256];

const labOf = (sums: Affine, numbers: readonly number[]) =>
  sums.map(([constant, ...each]) => each.reduce((sum, share, i) => sum + share * numbers[i], constant));

/** Corners of the cube: the first number changes slowest. */
const corners = (inputs: number) =>
  Array.from({ length: 2 ** inputs }, (_, i) => Array.from({ length: inputs }, (_, k) => (i >> (inputs - 1 - k)) & 1));

function tables(sums: Affine): Buffer {
  const inputs = sums[0].length - 1;
  const head = Buffer.alloc(52);
  head.write('mft2', 'latin1');
  head.set([inputs, 3, 2], 8);
  for (const i of [0, 4, 8]) head.writeInt32BE(65536, 12 + 4 * i);
  head.writeUInt16BE(2, 48);
  head.writeUInt16BE(2, 50);
  const ramp = (count: number) => Array.from({ length: count }, () => [0, 65535]).flat();
  const values = [...ramp(inputs), ...corners(inputs).flatMap(corner => lab16(labOf(sums, corner))), ...ramp(3)];
  const body = Buffer.alloc(2 * values.length);
  for (const [i, value] of values.entries()) body.writeUInt16BE(Math.round(Math.min(65535, Math.max(0, value))), 2 * i);
  return Buffer.concat([head, body]);
}

const text = (type: string, value: string) =>
  Buffer.concat([Buffer.from(`${type}\0\0\0\0`, 'latin1'), Buffer.from(value, 'latin1')]);

/** A profile of 3 numbers (RGB) or 4 (CMYK), of version 2. */
export function tableProfile(name: string, sums: Affine): Uint8Array {
  const space = sums[0].length === 4 ? 'RGB ' : 'CMYK';
  const length = Buffer.alloc(4);
  length.writeUInt32BE(name.length + 1);
  const description = Buffer.concat([text('desc', ''), length, Buffer.from(`${name}\0`), Buffer.alloc(78)]);
  const white = Buffer.concat([text('XYZ ', ''), Buffer.alloc(12)]);
  for (const [i, value] of [0.9642, 1, 0.8249].entries()) white.writeInt32BE(Math.round(value * 65536), 8 + 4 * i);
  const tags: [string, Buffer][] = [
    ['desc', description],
    ['cprt', text('text', 'CC0\0')],
    ['wtpt', white],
    ['A2B0', tables(sums)],
  ];
  const header = Buffer.alloc(128);
  header.writeUInt32BE(0x02400000, 8);
  header.write(`${space === 'CMYK' ? 'prtr' : 'scnr'}${space}Lab `, 12, 'latin1');
  for (const [i, value] of [2000, 1, 1].entries()) header.writeUInt16BE(value, 24 + 2 * i);
  header.write('acsp', 36, 'latin1');
  white.copy(header, 68, 8);
  const table = Buffer.alloc(4 + 12 * tags.length);
  table.writeUInt32BE(tags.length, 0);
  let end = header.length + table.length;
  const parts = tags.map(([signature, data], i) => {
    const padded = Buffer.concat([data, Buffer.alloc(-data.length & 3)]);
    table.write(signature, 4 + 12 * i, 'latin1');
    table.writeUInt32BE(end, 8 + 12 * i);
    table.writeUInt32BE(data.length, 12 + 12 * i);
    end += padded.length;
    return padded;
  });
  header.writeUInt32BE(end, 0);
  return new Uint8Array(Buffer.concat([header, table, ...parts]));
}

/** Under D50 to the light of sRGB's primaries (IEC 61966-2-1, Bradford), not cut off. */
const TO_SRGB = [
  [3.1341864, -1.617209, -0.4906941],
  [-0.9787485, 1.9161301, 0.0334334],
  [0.0719639, -0.2289939, 1.4057537],
];

/** Numbers 0…1 of such a profile in sRGB 0…1, and the light, which lies outside of 0…1 where sRGB cannot show it. */
export function srgbOfTables(sums: Affine, numbers: readonly number[]): { srgb: number[]; light: number[] } {
  const [l, a, b] = labOf(sums, numbers);
  const y = (l + 16) / 116;
  const cube = (t: number) => (t > 6 / 29 ? t ** 3 : 3 * (6 / 29) ** 2 * (t - 4 / 29));
  const xyz = [0.9642 * cube(y + a / 500), cube(y), 0.8249 * cube(y - b / 200)];
  const light = TO_SRGB.map(row => row.reduce((sum, share, i) => sum + share * xyz[i], 0));
  return { srgb: light.map(srgbOfLight), light };
}

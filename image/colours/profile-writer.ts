/** Writes ICC profiles (ICC.1:2022, version 4.3): three primaries and one curve, or a grey curve. */

import { type CurveParameters, columnsOf, D50, type RgbSpace, toProfileXyz, type Vector } from './rgb-space.ts';

/**
 * Writes a display profile of this space; for grey pictures, of its curve only. Undefined if its chromaticities form no
 * colour space.
 */
export function profileOf({ name, chromaticities, curve }: RgbSpace, grey: boolean): Uint8Array | undefined {
  const toXyz = toProfileXyz(chromaticities);
  if (toXyz === undefined) return undefined;
  const light = curveTag(curve);
  const described: Tags = [
    ['desc', textTag(name)],
    ['cprt', textTag('No copyright, use freely')],
    ['wtpt', xyzTag(D50)],
  ];
  if (grey) return written('GRAY', [...described, ['kTRC', light]]);
  const [red, green, blue] = columnsOf(toXyz);
  const colorants: Tags = [
    ['rXYZ', xyzTag(red)],
    ['gXYZ', xyzTag(green)],
    ['bXYZ', xyzTag(blue)],
  ];
  return written('RGB ', [...described, ...colorants, ['rTRC', light], ['gTRC', light], ['bTRC', light]]);
}

type Tags = readonly (readonly [signature: string, data: Uint8Array])[];

const HEADER_BYTES = 128;

/** Header, tag table and tag data, each aligned to four bytes. Shared data are written once. */
function written(space: 'RGB ' | 'GRAY', tags: Tags): Uint8Array {
  const offsets = new Map<Uint8Array, number>();
  let end = HEADER_BYTES + 4 + 12 * tags.length;
  for (const [, data] of tags) {
    if (offsets.has(data)) continue;
    offsets.set(data, end);
    end += data.length + (-data.length & 3);
  }
  const bytes = new Uint8Array(end);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, end);
  view.setUint32(8, 0x04300000);
  putText(bytes, 12, `mntr${space}XYZ `);
  // A fixed date, so that the same picture gives the same file.
  for (const [i, value] of [2000, 1, 1].entries()) view.setUint16(24 + 2 * i, value);
  putText(bytes, 36, 'acsp');
  putXyz(view, 68, D50);
  view.setUint32(HEADER_BYTES, tags.length);
  tags.forEach(([signature, data], i) => {
    const at = HEADER_BYTES + 4 + 12 * i;
    const offset = offsets.get(data) ?? 0;
    putText(bytes, at, signature);
    view.setUint32(at + 4, offset);
    view.setUint32(at + 8, data.length);
    bytes.set(data, offset);
  });
  return bytes;
}

function putText(bytes: Uint8Array, at: number, text: string): void {
  for (let i = 0; i < text.length; i++) bytes[at + i] = text.charCodeAt(i);
}

/** s15Fixed16Number. */
const putFixed = (view: DataView, at: number, value: number) => view.setInt32(at, Math.round(value * 65536));

function putXyz(view: DataView, at: number, xyz: Vector): void {
  for (const [i, value] of xyz.entries()) putFixed(view, at + 4 * i, value);
}

function tag(type: string, length: number, fill: (view: DataView) => void): Uint8Array {
  const bytes = new Uint8Array(length);
  putText(bytes, 0, type);
  fill(new DataView(bytes.buffer));
  return bytes;
}

const xyzTag = (xyz: Vector) => tag('XYZ ', 20, view => putXyz(view, 8, xyz));

/** multiLocalizedUnicodeType (10.15) with one string. */
const textTag = (text: string) =>
  tag('mluc', 28 + 2 * text.length, view => {
    view.setUint32(8, 1);
    view.setUint32(12, 12);
    // "enUS".
    view.setUint32(16, 0x656e5553);
    view.setUint32(20, 2 * text.length);
    view.setUint32(24, 28);
    for (let i = 0; i < text.length; i++) view.setUint16(28 + 2 * i, text.charCodeAt(i));
  });

/** parametricCurveType (10.18): function 0 for a plain power, 3 or 4 for one with a linear segment. */
function curveTag({ g, a, b, c, d, e, f }: CurveParameters): Uint8Array {
  const mere = a === 1 && b === 0 && c === 0 && d <= 0 && e === 0 && f === 0;
  const kind = mere ? 0 : e === 0 && f === 0 ? 3 : 4;
  const parameters = kind === 0 ? [g] : kind === 3 ? [g, a, b, c, d] : [g, a, b, c, d, e, f];
  return tag('para', 12 + 4 * parameters.length, view => {
    view.setUint16(8, kind);
    for (const [i, value] of parameters.entries()) putFixed(view, 12 + 4 * i, value);
  });
}

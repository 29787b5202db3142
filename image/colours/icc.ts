/** Reads the header and tags of ICC profiles (ICC.1:2022, sections 7 and 9). */

import { printable } from '../../common/text.ts';
import { curveOf } from './icc-curve.ts';

export interface ColourProfile {
  /** Its description, or "without a name". */
  readonly name: string;
  /** The colour space of its samples. */
  readonly space: 'RGB' | 'GRAY' | 'CMYK' | 'other';
  /** True if the connection space is XYZ, not Lab. */
  readonly connectsByXyz: boolean;
  /** True if the space equals sRGB within tolerance: a conversion would make no visible difference. */
  readonly isSrgb: boolean;
}

const LONGEST_NAME = 80;

/** Red, green and blue of sRGB in the profile connection space (IEC 61966-2-1, adapted to D50). */
const SRGB_COLORANTS = [
  ['rXYZ', 0.4361, 0.2225, 0.0139],
  ['gXYZ', 0.3851, 0.7169, 0.0971],
  ['bXYZ', 0.1431, 0.0606, 0.7142],
] as const;

/** Tolerance for the rounding and white adaptation of different profile makers. */
const COLORANT_TOLERANCE = 0.003;

/** Light of the sample 0.5: 0.2140 for the curve of sRGB, 0.2176 for a gamma of 2.2. */
const SRGB_HALF = 0.214;
const HALF_TOLERANCE = 0.008;

/** Reads a profile. Undefined if the bytes are not one. */
export function readProfile(icc: Uint8Array): ColourProfile | undefined {
  if (icc.length < 132 || text(icc, 36, 4) !== 'acsp') return undefined;
  const stated = text(icc, 16, 4).trim();
  const space = stated === 'RGB' || stated === 'GRAY' || stated === 'CMYK' ? stated : 'other';
  const tags = profileTags(icc);
  const name = descriptionOf(tags.get('desc')) || 'without a name';
  const connectsByXyz = text(icc, 20, 4) === 'XYZ ';
  return {
    name,
    space,
    connectsByXyz,
    isSrgb: space === 'RGB' ? isSrgb(tags, name) : space === 'GRAY' && connectsByXyz && isSrgbCurve(tags.get('kTRC')),
  };
}

function text(bytes: Uint8Array, at: number, length: number): string {
  return String.fromCharCode(...bytes.subarray(at, at + length));
}

/** A profile's tag data by signature, without tags that extend past its end. */
export function profileTags(icc: Uint8Array): Map<string, DataView> {
  const view = new DataView(icc.buffer, icc.byteOffset, icc.byteLength);
  const tags = new Map<string, DataView>();
  const count = Math.min(view.getUint32(128), 200);
  for (let at = 132; at + 12 <= icc.length && at < 132 + count * 12; at += 12) {
    const [start, length] = [view.getUint32(at + 4), view.getUint32(at + 8)];
    if (start + length > icc.length) continue;
    tags.set(text(icc, at, 4), new DataView(icc.buffer, icc.byteOffset + start, length));
  }
  return tags;
}

/** textDescriptionType of version 2 or multiLocalizedUnicodeType of version 4. */
function descriptionOf(tag: DataView | undefined): string {
  if (tag === undefined || tag.byteLength < 12) return '';
  let name = '';
  if (tag.getUint32(0) === 0x64657363) {
    const end = Math.min(tag.byteLength, 12 + Math.min(tag.getUint32(8), 2 * LONGEST_NAME));
    for (let at = 12; at < end; at++) name += String.fromCharCode(tag.getUint8(at));
  } else if (tag.getUint32(0) === 0x6d6c7563 && tag.byteLength >= 28 && tag.getUint32(8) > 0) {
    const [length, start] = [tag.getUint32(20), tag.getUint32(24)];
    const end = Math.min(tag.byteLength, start + Math.min(length, 2 * LONGEST_NAME));
    for (let at = start; at + 2 <= end; at += 2) name += String.fromCharCode(tag.getUint16(at));
  }
  return printable(name.replace(/\0.*$/s, '').trim()).slice(0, LONGEST_NAME);
}

function isSrgb(tags: ReadonlyMap<string, DataView>, name: string): boolean {
  // Table-only profiles have no colorants, so their name decides.
  if (!tags.has('rXYZ')) return /^sRGB/i.test(name);
  const primaries = SRGB_COLORANTS.every(([key, ...xyz]) => {
    const tag = tags.get(key);
    if (tag === undefined || tag.byteLength < 20) return false;
    return xyz.every((value, i) => Math.abs(tag.getInt32(8 + 4 * i) / 65536 - value) <= COLORANT_TOLERANCE);
  });
  return primaries && ['rTRC', 'gTRC', 'bTRC'].every(key => isSrgbCurve(tags.get(key)));
}

function isSrgbCurve(tag: DataView | undefined): boolean {
  const half = tag && curveOf(tag)?.(0.5);
  return half !== undefined && Math.abs(half - SRGB_HALF) <= HALF_TOLERANCE;
}

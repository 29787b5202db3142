/**
 * What a picture's numbers mean: decided here alone, from all that its file says, by the order that its format sets. What is
 * carried over, told and converted follows from it.
 */

import type { ReadFormat } from '../formats.ts';
import { spaceOf } from './chromaticities.ts';
import { type Cicp, isUnspecified, meaningOfCicp } from './cicp.ts';
import { exifSpace } from './exif-space.ts';
import { type ColourProfile, readProfile } from './icc.ts';
import { profileOf } from './profile-writer.ts';
import type { Chromaticities, RgbSpace } from './rgb-space.ts';

/** All that a file may say of its colours. */
export interface ColourStatements {
  /** ICC profile. */
  readonly icc?: Uint8Array | undefined;
  /** Code points: AVIF's nclx, PNG's cICP. */
  readonly cicp?: Cicp | undefined;
  /** PNG's sRGB chunk. */
  readonly srgb?: boolean | undefined;
  /** PNG's cHRM and gAMA. */
  readonly chromaticities?: Chromaticities | undefined;
  readonly gamma?: number | undefined;
  /** EXIF, or a TIFF file itself. */
  readonly exif?: Uint8Array | undefined;
}

export type Meaning =
  /** sRGB, said or not; a profile that says so. */
  | { readonly kind: 'srgb'; readonly icc?: Uint8Array | undefined; readonly profile?: ColourProfile }
  /** Those of the file's profile. */
  | { readonly kind: 'profile'; readonly icc: Uint8Array; readonly profile: ColourProfile }
  /**
   * A colour space told in another way. `by` is the way, for people; `icc` a profile written of it, where one can be: not of
   * light beyond white (HDR), for which there are only the code points.
   */
  | {
      readonly kind: 'space';
      readonly name: string;
      readonly by: string;
      readonly icc: Uint8Array | undefined;
      readonly cicp: Cicp | undefined;
    };

/** The picture whose numbers they are. */
interface Shape {
  readonly channels: number;
  readonly bits: 8 | 16;
}

/** A statement's meaning, or undefined where it says nothing. */
type Reader = (statements: ColourStatements, shape: Shape, format: ReadFormat) => Meaning | undefined;

const SRGB: Meaning = { kind: 'srgb' };

const byProfile: Reader = ({ icc }) => {
  const profile = icc && readProfile(icc);
  return icc && profile && { kind: profile.isSrgb ? 'srgb' : 'profile', icc, profile };
};

const byCodePoints: Reader = ({ cicp }, shape, format) => {
  if (cicp === undefined || isUnspecified(cicp)) return undefined;
  const { name, space, isSrgb } = meaningOfCicp(cicp, shape.bits);
  if (isSrgb) return SRGB;
  return asSpace(name, format === 'png' ? 'its cICP chunk' : 'its nclx box', space, shape, cicp);
};

const bySrgbChunk: Reader = ({ srgb }) => (srgb ? SRGB : undefined);

const byChromaticities: Reader = ({ chromaticities, gamma }, shape) => {
  if (chromaticities === undefined && gamma === undefined) return undefined;
  const space = spaceOf(chromaticities, gamma);
  if (space === undefined) return SRGB;
  const chunks = [chromaticities && 'cHRM', gamma && 'gAMA'].filter(chunk => chunk !== undefined);
  return asSpace(space.name, `its ${chunks.join(' and ')}`, space, shape);
};

const byExif: Reader = ({ exif }, shape, format) => {
  const space = exif && exifSpace(exif);
  return space && asSpace(space.name, format === 'tiff' ? 'its tags' : 'its EXIF', space, shape);
};

function asSpace(name: string, by: string, space: RgbSpace | undefined, { channels }: Shape, cicp?: Cicp): Meaning {
  const icc = space && profileOf(space, channels <= 2);
  // Grey has no primaries: its curve alone may be sRGB's.
  if (icc && channels <= 2 && readProfile(icc)?.isSrgb) return SRGB;
  return { kind: 'space', name, by, icc, cicp };
}

/** What is believed first. PNG, third edition, 4.3; MIAF 7.3.6.4; for the others a profile overrules EXIF. */
const PRECEDENCE: Readonly<Record<ReadFormat, readonly Reader[]>> = {
  png: [byCodePoints, byProfile, bySrgbChunk, byChromaticities, byExif],
  avif: [byProfile, byCodePoints, byExif],
  jpeg: [byProfile, byExif],
  webp: [byProfile, byExif],
  tiff: [byProfile, byExif],
  gif: [],
};

/** What the numbers of a file of this format mean. A profile that cannot be read says nothing. */
export function meaningOf(statements: ColourStatements, shape: Shape, format: ReadFormat): Meaning {
  for (const reader of PRECEDENCE[format]) {
    const meaning = reader(statements, shape, format);
    if (meaning) return meaning;
  }
  return SRGB;
}

/**
 * What people are told of colours that are not sRGB and stay as they are.
 * @param converting They were to be converted.
 * @param why That could not be done, where something can be done about it.
 */
export function notSrgb(meaning: Exclude<Meaning, { kind: 'srgb' }>, converting: boolean, why?: string): string {
  const [subject, is, none] =
    meaning.kind === 'profile'
      ? [`its colour profile "${meaning.profile.name}"`, 'is', 'none that can be converted from']
      : [`its colours (${meaning.name} by ${meaning.by})`, 'are', 'cannot be converted'];
  return `${subject} ${is} not sRGB${converting ? ` and ${why ?? none}` : ''}: the samples are taken as they are`;
}

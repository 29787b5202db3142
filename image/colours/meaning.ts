/**
 * Decides which colour space a picture's samples are in, from all statements in its file, by the precedence that its
 * format defines. Metadata, warnings and conversion follow this decision.
 */

import type { ReadFormat } from '../formats.ts';
import { spaceOf } from './chromaticities.ts';
import { type Cicp, isUnspecified, meaningOfCicp } from './cicp.ts';
import { exifSpace } from './exif-space.ts';
import { type ColourProfile, readProfile } from './icc.ts';
import { profileOf } from './profile-writer.ts';
import type { Chromaticities, RgbSpace } from './rgb-space.ts';

/** Everything a file may state about its colours. */
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
  /** EXIF, or the TIFF file itself. */
  readonly exif?: Uint8Array | undefined;
}

export type Meaning =
  /** sRGB, stated or by default, possibly by a profile. */
  | { readonly kind: 'srgb'; readonly icc?: Uint8Array | undefined; readonly profile?: ColourProfile }
  /** The space of the file's profile. */
  | { readonly kind: 'profile'; readonly icc: Uint8Array; readonly profile: ColourProfile }
  /**
   * A colour space stated in another way. `by` names the source for messages; `icc` is a profile generated from it. HDR
   * spaces have no profile, only code points.
   */
  | {
      readonly kind: 'space';
      readonly name: string;
      readonly by: string;
      readonly icc: Uint8Array | undefined;
      readonly cicp: Cicp | undefined;
    };

/** The picture's channels and depth. */
interface Shape {
  readonly channels: number;
  readonly bits: 8 | 16;
}

/** Interprets one statement. Undefined if it is missing or unreadable. */
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
  // Grey has no primaries: only its curve can differ from sRGB's.
  if (icc && channels <= 2 && readProfile(icc)?.isSrgb) return SRGB;
  return { kind: 'space', name, by, icc, cicp };
}

/** Precedence of the statements. PNG, third edition, 4.3; MIAF 7.3.6.4; in other formats a profile overrides EXIF. */
const PRECEDENCE: Readonly<Record<ReadFormat, readonly Reader[]>> = {
  png: [byCodePoints, byProfile, bySrgbChunk, byChromaticities, byExif],
  avif: [byProfile, byCodePoints, byExif],
  jpeg: [byProfile, byExif],
  webp: [byProfile, byExif],
  tiff: [byProfile, byExif],
  gif: [],
};

/** The colour space of a file's samples. An unreadable profile is ignored. */
export function meaningOf(statements: ColourStatements, shape: Shape, format: ReadFormat): Meaning {
  for (const reader of PRECEDENCE[format]) {
    const meaning = reader(statements, shape, format);
    if (meaning) return meaning;
  }
  return SRGB;
}

/**
 * The warning for colours that are not sRGB and stay unconverted.
 * @param converting Whether conversion to sRGB was requested.
 * @param why Why it failed, if the user can do something about it.
 */
export function notSrgb(meaning: Exclude<Meaning, { kind: 'srgb' }>, converting: boolean, why?: string): string {
  const [subject, is] =
    meaning.kind === 'profile'
      ? [`its colour profile "${meaning.profile.name}"`, 'is']
      : [`its colours (${meaning.name} from ${meaning.by})`, 'are'];
  return `${subject} ${is} not sRGB${converting ? ` and ${why ?? 'cannot be converted'}` : ''}: samples are used unconverted`;
}

/** Returns a decoded picture in its own colours or in sRGB, as requested. */

import type { Picture, Samples } from '../picture.ts';
import type { Cicp } from './cicp.ts';
import { convertByEngine, isOfTables } from './engine.node.ts';
import { type Meaning, notSrgb } from './meaning.ts';
import { toSrgb } from './to-srgb.ts';

export interface Coloured {
  readonly picture: Picture<Samples>;
  /** The profile that describes the samples, if one is needed. */
  readonly icc?: Uint8Array | undefined;
  readonly cicp?: Cicp | undefined;
  /** The name of the profile or colour space that was converted. */
  readonly convertedFrom?: string | undefined;
  /** True if samples are sRGB and only EXIF could contradict that: it must say sRGB too. */
  readonly saysSrgb: boolean;
}

/** Adds a warning if the samples are not sRGB and stay unconverted. */
export async function colouredAsAsked(
  picture: Picture<Samples>,
  meaning: Meaning,
  asked: 'own' | 'srgb',
  warnings: string[],
): Promise<Coloured> {
  const { icc } = meaning;
  if (meaning.kind === 'srgb') return { picture, icc, saysSrgb: icc === undefined };
  let why: string | undefined;
  if (asked === 'srgb' && icc) {
    const converted = await inSrgb(picture, icc);
    if ('picture' in converted) {
      const convertedFrom = meaning.kind === 'profile' ? meaning.profile.name : meaning.name;
      return { picture: converted.picture, convertedFrom, saysSrgb: true };
    }
    if (converted.problem === 'no sharp')
      why = 'can only be converted by the optional package sharp (npm install sharp)';
  }
  // `fitted` warns when it drops a profile that does not fit.
  const suits = meaning.kind === 'space' || meaning.profile.space === (picture.channels <= 2 ? 'GRAY' : 'RGB');
  if (asked === 'srgb' || suits) warnings.push(notSrgb(meaning, asked === 'srgb', why));
  return { picture, icc, cicp: meaning.kind === 'space' ? meaning.cicp : undefined, saysSrgb: false };
}

/** Converts by primaries and curves here, or with the colour engine if the profile has tables. */
async function inSrgb(
  picture: Picture<Samples>,
  icc: Uint8Array,
): Promise<{ picture: Picture<Samples> } | { problem: 'no sharp' | 'no use' }> {
  if (!isOfTables(icc)) {
    const byMatrix = toSrgb(picture, icc);
    return byMatrix ? { picture: byMatrix } : { problem: 'no use' };
  }
  const byTables = await convertByEngine(picture, icc);
  const instead = 'picture' in byTables ? undefined : toSrgb(picture, icc);
  return instead ? { picture: instead } : byTables;
}

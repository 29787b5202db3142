/** A decoded picture in its own numbers or in sRGB, as the reader asks, and what goes on with it. */

import type { Picture, Samples } from '../picture.ts';
import type { Cicp } from './cicp.ts';
import { convertByEngine, isOfTables } from './engine.node.ts';
import { type Meaning, notSrgb } from './meaning.ts';
import { toSrgb } from './to-srgb.ts';

export interface Coloured {
  readonly picture: Picture<Samples>;
  /** That says what the numbers mean, where it must be said. */
  readonly icc?: Uint8Array | undefined;
  readonly cicp?: Cicp | undefined;
  /** The name of what was converted. */
  readonly convertedFrom?: string | undefined;
  /** Numbers are sRGB and nothing else says so: EXIF may not say otherwise. */
  readonly saysSrgb: boolean;
}

/** `warnings` gets a line where the numbers are not sRGB and stay. */
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
  // Of a profile that does not suit, whoever keeps the metadata hears as it is left out (see `fitted`).
  const suits = meaning.kind === 'space' || meaning.profile.space === (picture.channels <= 2 ? 'GRAY' : 'RGB');
  if (asked === 'srgb' || suits) warnings.push(notSrgb(meaning, asked === 'srgb', why));
  return { picture, icc, cicp: meaning.kind === 'space' ? meaning.cicp : undefined, saysSrgb: false };
}

/** By primaries and curves here; by the colour engine where a profile is made of tables. */
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

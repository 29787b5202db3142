/**
 * Matches result pictures of any program to the originals of a set by their names: `baby.png`, `babyx4.png`,
 * `baby_SRResNet-MSE.png`, `baby_x4_SwinIR.png`, `img_001_SRF_4_SRCNN.png` beside `img_001_SRF_4_HR.png`.
 */

import { baseOf } from './layout.ts';

/** The results of one method. */
export interface MatchedResults {
  /** What follows the original's name in the files' names, without separators: `SRResNet-MSE`, `x4_SwinIR`; or empty. */
  readonly decoration: string;
  /** Result files by the name of the original. */
  readonly files: ReadonlyMap<string, string>;
}

/** Files that belong to the set itself, or to no original. */
export interface Unmatched {
  readonly file: string;
  readonly reason: 'no original' | 'original or LR' | 'second';
  /** For `second`: the file that is used instead. */
  readonly instead?: string;
}

/** What may follow the name of an original: a separator, or a scale. */
const DECORATION = /^(?:[_\-. ]|x\d)/i;
/** Decorations of the set's own pictures. */
const OWN = /^[_-](?:HR|GT|LR\w*|LRBI_x\d)$/i;

const stemOf = (file: string) => file.slice(file.lastIndexOf('/') + 1).replace(/\.[^.]*$/, '');

/** A name without the marks of a set: `img_001` of `img_001_SRF_4_HR`. */
const shortOf = (name: string) => baseOf(name).replace(/_SRF_\d$/i, '');

/**
 * Groups files by what follows the name of their original. A name that begins with those of several originals belongs to
 * the longest.
 * @param originals their names, without extension.
 * @param files in order of preference.
 */
export function matchResults(
  originals: readonly string[],
  files: readonly string[],
): { readonly groups: readonly MatchedResults[]; readonly unmatched: readonly Unmatched[] } {
  const beginnings = originals
    .flatMap(name => [...new Set([name, baseOf(name), shortOf(name)])].map(beginning => ({ name, beginning })))
    .sort((a, b) => b.beginning.length - a.beginning.length);
  const groups = new Map<string, Map<string, string>>();
  const unmatched: Unmatched[] = [];
  for (const file of files) {
    const stem = stemOf(file);
    const found = beginnings.find(
      ({ beginning }) =>
        stem.toLowerCase().startsWith(beginning.toLowerCase()) &&
        (stem.length === beginning.length || DECORATION.test(stem.slice(beginning.length))),
    );
    if (!found) {
      unmatched.push({ file, reason: 'no original' });
      continue;
    }
    const rest = stem.slice(found.beginning.length);
    if (OWN.test(rest)) {
      unmatched.push({ file, reason: 'original or LR' });
      continue;
    }
    const decoration = rest.replace(/^[_\-. ]+|[_\-. ]+$/g, '');
    const group = groups.get(decoration) ?? new Map<string, string>();
    groups.set(decoration, group);
    const instead = group.get(found.name);
    if (instead === undefined) group.set(found.name, file);
    else unmatched.push({ file, reason: 'second', instead });
  }
  // Beside results with decorations, files with the very names of originals that are marked as such are the originals.
  const plain = groups.get('');
  if (plain && groups.size > 1 && [...plain].every(([name, file]) => stemOf(file) === name && baseOf(name) !== name)) {
    groups.delete('');
    unmatched.push(...[...plain.values()].map(file => ({ file, reason: 'original or LR' }) as const));
  }
  return { groups: [...groups].map(([decoration, matched]) => ({ decoration, files: matched })), unmatched };
}

/** Identifies pictures by name and content, to detect that a data set has changed. */

/** A picture file. */
export interface PictureIdentity {
  /** The file's name with its ending, without folders. */
  readonly name: string;
  /** SHA-256 of the file's bytes, in hexadecimal. */
  readonly sha256: string;
}

/** Consecutive pictures that were not read from files: synthetic ones, or pictures that a program passed in. */
export interface Generated {
  readonly generated: number;
}

/** Files in the order of the pictures; consecutive generated pictures are one entry. */
export type Identities = readonly (PictureIdentity | Generated)[];

/** The files of a picture; undefined if it was generated. */
export interface Identified {
  readonly files?: readonly PictureIdentity[] | undefined;
}

/** The identities of a list of pictures. */
export function identitiesOf(pictures: readonly Identified[]): Identities {
  const all: (PictureIdentity | Generated)[] = [];
  for (const { files } of pictures) {
    const before = all.at(-1);
    if (files) all.push(...files);
    else if (before && 'generated' in before) all[all.length - 1] = { generated: before.generated + 1 };
    else all.push({ generated: 1 });
  }
  return all;
}

/** The files in a list. */
export const filesOf = (identities: Identities): PictureIdentity[] => identities.filter(one => 'sha256' in one);

/** A message names at most this many files. */
const MAX_NAMES = 3;

const shortList = (names: readonly string[]): string =>
  names.length > MAX_NAMES ? `${names.slice(0, MAX_NAMES).join(', ')} …` : names.join(', ');

/**
 * The difference between two lists, in words: "1 new (b.png), 2 missing (c.png, d.png)"; undefined if they are equal.
 */
export function differenceOf(before: Identities, now: Identities): string | undefined {
  if (JSON.stringify(before) === JSON.stringify(now)) return undefined;
  const [old, found] = [filesOf(before), filesOf(now)];
  const key = ({ name, sha256 }: PictureIdentity) => `${sha256} ${name}`;
  const removed = without(old, found, key);
  const added = without(found, old, key);
  const edited = takePairs(removed, added, ({ name }) => name);
  const renamed = takePairs(removed, added, ({ sha256 }) => sha256);
  const changes = [
    listed('new', added.map(nameOf)),
    listed('missing', removed.map(nameOf)),
    listed(
      'changed',
      edited.map(([{ name }]) => name),
    ),
    listed(
      'renamed',
      renamed.map(([{ name }, now]) => `${name} to ${now.name}`),
    ),
  ].filter(text => text !== undefined);
  if (changes.length > 0) return changes.join(', ');
  const generatedIn = (all: Identities) => all.reduce((sum, one) => sum + ('generated' in one ? one.generated : 0), 0);
  const [wanted, generated] = [generatedIn(before), generatedIn(now)];
  if (wanted !== generated) return `${generated} synthetic pictures instead of ${wanted}`;
  return 'the same pictures in another order';
}

const nameOf = ({ name }: PictureIdentity) => name;

const listed = (what: string, names: readonly string[]): string | undefined =>
  names.length > 0 ? `${names.length} ${what} (${shortList(names)})` : undefined;

/** The elements of `all` without a match in `others`; each match counts once. */
function without<T>(all: readonly T[], others: readonly T[], key: (one: T) => string): T[] {
  const left = new Map<string, number>();
  for (const other of others) left.set(key(other), (left.get(key(other)) ?? 0) + 1);
  return all.filter(one => {
    const count = left.get(key(one)) ?? 0;
    left.set(key(one), count - 1);
    return count <= 0;
  });
}

/** Removes pairs with equal keys from both lists, and returns them. */
function takePairs<T>(from: T[], to: T[], key: (one: T) => string): [T, T][] {
  const waiting = new Map<string, T[]>();
  for (const one of to) waiting.set(key(one), [...(waiting.get(key(one)) ?? []), one]);
  const found: [T, T][] = [];
  for (const one of from) {
    const other = waiting.get(key(one))?.shift();
    if (other) found.push([one, other]);
  }
  const taken = new Set(found.flat());
  for (const list of [from, to]) list.splice(0, list.length, ...list.filter(one => !taken.has(one)));
  return found;
}

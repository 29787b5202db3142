/** Which pictures a list holds, in names and contents: enough to tell that a list read later is another one. */

/** A picture file as it was read. */
export interface PictureIdentity {
  /** The file's name with its ending, without folders. */
  readonly name: string;
  /** SHA-256 of the file's bytes, in hexadecimal. */
  readonly sha256: string;
}

/** A stretch of pictures that follow from the options alone: synthetic ones, or such as a program handed over. */
export interface Generated {
  readonly generated: number;
}

/** Files in the order of the pictures, a stretch of generated ones as one entry. */
export type Identities = readonly (PictureIdentity | Generated)[];

/** A picture and the files that it was made of; none where it was generated. */
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

/** The files of a list. */
export const filesOf = (identities: Identities): PictureIdentity[] => identities.filter(one => 'sha256' in one);

/** How many names are shown of many. */
const SHOWN = 3;

const some = (names: readonly string[]): string =>
  names.length > SHOWN ? `${names.slice(0, SHOWN).join(', ')} …` : names.join(', ');

/**
 * What distinguishes the pictures that are there from those that were, in words for one line: "1 new (b.png), 2 missing
 * (c.png, d.png)"; undefined where nothing does.
 */
export function differenceOf(before: Identities, now: Identities): string | undefined {
  if (JSON.stringify(before) === JSON.stringify(now)) return undefined;
  const [old, found] = [filesOf(before), filesOf(now)];
  const key = ({ name, sha256 }: PictureIdentity) => `${sha256} ${name}`;
  const gone = without(old, found, key);
  const fresh = without(found, old, key);
  const edited = pairs(gone, fresh, ({ name }) => name);
  const renamed = pairs(gone, fresh, ({ sha256 }) => sha256);
  const parts = [
    part('new', fresh.map(nameOf)),
    part('missing', gone.map(nameOf)),
    part(
      'changed',
      edited.map(([{ name }]) => name),
    ),
    part(
      'renamed',
      renamed.map(([{ name }, now]) => `${name} to ${now.name}`),
    ),
  ].filter(text => text !== undefined);
  if (parts.length > 0) return parts.join(', ');
  const counted = (all: Identities) => all.reduce((sum, one) => sum + ('generated' in one ? one.generated : 0), 0);
  if (counted(before) !== counted(now)) return `${counted(now)} synthetic ones, not ${counted(before)}`;
  return 'the same ones in another order';
}

const nameOf = ({ name }: PictureIdentity) => name;

const part = (what: string, names: readonly string[]): string | undefined =>
  names.length > 0 ? `${names.length} ${what} (${some(names)})` : undefined;

/** Those of `all` that have no counterpart in `others`; each counterpart counts once. */
function without<T>(all: readonly T[], others: readonly T[], key: (one: T) => string): T[] {
  const left = new Map<string, number>();
  for (const other of others) left.set(key(other), (left.get(key(other)) ?? 0) + 1);
  return all.filter(one => {
    const count = left.get(key(one)) ?? 0;
    left.set(key(one), count - 1);
    return count <= 0;
  });
}

/** Takes pairs with equal keys out of both lists. */
function pairs<T>(from: T[], to: T[], key: (one: T) => string): [T, T][] {
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

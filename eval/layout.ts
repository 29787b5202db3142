/**
 * Recognises the folder layouts of published sets by name: which files are originals (HR), and which are their
 * low-resolution pictures (LR).
 *
 *     HR/ beside LRx4/ or LRbicx4/                            KAIR; GTmod12/, GT/, original/ for HR/: BasicSR
 *     HR/baby.png beside LR_bicubic/X4/babyx4.png             EDSR's benchmark
 *     DIV2K_valid_HR/ beside DIV2K_valid_LR_bicubic/X4/       DIV2K, Flickr2K
 *     img_001_SRF_4_HR.png beside img_001_SRF_4_LR.png        SelfExSR, in image_SRF_4/ or right in the folder
 */

import { isOtherPicture, isPicture } from '../image/formats.ts';

/** The contents of a set's folder. Paths are relative to it, with slashes. */
export interface Layout {
  /** Where the LR pictures are, as text; undefined if they must be made. */
  readonly low: string | undefined;
  /** `name` is the original's, without its extension. */
  readonly entries: readonly { readonly name: string; readonly hr: string; readonly lr: string | undefined }[];
  /** Files without a counterpart. */
  readonly strays: readonly { readonly file: string; readonly problem: string }[];
  /** Pictures in unsupported formats. */
  readonly unread: readonly string[];
  /** Lines about unused files and folders that look usable. */
  readonly notes: readonly string[];
}

/** A folder with several sets, given by their folders of originals: the user must choose one. */
export interface SeveralSets {
  readonly several: readonly string[];
}

/** True for folders whose contents `layoutOf` needs. */
export const isSetFolder = (name: string): boolean => HIGH.some(high => high.test(name)) || LOW_PART.test(name);

/** True for a folder of LR pictures whose scale is a subfolder, such as `LR_bicubic/X4`. */
export const isLowFolder = (name: string): boolean => LOW_PART.test(name);

/** Folders of originals, by priority. */
const HIGH = [/^HR$/i, /^(.+)_HR$/i, /^HR[_-]?x4$/i, /^GTmod\d+$/i, /^GT$/i, /^original$/i, /^image_SRF_4$/i];

/** Any folder of LR pictures, at any scale. */
const LOW_PART = /^(?:.+_)?LR(?:[_-]?(?:bi|bic|bicubic))?(?:[_-]?x\d)?$/i;

/** A folder of quarter-size LR pictures and its prefix: `DIV2K_valid_LR_bicubic/X4`. */
const LOW = /^(?:(.+)_)?LR[_-]?(?:bi|bic|bicubic)?(?:[_-]?|\/)x4$/i;

/** Suffixes of names, `_HR`, `x4`, `_LRBI_x4`, which differ between HR and LR of one picture. */
const MARKS = /(?:[_-]?x4|[_-](?:HR|GT|LR4?|LRBI|LRbic|LR[_-]?bicubic))+$/i;

/** Names of methods, and suffixes of this program's own results. */
const RESULTS =
  /^(.+)[_-](?:x4|nearest|bilinear|bicubic|lanczos\d?|SRCNN|VDSR|EDSR|SRResNet|SRGAN|ESRGAN|SelfExSR|compared)$/i;

const stemOf = (path: string) => nameOf(path).replace(/\.[^.]*$/, '');
const nameOf = (path: string) => path.slice(path.lastIndexOf('/') + 1);
const folderOf = (path: string) => path.slice(0, path.lastIndexOf('/') + 1);
/** A name without its marks: `baby` of `baby_HR`, `babyx4` and `baby_LRBI_x4`. */
export const baseOf = (stem: string): string => stem.replace(MARKS, '') || stem;
const markOf = (stem: string) => stem.slice(baseOf(stem).length);

/**
 * Recognises the layout of a set.
 * @param paths the folder's contents in scoring order: files as `a.png` and `HR/a.png`, folders as `HR/`. Other files
 *   and
 *   folders are ignored.
 */
export function layoutOf(paths: readonly string[]): Layout | SeveralSets {
  const folders = paths.filter(path => path.endsWith('/')).map(path => path.slice(0, -1));
  const files = paths.filter(path => !path.endsWith('/'));
  const high = highFolder(folders, files);
  if (typeof high !== 'string') return high;
  const low = lowFolder(folders, high);
  const inside = (folder: string) => files.filter(path => folderOf(path) === folder);
  const originals = inside(high === '' ? '' : `${high}/`);
  const lows = low === undefined ? [] : inside(`${low}/`);
  const roles = rolesOf(originals.filter(isPicture), new Set(lows.filter(isPicture).map(stemOf)));
  const beside = low === undefined && roles.low.length > 0 && (roles.marked || everyHasLow(roles));
  const strays: { file: string; problem: string }[] = [];
  const highs = named(roles.originals, strays);
  const counterparts = named(beside ? roles.low : lows.filter(isPicture), strays);
  const skipped = beside ? roles.results : [...roles.low, ...roles.results];
  const notes = [
    ...besideNote(high, inside('')),
    ...resultsNote(skipped, roles.originals),
    ...((low ?? beside) ? [] : unusedNote(folders)),
  ];
  const unread = unreadOf(originals, lows);
  if (low === undefined && !beside) {
    const entries = [...highs].map(([name, hr]) => ({ name, hr, lr: undefined }));
    return { low: undefined, entries, strays, unread, notes };
  }
  const where = low ?? (high || 'the folder');
  const entries = paired(highs, counterparts, where, strays);
  return { low: low ?? `*${markOf(stemOf(roles.low[0]))} beside the originals`, entries, strays, unread, notes };
}

/** The folder of the originals, '' for the set's own folder. */
function highFolder(folders: readonly string[], files: readonly string[]): string | SeveralSets {
  const [usual, ...others] = HIGH;
  const found = folders.find(folder => usual.test(folder));
  // Beside pictures, only HR is certain to hold the originals.
  if (found !== undefined) return found;
  if (files.some(path => folderOf(path) === '' && (isPicture(path) || isOtherPicture(path)))) return '';
  for (const pattern of others) {
    const all = folders.filter(folder => pattern.test(folder));
    if (all.length > 1 && pattern === HIGH[1]) return { several: all };
    if (all.length > 0) return all[0];
  }
  return '';
}

/** The LR folder for a folder of originals: the one with the same prefix, LRx4 first. */
function lowFolder(folders: readonly string[], high: string): string | undefined {
  const beginning = HIGH[1].exec(high)?.[1].toLowerCase();
  const all = folders.flatMap(folder => {
    const match = LOW.exec(folder);
    if (match === null) return [];
    const own = match[1]?.toLowerCase();
    if (own !== undefined && own !== beginning) return [];
    return [{ folder, rank: (own === beginning ? 0 : 2) + (/^LR[_-]?x4$/i.test(folder) ? 0 : 1) }];
  });
  return all.sort((a, b) => a.rank - b.rank)[0]?.folder;
}

/** The files of one folder by role, according to their names. */
interface Roles {
  readonly originals: readonly string[];
  readonly low: readonly string[];
  /** Results of methods. */
  readonly results: readonly string[];
  /** True if all originals are marked (`_HR`): then files marked LR are not originals. */
  readonly marked: boolean;
}

/** @param sure names, without extension, with LR in another folder: originals regardless of their marks. */
function rolesOf(files: readonly string[], sure: ReadonlySet<string>): Roles {
  const isHigh = (stem: string) => /[_-](?:HR|GT)/i.test(markOf(stem));
  const isLow = (stem: string) => /LR|^x4/i.test(markOf(stem));
  const stems = new Set(files.map(stemOf));
  const highs = new Set([...stems].filter(isHigh).map(baseOf));
  const roles = { originals: [] as string[], low: [] as string[], results: [] as string[], orphans: [] as string[] };
  const roleOf = (stem: string): keyof typeof roles => {
    if (isHigh(stem) || sure.has(stem)) return 'originals';
    if (isLow(stem) && (highs.has(baseOf(stem)) || stems.has(baseOf(stem)))) return 'low';
    if (beginnings(stem).some(beginning => highs.has(beginning))) return 'results';
    if (stems.has(RESULTS.exec(stem)?.[1] ?? '')) return 'results';
    return /LR/i.test(markOf(stem)) ? 'orphans' : 'originals';
  };
  for (const file of files) roles[roleOf(stemOf(file))].push(file);
  const { originals, low, results, orphans } = roles;
  const marked = originals.length > 0 && originals.every(path => isHigh(stemOf(path)));
  const others = new Set([...low, ...results]);
  return marked
    ? { originals, low: [...low, ...orphans], results, marked }
    : { originals: files.filter(file => !others.has(file)), low, results, marked };
}

/** The prefixes of a name before each `_` or `-`. */
const beginnings = (stem: string) => [...stem.matchAll(/[_-]/g)].map(({ index }) => stem.slice(0, index));

function everyHasLow({ originals, low }: Roles): boolean {
  const bases = new Set(low.map(path => baseOf(stemOf(path))));
  return originals.every(path => bases.has(baseOf(stemOf(path))));
}

/** Files by name without extension; the first of equal names. */
function named(files: readonly string[], strays: { file: string; problem: string }[]): Map<string, string> {
  const byStem = new Map<string, string>();
  for (const file of files) {
    const taken = byStem.get(stemOf(file));
    if (taken === undefined) byStem.set(stemOf(file), file);
    else strays.push({ file, problem: `skipped: ${nameOf(taken)} has the same name` });
  }
  return byStem;
}

/** Pairs originals with LR pictures of the same name, ignoring marks if needed. Adds the rest to `strays`. */
function paired(
  highs: ReadonlyMap<string, string>,
  lows: ReadonlyMap<string, string>,
  where: string,
  strays: { file: string; problem: string }[],
): Layout['entries'] {
  const free = new Map([...lows].filter(([stem]) => !highs.has(stem)).map(([stem]) => [baseOf(stem), stem] as const));
  const used = new Set<string>();
  const entries: { name: string; hr: string; lr: string }[] = [];
  for (const [name, hr] of highs) {
    const stem = lows.has(name) ? name : free.get(baseOf(name));
    const lr = stem === undefined || used.has(stem) ? undefined : lows.get(stem);
    if (stem === undefined || lr === undefined) {
      strays.push({ file: hr, problem: `${where} holds no picture named ${name}` });
      continue;
    }
    used.add(stem);
    entries.push({ name, hr, lr });
  }
  for (const [stem, file] of lows) {
    if (!used.has(stem)) strays.push({ file, problem: `there is no original named ${stem}` });
  }
  return entries;
}

/** Files in unsupported formats; LR pictures of such originals are not counted again. */
function unreadOf(originals: readonly string[], lows: readonly string[]): string[] {
  const isUnread = (path: string) => !isPicture(path) && isOtherPicture(path);
  const high = originals.filter(isUnread);
  const bases = new Set(high.map(path => baseOf(stemOf(path))));
  return [...high, ...lows.filter(path => isUnread(path) && !bases.has(baseOf(stemOf(path))))];
}

/** Pictures beside the folder of the originals belong to no set. */
function besideNote(high: string, files: readonly string[]): string[] {
  const count = high === '' ? 0 : files.filter(path => isPicture(path) || isOtherPicture(path)).length;
  if (count === 0) return [];
  return [`${count === 1 ? '1 picture' : `${count} pictures`} beside ${high}/ not used: the originals are those in it`];
}

function resultsNote(files: readonly string[], originals: readonly string[]): string[] {
  if (files.length === 0) return [];
  const bases = new Set(originals.flatMap(path => [stemOf(path), baseOf(stemOf(path))]));
  const endOf = (stem: string) => {
    const beginning = [baseOf(stem), ...beginnings(stem).reverse()].find(one => one !== stem && bases.has(one));
    return `*${stem.slice(beginning?.length ?? 0)}`;
  };
  const ends = [...new Set(files.map(path => endOf(stemOf(path))))];
  const shown = ends.length <= 4 ? ends.join(', ') : `${ends.slice(0, 3).join(', ')} and ${ends.length - 3} more`;
  const count = files.length === 1 ? '1 file' : `${files.length} files`;
  return [`skipped ${count} named like results or LR of originals here (${shown})`];
}

function unusedNote(folders: readonly string[]): string[] {
  const unused = folders.filter(folder => LOW_PART.test(folder));
  if (unused.length === 0) return [];
  const are = unused.length === 1 ? 'is' : 'are';
  return [`${unused.join(', ')} ${are} not used: LR pictures are read from LRx4, LRbicx4 or LR_bicubic/X4`];
}

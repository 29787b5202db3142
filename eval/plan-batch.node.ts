/** Plans a batch: which pictures to upscale, and where each result goes. */

import { stat } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import { printable } from '../common/text.ts';
import { ImageError } from '../image/errors.ts';
import { OUTPUT_EXTENSIONS } from '../image/formats.ts';
import { findPictures, noFile } from './find-pictures.node.ts';
import { type Job, STANDARD } from './job.ts';
import { OutputFolder, PathKeys, realPathOf } from './real-paths.node.ts';
import { DEFAULT_NAME, DISTINCT_NAME, resultName, resultPattern } from './result-name.ts';
import { MOST_SCALE, type SizeRequest, sizeMark } from './result-size.ts';

/** The planned jobs, and what was refused or skipped. */
export interface Batch {
  readonly jobs: readonly Job[];
  readonly refused: readonly ImageError[];
  /** Skipped subfolders with pictures, one per input folder. */
  readonly skippedFolders: readonly string[];
  /** Extensions of pictures in unsupported formats, one per file. */
  readonly unread: readonly string[];
  /** Number of files skipped because their names are not valid UTF-8. */
  readonly undecodable: number;
  /** Number of files skipped because they are named like results, in the output folder. */
  readonly results: number;
}

/** The request for a batch. */
export interface BatchRequest {
  /** Pictures and folders. */
  readonly inputs: readonly string[];
  /** A folder, or the file for a single result. */
  readonly out: string;
  /** `out` is the file for a single result. Default: `namesFile(out)`. */
  readonly oneFile?: boolean | undefined;
  /** Include subfolders, whose tree is recreated under `out`. Default: false. */
  readonly recursive?: boolean | undefined;
  /** See `result-name.ts`. Default: DEFAULT_NAME, or DISTINCT_NAME for pictures whose results would clash. */
  readonly name?: string | undefined;
  /** Extension of results in a folder, with its dot; `same`: the picture's own. Default: .png. */
  readonly ending?: string | undefined;
  /** For names. Default: four times. */
  readonly size?: SizeRequest | undefined;
  /** For names. */
  readonly model: string;
}

interface Request extends BatchRequest {
  readonly oneFile: boolean;
}

interface Found {
  readonly path: string;
  /** Its folder, relative to the input that it was found in. */
  readonly below: string;
}

/**
 * Finds the pictures in `inputs` and decides where their results go. Results of earlier runs are not used as input:
 * files in `out`, or, if `out` is itself an input, files named like results. No two pictures get the same result, and
 * no result replaces an input or is outside `out`.
 */
export async function planBatch(request: BatchRequest): Promise<Batch> {
  const { inputs, out, recursive = false, oneFile = await namesFile(out) } = request;
  const [found, refused, skippedFolders, unread]: [Found[], ImageError[], string[], string[]] = [[], [], [], []];
  const to = await realPathOf(out);
  let results = 0;
  let undecodable = 0;
  for (const input of inputs) {
    if (input === STANDARD) {
      found.push({ path: input, below: '' });
      continue;
    }
    const state = await stat(input).catch(() => undefined);
    if (!state) refused.push(new ImageError(input, 'no such file or folder'));
    else if (state.isFile()) found.push({ path: input, below: '' });
    else if (!state.isDirectory()) refused.push(noFile(input));
    else {
      const from = await realPathOf(input);
      const inside = await findPictures(input, { recursive, without: to === from ? undefined : to });
      const pictures = inside.pictures.filter(path => to !== from || !isResult(path, request));
      results += inside.pictures.length - pictures.length;
      refused.push(...inside.refused);
      unread.push(...inside.unread);
      undecodable += inside.undecodable;
      if (inside.skippedFolder !== undefined) skippedFolders.push(join(input, inside.skippedFolder));
      else if (pictures.length === 0) refused.push(new ImageError(input, 'no pictures in this folder'));
      found.push(...pictures.map(path => ({ path: join(input, path), below: dirname(path) })));
    }
  }
  const { jobs, refused: clashes } = await assign(found, { ...request, oneFile });
  return { jobs, refused: [...refused, ...clashes], skippedFolders, unread, undecodable, results };
}

/** True if `-o` is a file or standard output: no trailing slash, and no existing folder. */
export async function namesFile(out: string): Promise<boolean> {
  if (out === STANDARD) return true;
  return OUTPUT_EXTENSIONS.includes(extname(out).toLowerCase()) && !(await namesFolder(out));
}

/** True if `-o` can only be a folder, regardless of its extension. */
export async function namesFolder(out: string): Promise<boolean> {
  if (/[/\\]$/.test(out)) return true;
  const state = await stat(out).catch(() => undefined);
  return state?.isDirectory() ?? false;
}

/** The name without folder and extension, and the extension with its dot. */
function parts(path: string): { stem: string; ending: string } {
  const ending = extname(path);
  return { stem: basename(path, ending), ending };
}

/** The template fields that are the same for all pictures. */
function generalFields({ size = { scale: MOST_SCALE }, model }: BatchRequest) {
  const mark = sizeMark(size);
  return { scale: 'scale' in size ? String(size.scale) : mark, size: mark, model };
}

function isResult(path: string, request: BatchRequest): boolean {
  const { name } = request;
  const fields = generalFields(request);
  const templates = name === undefined ? [DEFAULT_NAME, DISTINCT_NAME] : [name];
  return templates.some(template => resultPattern(template, fields)?.test(parts(path).stem));
}

/** The output path of a picture's result. */
function outputOf(
  { path, below }: Found,
  template: string,
  { out, ending = '.png', oneFile, ...request }: Request,
): string {
  if (oneFile) return out;
  const picture = parts(path === STANDARD ? 'stdin' : path);
  const fields = generalFields({ out, ...request });
  const name = resultName(template, { name: picture.stem, ext: picture.ending.slice(1), ...fields });
  const own = picture.ending.toLowerCase();
  const same = OUTPUT_EXTENSIONS.includes(own) ? own : '.png';
  return join(out, below, name + (ending === 'same' ? same : ending));
}

/** A picture and where its result usually goes, with their keys (see `PathKeys`). */
interface Candidate {
  readonly found: Found;
  /** The picture's name, and the file that it leads to. */
  readonly own: readonly [name: string, file: string];
  readonly usual: Output;
}

interface Output {
  readonly path: string;
  readonly key: string;
}

/** Gives each picture an output, or refuses it. */
async function assign(found: readonly Found[], request: Request): Promise<Pick<Batch, 'jobs' | 'refused'>> {
  const keys = new PathKeys();
  const output = async (one: Found, template: string): Promise<Output> => {
    const path = outputOf(one, template, request);
    return { path, key: await keys.ofName(path) };
  };
  const candidates = new Map<string, Candidate>();
  /** How many pictures have the same usual output, by its key. */
  const uses = new Map<string, number>();
  for (const one of found) {
    const name = await keys.ofName(one.path);
    // A picture that is given twice, also through its folder, is upscaled once.
    if (candidates.has(name)) continue;
    const usual = await output(one, request.name ?? DEFAULT_NAME);
    uses.set(usual.key, (uses.get(usual.key) ?? 0) + 1);
    candidates.set(name, { found: one, own: [name, await keys.ofFile(one.path)], usual });
  }
  const all = [...candidates.values()];
  const used: UsedNames = { keys, pictures: new Set(all.flatMap(({ own }) => own)), results: new Map() };
  const folder = new OutputFolder(request.out);
  const jobs: Job[] = [];
  const refused: ImageError[] = [];
  for (const one of all) {
    const { path: input } = one.found;
    // All clashing results get longer names, including the first, since new pictures may change which one is first.
    const clashes = request.name === undefined && (uses.get(one.usual.key) ?? 0) > 1;
    const { path, key } = clashes ? await output(one.found, DISTINCT_NAME) : one.usual;
    const problem =
      path === STANDARD ? undefined : ((await clash(one, { path, key }, used)) ?? (await folder.problem(path)));
    if (problem !== undefined) refused.push(new ImageError(input, problem));
    else {
      used.results.set(key, input);
      jobs.push({ input, output: path });
    }
  }
  return { jobs, refused };
}

/** Paths that no result may overwrite, as keys. */
interface UsedNames {
  readonly keys: PathKeys;
  /** The inputs' names and the files that they lead to. */
  readonly pictures: ReadonlySet<string>;
  /** The results so far, and their pictures. */
  readonly results: Map<string, string>;
}

/** A message if the picture's result would replace another file of this batch, otherwise undefined. */
async function clash(
  { own }: Candidate,
  { path, key }: Output,
  { keys, pictures, results }: UsedNames,
): Promise<string | undefined> {
  // If the result is a link to a picture, writing would replace only the link, but it already looks finished.
  const file = await keys.ofFile(path);
  const advice = 'choose another -o or --name';
  if (own.includes(key) || own.includes(file)) return `its result would replace it: ${advice}`;
  const [other, shown] = [results.get(key), printable(path)];
  if (other !== undefined) return `its result ${shown} is also the result of ${printable(other)}: ${advice}`;
  if (pictures.has(key) || pictures.has(file)) return `its result ${shown} is also an input: ${advice}`;
  return undefined;
}

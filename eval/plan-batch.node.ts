/** Plans a batch: which pictures to upscale, and where each result goes. */

import { realpath, stat } from 'node:fs/promises';
import { basename, dirname, extname, isAbsolute, join, relative, sep } from 'node:path';
import { printable } from '../common/text.ts';
import { ImageError } from '../image/errors.ts';
import { OUTPUT_EXTENSIONS } from '../image/formats.ts';
import { findPictures, noFile } from './find-pictures.node.ts';
import { Places, placeOf } from './places.node.ts';
import { DEFAULT_NAME, DISTINCT_NAME, resultName, resultPattern } from './result-name.ts';
import { MOST_SCALE, type SizeRequest, sizeMark } from './result-size.ts';

/** Instead of a path: standard input, or standard output. A file of that name is `./-`. */
export const STANDARD = '-';

/** One picture to upscale. Both are file paths or STANDARD. */
export interface Job {
  readonly input: string;
  readonly output: string;
}

/** The planned jobs, and what was refused or skipped. */
export interface Batch {
  readonly jobs: readonly Job[];
  readonly refused: readonly ImageError[];
  /** Skipped subfolders with pictures, one per input folder. */
  readonly leftOut: readonly string[];
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
  /** A folder, or the file for a single result (see `namesFile`). */
  readonly out: string;
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
  /** `out` is the single result. */
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
  const { inputs, out, recursive = false } = request;
  const [found, refused, leftOut, unread]: [Found[], ImageError[], string[], string[]] = [[], [], [], []];
  const to = await placeOf(out);
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
      const from = await placeOf(input);
      const inside = await findPictures(input, { recursive, without: to === from ? undefined : to });
      const pictures = inside.pictures.filter(path => to !== from || !isResult(path, request));
      results += inside.pictures.length - pictures.length;
      refused.push(...inside.refused);
      unread.push(...inside.unread);
      undecodable += inside.undecodable;
      if (inside.leftOut !== undefined) leftOut.push(join(input, inside.leftOut));
      else if (pictures.length === 0) refused.push(new ImageError(input, 'no pictures in this folder'));
      found.push(...pictures.map(path => ({ path: join(input, path), below: dirname(path) })));
    }
  }
  const { jobs, refused: clashes } = await assign(found, { ...request, oneFile: await namesFile(out) });
  return { jobs, refused: [...refused, ...clashes], leftOut, unread, undecodable, results };
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

async function assign(found: readonly Found[], request: Request): Promise<Pick<Batch, 'jobs' | 'refused'>> {
  const places = new Places();
  const taken: Taken = { places, pictures: new Set(), results: new Map() };
  const named = new Map<string, Found>();
  for (const one of found) {
    const key = await places.ofName(one.path);
    taken.pictures.add(key).add(await places.ofFile(one.path));
    // A picture that is given twice, also through its folder, is upscaled once.
    if (!named.has(key)) named.set(key, one);
  }
  const pictures = [...named.values()];
  const { name = DEFAULT_NAME } = request;
  const alike = new Map<string, number>();
  for (const one of pictures) {
    const key = await places.ofName(outputOf(one, name, request));
    alike.set(key, (alike.get(key) ?? 0) + 1);
  }
  const inside = new Inside(request.out);
  const jobs: Job[] = [];
  const refused: ImageError[] = [];
  for (const one of pictures) {
    const usual = outputOf(one, name, request);
    // All clashing results get longer names, including the first, since new pictures may change which one is first.
    const distinct = request.name === undefined && (alike.get(await places.ofName(usual)) ?? 0) > 1;
    const output = distinct ? outputOf(one, DISTINCT_NAME, request) : usual;
    const problem =
      output === STANDARD ? undefined : ((await clash(one.path, output, taken)) ?? (await inside.problem(output)));
    if (problem !== undefined) refused.push(new ImageError(one.path, problem));
    else {
      taken.results.set(await places.ofName(output), one.path);
      jobs.push({ input: one.path, output });
    }
  }
  return { jobs, refused };
}

/** Paths that no result may overwrite, as keys of `places`. */
interface Taken {
  readonly places: Places;
  /** The inputs' names and the files that they lead to. */
  readonly pictures: Set<string>;
  /** The results so far, and their pictures. */
  readonly results: Map<string, string>;
}

/** A message if the picture cannot have this result, otherwise undefined. */
async function clash(path: string, output: string, { places, pictures, results }: Taken): Promise<string | undefined> {
  const name = await places.ofName(output);
  // If the result is a link to a picture, writing would replace only the link, but it already looks finished.
  const file = await places.ofFile(output);
  const own = [await places.ofName(path), await places.ofFile(path)];
  if (own.includes(name) || own.includes(file)) return 'its result would replace it: choose another -o or --name';
  const [other, shown] = [results.get(name), printable(output)];
  if (other !== undefined)
    return `its result ${shown} is also the result of ${printable(other)}: choose another -o or --name`;
  if (pictures.has(name) || pictures.has(file)) {
    return `its result ${shown} is also an input: choose another -o or --name`;
  }
  return undefined;
}

/** Checks that real paths stay inside a folder: links in an output folder may lead out of it. */
class Inside {
  readonly #folder: string;
  readonly #known = new Map<string, string | undefined>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** A message if the path is not valid under the folder, otherwise undefined. */
  async problem(path: string): Promise<string | undefined> {
    const folder = dirname(path);
    if (!this.#known.has(folder)) this.#known.set(folder, await this.#look(folder));
    return this.#known.get(folder);
  }

  async #look(folder: string): Promise<string | undefined> {
    const way = relative(this.#folder, folder);
    if (way === '' || way.startsWith('..') || isAbsolute(way)) return undefined;
    const root = await placeOf(this.#folder);
    let path = this.#folder;
    for (const step of way.split(sep)) {
      path = join(path, step);
      const place = await realpath(path).catch(() => undefined);
      if (place === undefined) return undefined;
      if (!isBelow(place, root))
        return `its result would lie outside of ${printable(this.#folder)}: ${printable(path)} is a link`;
    }
    return undefined;
  }
}

/** True if `path` is inside `folder` at any depth. Both are absolute. */
function isBelow(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way !== '' && way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

/** Enlarging many picture files: where each result goes, and what became of each. */

import { stat } from 'node:fs/promises';
import { basename, dirname, extname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { glob } from 'tinyglobby';
import { LimitError, OutOfMemoryError } from '../engine/errors.ts';
import { ImageError } from '../image/errors.ts';
import { compareNames, readPicture, writePicture } from '../image/files.node.ts';
import { MAX_PIXELS, PICTURE_EXTENSIONS } from '../image/formats.ts';
import type { Method } from './methods.ts';
import type { UpscaleControl } from './upscale.ts';

/** One picture to enlarge: both are paths of files. */
export interface Job {
  readonly input: string;
  readonly output: string;
}

/** What is to be done, and inputs for which nothing can be. */
export interface Batch {
  readonly jobs: readonly Job[];
  readonly refused: readonly ImageError[];
}

interface Found {
  readonly path: string;
  /** Its folder, relative to the input that it was found in. */
  readonly below: string;
}

/**
 * Finds the pictures that `inputs` name and says where their results go. A folder stands for the PNG and JPEG files in
 * it and below it; its tree is repeated under `out`. A result is called as its picture with `suffix`, as PNG. Where
 * `out` ends in .png it is the result of the one input, a file. Results of an earlier run that lie below an input are
 * not taken for inputs: what is in `out`, or, where `out` is the input itself, what is called with `suffix`.
 */
export async function planBatch(inputs: readonly string[], out: string, suffix: string): Promise<Batch> {
  const refused: ImageError[] = [];
  const found: Found[] = [];
  for (const input of inputs) {
    const state = await stat(input).catch(() => undefined);
    if (!state) refused.push(new ImageError(input, 'there is no such file or folder'));
    else if (!state.isDirectory()) found.push({ path: input, below: '' });
    else {
      const inside = await picturesBelow(input, out, suffix);
      if (inside.length === 0) refused.push(new ImageError(input, 'no pictures (PNG or JPEG) in this folder'));
      found.push(...inside);
    }
  }
  const one = namesFile(out);
  const takenBy = new Map<string, string>();
  const jobs: Job[] = [];
  for (const { path, below } of found) {
    const output = one ? out : join(out, below, basename(path, extname(path)) + suffix + '.png');
    const [from, to] = [resolve(path), resolve(output)];
    const other = takenBy.get(to);
    if (other === from) continue;
    if (from === to) refused.push(new ImageError(path, 'its result would replace it: choose another -o or suffix'));
    else if (other !== undefined) refused.push(new ImageError(path, `${output} is the result of ${other} already`));
    else {
      takenBy.set(to, from);
      jobs.push({ input: path, output });
    }
  }
  return { jobs, refused };
}

/** True where `-o` names one file, not a folder. */
export function namesFile(out: string): boolean {
  return extname(out).toLowerCase() === '.png';
}

async function picturesBelow(folder: string, out: string, suffix: string): Promise<Found[]> {
  const patterns = PICTURE_EXTENSIONS.map(extension => `**/*${extension}`);
  const paths = await glob(patterns, { cwd: folder, caseSensitiveMatch: false, expandDirectories: false });
  const [from, to] = [resolve(folder), resolve(out)];
  const isResult = (path: string) => {
    if (from === to) return suffix !== '' && basename(path, extname(path)).endsWith(suffix);
    return isBelow(to, from) && isBelow(join(from, path), to);
  };
  return paths
    .filter(path => !isResult(path))
    .sort(compareNames)
    .map(path => ({ path: join(folder, path), below: dirname(path) }));
}

/** True where `path` lies in `folder` or deeper; both absolute. */
function isBelow(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way !== '' && way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

/** What to do where a result exists already. */
export type Existing = 'refuse' | 'overwrite' | 'skip';

/** What became of a job. Sizes are those of the picture and of its result; seconds include reading and writing. */
export type Outcome =
  | { readonly state: 'done'; readonly job: Job; readonly from: string; readonly to: string; readonly seconds: number }
  | { readonly state: 'skipped'; readonly job: Job }
  | { readonly state: 'failed'; readonly job: Job; readonly error: Error };

/** How a batch is run. */
export interface BatchOptions extends UpscaleControl {
  /** Default: refuse. */
  readonly existing?: Existing | undefined;
  /** Enlargement, to refuse pictures whose results would be too large before working on them. Default: 4. */
  readonly scale?: number | undefined;
  /** Hears which picture comes next. */
  readonly onStart?: ((job: Job, index: number) => void) | undefined;
}

/**
 * Enlarges the pictures one by one. A picture that cannot be read, enlarged or written is an outcome, not an error.
 * Results are written beside and renamed: there are whole ones or none, also after an abort.
 * @throws the signal's reason, and errors of `method` that do not concern one picture alone.
 */
export async function* upscaleFiles(
  jobs: readonly Job[],
  method: Method,
  options: BatchOptions = {},
): AsyncGenerator<Outcome, void, undefined> {
  for (const [index, job] of jobs.entries()) {
    options.signal?.throwIfAborted();
    options.onStart?.(job, index);
    try {
      yield await upscaleFile(job, method, options);
    } catch (error) {
      if (!concernsOnePicture(error)) throw error;
      yield { state: 'failed', job, error };
    }
  }
}

/** A picture may be too large where the next one is not; what else a method throws would only repeat itself. */
function concernsOnePicture(error: unknown): error is Error {
  return error instanceof ImageError || error instanceof OutOfMemoryError || error instanceof LimitError;
}

async function upscaleFile(job: Job, method: Method, options: BatchOptions): Promise<Outcome> {
  const { existing = 'refuse', scale = 4, onTile, signal } = options;
  if (existing !== 'overwrite' && (await stat(job.output).catch(() => undefined))) {
    if (existing === 'skip') return { state: 'skipped', job };
    throw new ImageError(job.output, 'exists already: --overwrite replaces, --skip-existing leaves it');
  }
  const start = performance.now();
  const picture = await readPicture(job.input);
  const [width, height] = [picture.width * scale, picture.height * scale];
  if (width * height > MAX_PIXELS) {
    throw new ImageError(job.input, `would become ${width}x${height}, more than ${MAX_PIXELS} pixels`);
  }
  const result = await method(picture, { onTile, signal });
  signal?.throwIfAborted();
  await writePicture(job.output, result);
  return {
    state: 'done',
    job,
    from: `${picture.width}x${picture.height}`,
    to: `${result.width}x${result.height}`,
    seconds: (performance.now() - start) / 1000,
  };
}

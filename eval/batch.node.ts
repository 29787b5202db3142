/** Enlarging many picture files: the next is read and the last written while the method works on one. */

import { LimitError, OutOfMemoryError } from '../engine/basics/errors.ts';
import { ImageError, PictureSizeError, printable } from '../image/errors.ts';
import { isThere, openPicture, type PictureFile, savePicture } from '../image/files.node.ts';
import { DEFAULT_MAX_PIXELS, formatForName } from '../image/formats.ts';
import type { Picture, Samples } from '../image/picture.ts';
import { checkSides } from '../image/sharp.node.ts';
import { Leftovers } from '../image/unfinished.node.ts';
import { FullDiskError, ResultError, TileError } from './errors.ts';
import type { Method } from './methods.ts';
import type { Job } from './plan-batch.node.ts';
import type { Tiling, UpscaleControl } from './upscale.ts';

/** What became of a job. Sizes are those of the picture and of its result. */
export type Outcome =
  | {
      readonly state: 'done';
      readonly job: Job;
      readonly from: string;
      readonly to: string;
      /** The colour profile that its samples were converted from, to sRGB. */
      readonly convertedFrom: string | undefined;
      /** How it was cut; undefined where nothing was said of it, as by interpolations. */
      readonly tiling: Tiling | undefined;
      /** That the method took; reading and writing go on beside other pictures. */
      readonly seconds: number;
    }
  | { readonly state: 'skipped'; readonly job: Job }
  | { readonly state: 'failed'; readonly job: Job; readonly error: Error };

/** How a batch is run. */
export interface BatchOptions extends UpscaleControl {
  /** Results that exist are replaced; else their pictures are skipped. Default: false. */
  readonly overwrite?: boolean | undefined;
  /** Enlargement, to know the results' sizes before working on them. Default: 4. */
  readonly scale?: number | undefined;
  /** The most pixels of a result; pictures that would become larger are not decoded. Default: DEFAULT_MAX_PIXELS. */
  readonly maxPixels?: number | undefined;
  /** EXIF, XMP and colour profile go into the result, or not: then colours become sRGB. Default: keep. */
  readonly metadata?: 'keep' | 'strip' | undefined;
  /** 1…100, of formats that lose something. */
  readonly quality?: number | undefined;
  /** Bytes of decoded pictures above which nothing is read ahead or left to be written behind. Default: 512 MiB. */
  readonly bytesInFlight?: number | undefined;
  /** Hears which picture comes next. */
  readonly onStart?: ((job: Job, index: number) => void) | undefined;
  /** Hears what became of each job, in their order. */
  readonly onOutcome?: ((outcome: Outcome) => void) | undefined;
  /** Hears what a picture loses on the way, before its outcome. */
  readonly onWarning?: ((job: Job, warning: string) => void) | undefined;
}

/** Results that may be on their way to the disk at once. */
const WRITES_BEHIND = 4;

const BYTES_IN_FLIGHT = 2 ** 29;

type Loaded = { readonly file: PictureFile } | { readonly outcome: Outcome };

/**
 * Enlarges the pictures one after the other. What cannot be read, enlarged or written is an outcome, not an error.
 * Results are written beside and renamed: there are whole ones or none, and what a killed process left of them is removed.
 * What was enlarged before an abort, or before an error, is still written.
 * @throws the signal's reason, errors of `method` that do not concern one picture alone, and FullDiskError after the first
 *   result that finds no room, or a read-only disk.
 */
export async function upscaleFiles(jobs: readonly Job[], method: Method, options: BatchOptions = {}): Promise<void> {
  const { signal, onStart, bytesInFlight = BYTES_IN_FLIGHT, scale = 4 } = options;
  const written = new Written(options.onOutcome);
  const leftovers = new Leftovers();
  let ahead: Promise<Loaded> | undefined;
  try {
    for (const [index, job] of jobs.entries()) {
      signal?.throwIfAborted();
      written.throwIfFull();
      const loaded = await (ahead ?? load(job, leftovers, options));
      ahead = undefined;
      onStart?.(job, index);
      if ('outcome' in loaded) {
        written.add(Promise.resolve(loaded.outcome), 0);
        continue;
      }
      const bytes = loaded.file.picture.data.byteLength;
      const resultBytes = bytes * scale ** 2;
      await written.room(bytesInFlight - bytes - resultBytes);
      const next = jobs[index + 1];
      if (next && written.bytes + bytes + resultBytes < bytesInFlight) ahead = load(next, leftovers, options);
      ahead?.catch(() => undefined);
      const enlarged = await enlarge(job, loaded.file, method, options);
      if ('outcome' in enlarged) written.add(Promise.resolve(enlarged.outcome), 0);
      else written.add(write(enlarged, loaded.file, leftovers, options), resultBytes);
    }
  } finally {
    await ahead?.catch(() => undefined);
    await written.all();
  }
}

/** Decodes a picture, where its result is not there already and not too large, also for its format. */
async function load(job: Job, leftovers: Leftovers, options: BatchOptions): Promise<Loaded> {
  const { overwrite, maxPixels = DEFAULT_MAX_PIXELS, scale = 4, metadata, signal } = options;
  try {
    if ((await isThere(job.output)) && !overwrite) {
      await leftovers.clear(job.output);
      return { outcome: { state: 'skipped', job } };
    }
    const colours = metadata === 'strip' ? 'srgb' : 'own';
    const file = await openPicture(job.input, { maxPixels: Math.floor(maxPixels / scale ** 2), colours, signal });
    const { width, height } = file.picture;
    checkSides(width * scale, height * scale, formatForName(job.output), job.output);
    return { file };
  } catch (error) {
    if (!(error instanceof PictureSizeError)) return { outcome: failed(job, error) };
    const size = `${error.width * scale}x${error.height * scale}`;
    const problem = `would become ${size}, more than ${maxPixels} pixels: --max-pixels`;
    return { outcome: failed(job, new ImageError(job.input, problem, { cause: error })) };
  }
}

interface Enlarged {
  readonly job: Job;
  readonly result: Picture<Samples>;
  readonly from: string;
  readonly tiling: Tiling | undefined;
  readonly seconds: number;
}

async function enlarge(
  job: Job,
  { picture }: PictureFile,
  method: Method,
  { onTile, onNote, signal }: BatchOptions,
): Promise<Enlarged | { readonly outcome: Outcome }> {
  let tiling: Tiling | undefined;
  const start = performance.now();
  try {
    const result = await method(picture, {
      onTile,
      onNote,
      signal,
      onTiling: cut => {
        tiling = cut;
      },
    });
    const seconds = (performance.now() - start) / 1000;
    return { job, result, from: `${picture.width}x${picture.height}`, tiling, seconds };
  } catch (error) {
    return { outcome: failed(job, error) };
  }
}

async function write(
  { job, result, ...told }: Enlarged,
  file: PictureFile,
  leftovers: Leftovers,
  { metadata = 'keep', quality, onWarning }: BatchOptions,
): Promise<Outcome> {
  let losses: readonly string[];
  try {
    await leftovers.clear(job.output);
    const carried = metadata === 'keep' ? file.metadata : {};
    losses = await savePicture(job.output, result, { metadata: carried, quality });
  } catch (error) {
    return failed(job, error);
  }
  for (const warning of [...file.warnings, ...losses]) onWarning?.(job, warning);
  const { convertedFrom } = file;
  return { state: 'done', job, to: `${result.width}x${result.height}`, convertedFrom, ...told };
}

/** The outcome of an error that concerns one picture alone; others would only repeat themselves and are thrown. */
function failed(job: Job, error: unknown): Outcome {
  const classes = [ImageError, OutOfMemoryError, LimitError, TileError, ResultError];
  if (error instanceof Error && classes.some(known => error instanceof known)) return { state: 'failed', job, error };
  throw error;
}

/** The system's codes of what befalls every result alike. */
const FULL = ['ENOSPC', 'EDQUOT', 'EROFS'];

/** The error that ends a batch, where an outcome is of that kind. */
function fullDisk(outcome: Outcome): FullDiskError | undefined {
  const cause: unknown = outcome.state === 'failed' ? outcome.error.cause : undefined;
  if (!(cause instanceof Error && 'code' in cause && FULL.includes(String(cause.code)))) return undefined;
  const problem = `nothing more can be written there (${cause.code}): the results so far are kept, the rest is left`;
  return new FullDiskError(`${printable(outcome.job.output)}: ${problem}`, { cause });
}

/** Results on their way to the disk; their outcomes are told in order. */
class Written {
  readonly #onOutcome: ((outcome: Outcome) => void) | undefined;
  readonly #going = new Set<Promise<void>>();
  #told = Promise.resolve();
  #bytes = 0;
  #failure: { readonly error: unknown } | undefined;
  #full: FullDiskError | undefined;

  constructor(onOutcome: ((outcome: Outcome) => void) | undefined) {
    this.#onOutcome = onOutcome;
  }

  /** Of the results that are not written yet. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Takes a result of so many bytes; `outcome` says when it is written. */
  add(outcome: Promise<Outcome>, bytes: number): void {
    this.#bytes += bytes;
    const told = this.#told.then(async () => this.#onOutcome?.(await outcome));
    this.#told = told.catch(error => {
      this.#failure ??= { error };
    });
    const going = outcome
      .then(
        known => {
          this.#full ??= fullDisk(known);
        },
        () => undefined,
      )
      .then(() => {
        this.#bytes -= bytes;
        this.#going.delete(going);
      });
    this.#going.add(going);
  }

  /** Waits until no more than `bytes` are on their way, nor too many results; at the latest until none is. */
  async room(bytes: number): Promise<void> {
    while (this.#going.size > 0 && (this.#going.size >= WRITES_BEHIND || this.#bytes > bytes)) {
      await Promise.race(this.#going);
    }
    if (this.#failure) throw this.#failure.error;
    this.throwIfFull();
  }

  /** @throws FullDiskError where a result found no room. */
  throwIfFull(): void {
    if (this.#full) throw this.#full;
  }

  /** Waits for all. Throws what no outcome could be made of. */
  async all(): Promise<void> {
    await this.#told;
    if (this.#failure) throw this.#failure.error;
  }
}

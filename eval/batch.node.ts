/** Upscales many picture files. The next one is read and the last one written while the method works. */

import { codeOf, FileError, reasonOf, unwritable } from '../common/files/file-error.ts';
import { Leftovers } from '../common/files/temporary.node.ts';
import { printable } from '../common/text.ts';
import { LimitError, OutOfMemoryError } from '../engine/basics/errors.ts';
import { ImageError, PictureSizeError } from '../image/errors.ts';
import {
  isThere,
  openPicture,
  openPictureFrom,
  type PictureFile,
  pictureBytes,
  savePicture,
} from '../image/files.node.ts';
import { DEFAULT_MAX_PIXELS, type Format, formatForName } from '../image/formats.ts';
import type { Picture, Samples } from '../image/picture.ts';
import type { EncodeOptions } from '../image/picture-file.ts';
import { checkSides } from '../image/sharp.node.ts';
import { FullDiskError, ResultError, TileError } from './errors.ts';
import type { Method } from './methods.ts';
import { type Job, STANDARD } from './plan-batch.node.ts';
import { isNoLarger, MOST_SCALE, ResultSizeError, resultSize, type SizeRequest } from './result-size.ts';
import type { Size } from './tiles.ts';
import type { Tiling, UpscaleControl } from './upscale.ts';

/** The outcome of a job. Sizes are those of the picture and of its result. */
export type Outcome =
  | {
      readonly state: 'done';
      readonly job: Job;
      readonly from: string;
      readonly to: string;
      /** The colour profile or space from which samples were converted to sRGB, if any. */
      readonly convertedFrom: string | undefined;
      /** The tiling; undefined if the method reports none, like interpolations. */
      readonly tiling: Tiling | undefined;
      /** Duration of the method alone; reading and writing overlap with other pictures. */
      readonly seconds: number;
    }
  | { readonly state: 'skipped'; readonly job: Job }
  | { readonly state: 'failed'; readonly job: Job; readonly error: Error };

/** Options of a batch. */
export interface BatchOptions extends UpscaleControl {
  /** Replace existing results instead of skipping their pictures. Default: false. */
  readonly overwrite?: boolean | undefined;
  /** Size of results. Default: four times as wide and high. */
  readonly size?: SizeRequest | undefined;
  /**
   * The method's fixed scale, as for networks, before resizing to the final size; undefined if it has none. Default: 4.
   */
  readonly scale?: number | undefined;
  /** Pictures are seamless textures. Default: false. */
  readonly wrap?: boolean | undefined;
  /**
   * Maximum pixels of a result, and of the method's output before resizing. Pictures that would exceed it are not
   * decoded if their size is known before. Default: DEFAULT_MAX_PIXELS.
   */
  readonly maxPixels?: number | undefined;
  /** Format on standard output; `same`: the picture's own format. Default: png. */
  readonly format?: Format | 'same' | undefined;
  /** Keep EXIF, XMP and colour profile, or strip them and convert colours to sRGB. Default: keep. */
  readonly metadata?: 'keep' | 'strip' | undefined;
  /** 1…100, for lossy formats. */
  readonly quality?: number | undefined;
  /** Bytes of decoded pictures above which reading ahead and writing in the background stop. Default: 512 MiB. */
  readonly bytesInFlight?: number | undefined;
  /** Called before each picture. */
  readonly onStart?: ((job: Job, index: number) => void) | undefined;
  /** Called with each job's outcome, in order. */
  readonly onOutcome?: ((outcome: Outcome) => void) | undefined;
  /** Called with each warning about a picture, before its outcome. */
  readonly onWarning?: ((job: Job, warning: string) => void) | undefined;
}

/** Maximum number of concurrent writes. */
const WRITES_BEHIND = 4;

const BYTES_IN_FLIGHT = 2 ** 29;

const FOUR_TIMES: SizeRequest = { scale: MOST_SCALE };

type Loaded = { readonly file: PictureFile; readonly to: Size } | { readonly outcome: Outcome };

/**
 * Upscales the pictures one by one. A picture that cannot be read, upscaled or written is a failed outcome, not an
 * error. Results are written atomically, and leftovers of killed processes are removed. Results finished before an
 * abort or an error are still written.
 * @throws the signal's reason, errors of `method` that do not concern a single picture, and FullDiskError after the
 *   first
 *   result that meets a full or read-only disk.
 */
export async function upscaleFiles(jobs: readonly Job[], method: Method, options: BatchOptions = {}): Promise<void> {
  const { signal, onStart, bytesInFlight = BYTES_IN_FLIGHT } = options;
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
      const { file, to } = loaded;
      const bytes = file.picture.data.byteLength;
      const largest = largestSize(file.picture, to, options);
      const resultBytes = (bytes / (file.picture.width * file.picture.height)) * largest.width * largest.height;
      await written.room(bytesInFlight - bytes - resultBytes);
      const next = jobs[index + 1];
      if (next && written.bytes + bytes + resultBytes < bytesInFlight) ahead = load(next, leftovers, options);
      ahead?.catch(() => undefined);
      const enlarged = await enlarge(job, file, to, method, options);
      if ('outcome' in enlarged) written.add(Promise.resolve(enlarged.outcome), 0);
      else written.add(write(enlarged, file, leftovers, options), resultBytes);
    }
  } finally {
    await ahead?.catch(() => undefined);
    await written.all();
  }
}

/** Decodes a picture, unless its result exists or would be too large for the limit or the format. */
async function load(job: Job, leftovers: Leftovers, options: BatchOptions): Promise<Loaded> {
  const { overwrite, maxPixels = DEFAULT_MAX_PIXELS, size = FOUR_TIMES, metadata, signal } = options;
  try {
    if (job.output !== STANDARD && (await isThere(job.output)) && !overwrite) {
      await leftovers.clear(job.output);
      return { outcome: { state: 'skipped', job } };
    }
    // Sizes in pixels cannot be checked before the picture's size is known.
    const times = 'scale' in size ? Math.max(1, options.scale ?? 1, size.scale) : 1;
    const decoding = {
      maxPixels: Math.floor(maxPixels / times ** 2),
      colours: metadata === 'strip' ? ('srgb' as const) : ('own' as const),
      signal,
    };
    const file =
      job.input === STANDARD
        ? await openPictureFrom(process.stdin, nameOf(job), decoding)
        : await openPicture(job.input, decoding);
    const to = resultSize(file.picture, size);
    const largest = largestSize(file.picture, to, options);
    if (largest.width * largest.height > maxPixels) throw tooLarge(job, largest, maxPixels);
    checkSides(to.width, to.height, formatFor(job, file, options), job.output);
    return { file, to };
  } catch (error) {
    if (error instanceof ResultSizeError) {
      return { outcome: failed(job, new ImageError(nameOf(job), error.message, { cause: error })) };
    }
    if (error instanceof PictureSizeError && 'scale' in size) {
      const largest = largestSize(error, resultSize(error, size), options);
      return { outcome: failed(job, tooLarge(job, largest, maxPixels, error)) };
    }
    return { outcome: failed(job, error) };
  }
}

const nameOf = ({ input }: Job) => (input === STANDARD ? 'standard input' : input);

function tooLarge(job: Job, { width, height }: Size, maxPixels: number, cause?: Error): ImageError {
  return new ImageError(
    nameOf(job),
    `its result of ${width}x${height} pixels exceeds the limit of ${maxPixels}: raise --max-pixels`,
    {
      cause,
    },
  );
}

/** The largest intermediate size on the way to the result. */
function largestSize(from: Size, to: Size, { scale }: BatchOptions): Size {
  if (isNoLarger(to, from)) return { width: from.width, height: from.height };
  if (scale === undefined) return to;
  return { width: from.width * scale, height: from.height * scale };
}

function formatFor({ output }: Job, { format: own }: PictureFile, { format = 'png' }: BatchOptions): Format {
  if (output !== STANDARD) return formatForName(output);
  if (format !== 'same') return format;
  return own === 'gif' ? 'png' : own;
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
  to: Size,
  method: Method,
  { wrap, onTile, onNote, signal }: BatchOptions,
): Promise<Enlarged | { readonly outcome: Outcome }> {
  let tiling: Tiling | undefined;
  const start = performance.now();
  try {
    const result = await method(picture, {
      to,
      wrap,
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
  options: BatchOptions,
): Promise<Outcome> {
  const { metadata = 'keep', quality, onWarning } = options;
  const encoding = { metadata: metadata === 'keep' ? file.metadata : {}, quality };
  let losses: readonly string[];
  try {
    if (job.output === STANDARD) losses = await print(result, formatFor(job, file, options), encoding);
    else {
      await leftovers.clear(job.output);
      losses = await savePicture(job.output, result, encoding);
    }
  } catch (error) {
    return failed(job, error);
  }
  for (const warning of [...file.warnings, ...losses]) onWarning?.(job, warning);
  const { convertedFrom } = file;
  return { state: 'done', job, to: `${result.width}x${result.height}`, convertedFrom, ...told };
}

/** Writes a picture to standard output. Returns what its format cannot hold. */
async function print(result: Picture<Samples>, format: Format, encoding: EncodeOptions): Promise<readonly string[]> {
  const { bytes, losses } = await pictureBytes(result, format, encoding, 'standard output');
  await new Promise<void>((resolve, reject) => {
    process.stdout.write(bytes, error => {
      if (error) reject(unwritable('standard output', error));
      else resolve();
    });
  });
  return losses;
}

/** The outcome for an error about a single picture. Others would repeat for every picture and are thrown. */
function failed(job: Job, error: unknown): Outcome {
  const classes = [ImageError, FileError, OutOfMemoryError, LimitError, TileError, ResultError];
  if (error instanceof Error && classes.some(known => error instanceof known)) return { state: 'failed', job, error };
  throw error;
}

/** System error codes that affect all results. */
const FULL = ['ENOSPC', 'EDQUOT', 'EROFS'];

/** The error that ends the batch, if the outcome is of that kind. */
function fullDisk(outcome: Outcome): FullDiskError | undefined {
  const cause: unknown = outcome.state === 'failed' ? outcome.error.cause : undefined;
  if (!FULL.includes(codeOf(cause))) return undefined;
  const problem = `cannot write more results: ${reasonOf(cause)}; earlier results are kept`;
  return new FullDiskError(`${printable(outcome.job.output)}: ${problem}`, { cause });
}

/** Results being written. Reports their outcomes in order. */
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

  /** Bytes of the unwritten results. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Adds a result of `bytes`; `outcome` resolves when it is written. */
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

  /** Waits until at most `bytes` and WRITES_BEHIND results are pending, or none. */
  async room(bytes: number): Promise<void> {
    while (this.#going.size > 0 && (this.#going.size >= WRITES_BEHIND || this.#bytes > bytes)) {
      await Promise.race(this.#going);
    }
    if (this.#failure) throw this.#failure.error;
    this.throwIfFull();
  }

  /** @throws FullDiskError if a result met a full disk. */
  throwIfFull(): void {
    if (this.#full) throw this.#full;
  }

  /** Waits for all writes. Throws errors that are not outcomes. */
  async all(): Promise<void> {
    await this.#told;
    if (this.#failure) throw this.#failure.error;
  }
}

/** Upscales many picture files. The next one is read and the last one written while the method works. */

import { LimitError, OutOfMemoryError } from '../engine/basics/errors.ts';
import { FileError, unwritable } from '../files/file-error.ts';
import { Leftovers } from '../files/temporary.node.ts';
import { writeAtomically } from '../files/write.node.ts';
import { encodePicture } from '../image/codec.node.ts';
import { ImageError, PictureSizeError } from '../image/errors.ts';
import { isThere, openPicture, openPictureFrom, type PictureFile } from '../image/files.node.ts';
import { checkSides, DEFAULT_MAX_PIXELS, type Format, formatForName } from '../image/formats.ts';
import type { Picture, Samples } from '../image/picture.ts';
import { ResultError, TileError } from './errors.ts';
import { inputName, type Job, type Outcome, outputName, STANDARD } from './job.ts';
import type { Method } from './methods.ts';
import { PendingResults } from './pending-results.ts';
import { isNoLarger, MOST_SCALE, ResultSizeError, resultSize, type SizeRequest } from './result-size.ts';
import type { Size } from './tiles.ts';
import type { Tiling, UpscaleControl } from './upscale.ts';

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

const BYTES_IN_FLIGHT = 2 ** 29;

const FOUR_TIMES: SizeRequest = { scale: MOST_SCALE };

/** A decoded picture, and its result's properties. */
interface Loaded {
  readonly file: PictureFile;
  readonly to: Size;
  readonly format: Format;
  /** Bytes of the picture's samples, and of the largest intermediate result's. */
  readonly bytes: number;
  readonly resultBytes: number;
}

interface Enlarged {
  readonly result: Picture<Samples>;
  readonly tiling: Tiling | undefined;
  readonly seconds: number;
}

/**
 * Upscales the pictures one by one. A picture that cannot be read, upscaled or written is a failed outcome, not an
 * error. Results are written atomically, and leftovers of killed processes are removed. Results finished before an
 * abort or an error are still written.
 * @throws the signal's reason, errors of `method` that do not concern a single picture, and FullDiskError after the
 *   first result that meets a full or read-only disk.
 */
export async function upscaleFiles(jobs: readonly Job[], method: Method, options: BatchOptions = {}): Promise<void> {
  const { signal, onStart, bytesInFlight = BYTES_IN_FLIGHT } = options;
  const pending = new PendingResults(options.onOutcome);
  const leftovers = new Leftovers();
  const start = (job: Job) => attempt(job, () => load(job, leftovers, options));
  let ahead: ReturnType<typeof start> | undefined;
  try {
    for (const [index, job] of jobs.entries()) {
      signal?.throwIfAborted();
      pending.throwIfFull();
      const loaded = await (ahead ?? start(job));
      ahead = undefined;
      onStart?.(job, index);
      if ('state' in loaded) {
        pending.addOutcome(loaded);
        continue;
      }
      const { bytes, resultBytes } = loaded;
      await pending.room(bytesInFlight - bytes - resultBytes);
      const next = jobs[index + 1];
      if (next && pending.bytes + bytes + resultBytes < bytesInFlight) ahead = start(next);
      ahead?.catch(() => undefined);
      const enlarged = await attempt(job, () => enlarge(loaded, method, options));
      if ('state' in enlarged) pending.addOutcome(enlarged);
      else
        pending.add(
          attempt(job, () => write(job, loaded, enlarged, leftovers, options)),
          resultBytes,
        );
    }
  } finally {
    await ahead?.catch(() => undefined);
    await pending.all();
  }
}

/** Errors that concern a single picture. Others would repeat for every picture. */
const ERRORS_OF_ONE = [ImageError, FileError, OutOfMemoryError, LimitError, TileError, ResultError];

/** Runs a step for one picture. An error that concerns only this picture becomes the outcome; others are thrown. */
async function attempt<T extends object>(job: Job, step: () => Promise<T>): Promise<T | Outcome> {
  try {
    return await step();
  } catch (error) {
    if (!(error instanceof Error && ERRORS_OF_ONE.some(known => error instanceof known))) throw error;
    return { state: 'failed', job, error };
  }
}

/** Decodes a picture, unless its result exists or would be too large for the limit or the format. */
async function load(job: Job, leftovers: Leftovers, options: BatchOptions): Promise<Loaded | Outcome> {
  const { overwrite, maxPixels = DEFAULT_MAX_PIXELS, size = FOUR_TIMES } = options;
  if (job.output !== STANDARD && (await isThere(job.output)) && !overwrite) {
    await leftovers.clear(job.output);
    return { state: 'skipped', job };
  }
  try {
    const file = await open(job, options);
    const { picture } = file;
    const to = resultSize(picture, size);
    const largest = largestSize(picture, to, options);
    if (largest.width * largest.height > maxPixels) throw tooLarge(job, largest, maxPixels);
    const format = formatFor(job, file, options);
    checkSides(to.width, to.height, format, outputName(job));
    const bytes = picture.data.byteLength;
    const resultBytes = (bytes / (picture.width * picture.height)) * largest.width * largest.height;
    return { file, to, format, bytes, resultBytes };
  } catch (error) {
    if (error instanceof ResultSizeError) throw new ImageError(inputName(job), error.message, { cause: error });
    if (!(error instanceof PictureSizeError && 'scale' in size)) throw error;
    throw tooLarge(job, largestSize(error, resultSize(error, size), options), maxPixels, error);
  }
}

/** Decodes a job's input, unless it has too many pixels. */
async function open(job: Job, options: BatchOptions): Promise<PictureFile> {
  const { maxPixels = DEFAULT_MAX_PIXELS, size = FOUR_TIMES, metadata, signal } = options;
  // Sizes in pixels cannot be checked before the picture's size is known.
  const times = 'scale' in size ? Math.max(1, options.scale ?? 1, size.scale) : 1;
  const colours = metadata === 'strip' ? 'srgb' : 'own';
  const decoding = { maxPixels: Math.floor(maxPixels / times ** 2), colours, signal } as const;
  if (job.input === STANDARD) return await openPictureFrom(process.stdin, inputName(job), decoding);
  return await openPicture(job.input, decoding);
}

function tooLarge(job: Job, { width, height }: Size, maxPixels: number, cause?: Error): ImageError {
  const problem = `its result of ${width}x${height} pixels exceeds the limit of ${maxPixels}: raise --max-pixels`;
  return new ImageError(inputName(job), problem, { cause });
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

async function enlarge({ file, to }: Loaded, method: Method, options: BatchOptions): Promise<Enlarged> {
  const { wrap, onTile, onProgress, onNote, signal } = options;
  let tiling: Tiling | undefined;
  const onTiling = (cut: Tiling) => {
    tiling = cut;
  };
  const start = performance.now();
  const result = await method(file.picture, { to, wrap, onTile, onProgress, onNote, signal, onTiling });
  return { result, tiling, seconds: (performance.now() - start) / 1000 };
}

async function write(
  job: Job,
  { file, format }: Loaded,
  { result, tiling, seconds }: Enlarged,
  leftovers: Leftovers,
  { metadata = 'keep', quality, onWarning }: BatchOptions,
): Promise<Outcome> {
  const encoding = { metadata: metadata === 'keep' ? file.metadata : {}, quality };
  const { bytes, losses } = await encodePicture(result, format, encoding, outputName(job));
  if (job.output === STANDARD) await print(bytes);
  else {
    await leftovers.clear(job.output);
    await writeAtomically(job.output, bytes);
  }
  for (const warning of [...file.warnings, ...losses]) onWarning?.(job, warning);
  const [from, to] = [file.picture, result].map(({ width, height }) => `${width}x${height}`);
  return { state: 'done', job, from, to, convertedFrom: file.convertedFrom, tiling, seconds };
}

/** Writes bytes to standard output. */
async function print(bytes: Uint8Array): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    process.stdout.write(bytes, error => {
      if (error) reject(unwritable('standard output', error));
      else resolve();
    });
  });
}

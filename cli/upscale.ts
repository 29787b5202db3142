/** `daybreak upscale`: upscales picture files and folders. */

import { dirname, extname } from 'node:path';
import { type Command, Option } from 'commander';
import { counted, printable } from '../common/text.ts';
import { upscaleFiles } from '../eval/batch.node.ts';
import { inputName, type Job, type Outcome, outputName, STANDARD } from '../eval/job.ts';
import { isInterpolation } from '../eval/methods.ts';
import { type Batch, namesFile, namesFolder, planBatch } from '../eval/plan-batch.node.ts';
import { DEFAULT_NAME, templateProblem } from '../eval/result-name.ts';
import { MOST_SCALE, type SizeRequest } from '../eval/result-size.ts';
import { undecodableNote, unreadNote } from '../eval/skipped-notes.ts';
import { FileError } from '../files/file-error.ts';
import { checkFolder } from '../files/output.node.ts';
import { ImageError } from '../image/errors.ts';
import { isThere } from '../image/files.node.ts';
import { DEFAULT_MAX_PIXELS, formatForName, isOtherPicture, OUTPUT_EXTENSIONS } from '../image/formats.ts';
import { percent, positiveInteger, scaleNumber } from './arguments.ts';
import { lineOf, UsageError } from './failures.ts';
import { interruptible } from './interrupt.ts';
import {
  addMethodOptions,
  addModelOption,
  fileLabelOf,
  gpuOf,
  type MethodOptions,
  type OpenedMethod,
  openMethod,
} from './open-method.ts';
import { BatchProgress, percentage } from './progress.ts';

interface UpscaleOptions extends MethodOptions {
  readonly model: string;
  readonly out: string;
  readonly scale?: number;
  readonly width?: number;
  readonly height?: number;
  readonly wrap?: boolean;
  readonly recursive?: boolean;
  readonly format?: string;
  readonly quality?: number;
  readonly name?: string;
  readonly overwrite?: boolean;
  readonly metadata: 'keep' | 'strip';
  readonly maxPixels: number;
}

/** Format names, which are also the extensions of their files. */
const ENDINGS = ['png', 'jpg', 'webp', 'avif', 'tiff'].filter(name => OUTPUT_EXTENSIONS.includes(`.${name}`));

/** Extensions of lossy formats, to which `--quality` applies. */
const LOSSY: readonly string[] = OUTPUT_EXTENSIONS.filter(ending => !['.png', '.tif', '.tiff'].includes(ending));

const EXAMPLES = `
Examples:
  daybreak upscale photo.png -o photo-large.png
  daybreak upscale holiday/ -o large --recursive --format same
  daybreak upscale scans/ -o large --model runs/first/checkpoints/best/model.safetensors --name "{name}_{model}"
  daybreak upscale photo.jpg -o photo-wide.jpg --width 1920
  daybreak upscale brick.png -o brick-large.png --scale 2 --wrap
  curl -s https://example.org/photo.jpg | daybreak upscale - -o - --format jpg > large.jpg
Sizes other than four times are resized from the network's result by bicubic
interpolation. A picture that would not become larger skips the network. Pictures
with existing results are skipped, so a stopped run continues where it was.
--recursive recreates the folder's tree in the output folder. Links to files are
followed, links to folders are not; hidden files are skipped. 16 bits, grey and
alpha are kept if the format can hold them. Failures are reported, the other
pictures are still processed, and the exit code is 1.`;

/** Adds `upscale` to the program. */
export function addUpscaleCommand(program: Command): void {
  const command = program
    .command('upscale')
    .description('Upscale pictures up to four times, with a network or another method.')
    .argument('<in...>', 'pictures or folders; - reads a picture from standard input')
    .requiredOption(
      '-o, --out <path>',
      `a folder; for one picture also a file (${OUTPUT_EXTENSIONS.join(', ')}) or - for standard output`,
    )
    .option('--scale <n>', `scale of width and height, up to ${MOST_SCALE} (default: ${MOST_SCALE})`, scaleNumber)
    .option('--width <px>', 'width of results; keeps the aspect ratio without --height', positiveInteger)
    .option('--height <px>', 'height of results; keeps the aspect ratio without --width', positiveInteger)
    .option('--wrap', 'treat pictures as seamless textures, and keep them seamless');
  addMethodOptions(addModelOption(command))
    .option('-r, --recursive', 'include subfolders')
    .addOption(
      new Option('--format <name>', "format in a folder or for -o -; same: each picture's own (default: png)").choices([
        ...ENDINGS,
        'same',
      ]),
    )
    .option('--quality <1-100>', 'quality of JPEG, WebP and AVIF (default: 95, AVIF 80)', percent)
    .option('--name <template>', `file names, from {name}, {ext}, {size}, {scale}, {model} (default: ${DEFAULT_NAME})`)
    .option('--overwrite', 'replace existing results instead of skipping their pictures')
    .addOption(
      new Option('--metadata <what>', 'EXIF, XMP and colour profile; strip converts colours to sRGB')
        .choices(['keep', 'strip'])
        .default('keep'),
    )
    .option('--max-pixels <n>', 'reject pictures with larger results', positiveInteger, DEFAULT_MAX_PIXELS)
    .addHelpText('after', EXAMPLES)
    .action(async (inputs: string[], options: UpscaleOptions) => {
      process.exitCode = await upscale(inputs, options);
    });
}

/** @returns 0 if every picture was upscaled or skipped, otherwise 1. */
async function upscale(inputs: readonly string[], options: UpscaleOptions): Promise<number> {
  const oneFile = await check(options);
  const { out, model, recursive, name, format, overwrite } = options;
  const ending = format === undefined || format === 'same' ? format : `.${format}`;
  const size = sizeOf(options);
  const batch = await planBatch({ inputs, out, oneFile, recursive, name, ending, size, model: fileLabelOf(model) });
  const { jobs, refused } = batch;
  if (oneFile && jobs.length + refused.length > 1) {
    throw new UsageError(`-o ${out} is one file, but there are several pictures: use a folder`);
  }
  for (const note of notesOn(batch)) process.stderr.write(`note: ${note}\n`);
  for (const error of refused) process.stderr.write(`failed: ${lineOf(error)}\n`);
  const counts = { done: 0, skipped: 0, failed: refused.length };
  if (jobs.length === 0) {
    summarize(counts, 0, options);
    return 1;
  }
  if (out !== STANDARD && (overwrite || !(await allThere(jobs)))) await checkFolder(oneFile ? dirname(out) : out);
  const opened = await openMethod(model, options, gpuOf(options));
  try {
    await interruptible('Stopping after this tile.', signal => upscaleJobs(jobs, opened, options, counts, signal));
  } finally {
    const { done, skipped, failed } = counts;
    summarize(counts, jobs.length + refused.length - done - skipped - failed, options);
  }
  return counts.failed === 0 ? 0 : 1;
}

/** Upscales the pictures, and counts their outcomes. Shows progress on stderr. */
async function upscaleJobs(
  jobs: readonly Job[],
  { method, scale }: OpenedMethod,
  { model, overwrite, format, maxPixels, metadata, quality, wrap, ...options }: UpscaleOptions,
  counts: Counts,
  signal: AbortSignal,
): Promise<void> {
  using progress = new BatchProgress(jobs.length);
  let current: { index: number; job: Job } | undefined;
  const show = (done: number, detail = '') => {
    if (current) progress.update(current.index + done, `${shownInput(current.job)}${detail}`);
  };
  await upscaleFiles(jobs, method, {
    overwrite,
    size: sizeOf(options),
    scale: isInterpolation(model) ? undefined : scale,
    wrap,
    format: format === undefined || format === 'same' ? format : formatForName(`.${format}`),
    maxPixels,
    metadata,
    quality,
    signal,
    onStart: (job, index) => {
      current = { index, job };
      show(0);
    },
    onTile: (done, total) => show(done / total, `  tile ${done}/${total}`),
    onProgress: (done, total) => show(done / total, `  ${percentage(done, total)}`),
    onNote: note => progress.line(`note: ${current ? shownInput(current.job) : ''}: ${note}`),
    onWarning: (job, warning) => progress.line(`warning: ${shownInput(job)}: ${warning}`),
    onOutcome: outcome => {
      counts[outcome.state]++;
      const line = sentence(outcome);
      if (line !== undefined) progress.line(line);
    },
  });
}

/** Notes about skipped files and folders. */
function notesOn({ skippedFolders, unread, undecodable, results }: Batch): string[] {
  const folders = skippedFolders.map(
    folder => `${printable(folder)} contains pictures, too: use --recursive to include subfolders`,
  );
  const earlier =
    results === 0
      ? undefined
      : `skipped ${counted(results, 'file')} named like earlier results; use another -o to include ` +
        (results === 1 ? 'it' : 'them');
  return [...folders, unreadNote(unread), undecodableNote(undecodable), earlier].filter(note => note !== undefined);
}

type Counts = Record<Outcome['state'], number>;

/** Prints the last line, also after a stop. `remaining` pictures were not processed then. */
function summarize({ done, skipped, failed }: Counts, remaining: number, { overwrite, out }: UpscaleOptions): void {
  const again = overwrite ? '' : ': run the same command to continue';
  const rest = remaining === 0 ? '' : `, ${remaining} left${again}`;
  const hint = skipped === 0 ? '' : '; existing results are kept, use --overwrite to replace them';
  const stream = out === STANDARD ? process.stderr : process.stdout;
  stream.write(`${done} enlarged, ${skipped} skipped, ${failed} failed${rest}${hint}\n`);
}

/**
 * The requested size.
 * @throws UsageError for a scale combined with sides.
 */
function sizeOf({ scale, width, height }: Pick<UpscaleOptions, 'scale' | 'width' | 'height'>): SizeRequest {
  if (scale !== undefined && (width ?? height) !== undefined)
    throw new UsageError('--scale cannot be combined with --width and --height');
  if (width !== undefined) return { width, height };
  return height === undefined ? { scale: scale ?? MOST_SCALE } : { height };
}

/**
 * @returns whether `-o` is a single file.
 * @throws UsageError for invalid combinations of options.
 */
async function check({ out, name, format, quality }: UpscaleOptions): Promise<boolean> {
  if (out === '') throw new UsageError('-o: expected a folder or a file, got an empty path');
  if (out === STANDARD && process.stdout.isTTY)
    throw new UsageError('-o -: cannot write a picture to a terminal: redirect standard output');
  const oneFile = await namesFile(out);
  // A path with the extension of another format is a mistake, not the name of a folder.
  if (isOtherPicture(out) && !(await namesFolder(out))) {
    throw new UsageError(`-o ${out}: cannot write this format: expected ${OUTPUT_EXTENSIONS.join(', ')}, or a folder`);
  }
  if (oneFile && format !== undefined && out !== STANDARD)
    throw new UsageError(`--format cannot be combined with the file -o ${out}: its extension is the format`);
  if (oneFile && name !== undefined) throw new UsageError(`--name cannot be combined with the file -o ${out}`);
  const problem = name === undefined ? undefined : templateProblem(name);
  if (problem !== undefined) throw new UsageError(`--name ${name}: ${problem}`);
  if (quality === undefined) return oneFile;
  const ending = oneFile && out !== STANDARD ? extname(out).toLowerCase() : `.${format ?? 'png'}`;
  if (ending !== '.same' && !LOSSY.includes(ending)) {
    throw new UsageError(`--quality: ${ending.slice(1)} files are lossless: choose another --format`);
  }
  return oneFile;
}

async function allThere(jobs: readonly Job[]): Promise<boolean> {
  // Invalid names are reported later.
  for (const { output } of jobs) if (!(await isThere(output).catch(() => true))) return false;
  return true;
}

const shownInput = (job: Job) => printable(inputName(job));

/** The line for an outcome. Skipped pictures are only counted. */
function sentence(outcome: Outcome): string | undefined {
  if (outcome.state === 'skipped') return undefined;
  if (outcome.state === 'failed') return `failed: ${failureOf(outcome.error, outcome.job)}`;
  const { from, to, tiling, seconds, convertedFrom } = outcome;
  const tiles =
    tiling && tiling.count > 1 ? `, ${tiling.count} tiles of ${tiling.window.width}x${tiling.window.height}` : '';
  const colours = convertedFrom === undefined ? '' : `, colours of "${convertedFrom}" to sRGB`;
  return `${shownInput(outcome.job)} ${from} -> ${printable(outputName(outcome.job))} ${to}${colours}${tiles}, ${seconds.toFixed(1)} s`;
}

/** The failure's message, with the picture's name unless the error names a file. */
function failureOf(error: Error, job: Job): string {
  const namesFile = error instanceof ImageError || error instanceof FileError;
  return namesFile ? lineOf(error) : `${shownInput(job)}: ${lineOf(error)}`;
}

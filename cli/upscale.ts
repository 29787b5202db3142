/** `daybreak upscale`: enlarges picture files and folders of them. */

import { dirname, extname } from 'node:path';
import { type Command, Option } from 'commander';
import { type Outcome, upscaleFiles } from '../eval/batch.node.ts';
import { checkFolder } from '../eval/output-folder.node.ts';
import { type Job, namesFile, namesFolder, planBatch } from '../eval/plan-batch.node.ts';
import { DEFAULT_NAME, templateProblem } from '../eval/result-name.ts';
import { printable } from '../image/errors.ts';
import { isThere } from '../image/files.node.ts';
import { DEFAULT_MAX_PIXELS, isOtherPicture, OUTPUT_EXTENSIONS } from '../image/formats.ts';
import { percent, positiveInteger } from './arguments.ts';
import { BatchProgress } from './batch-progress.ts';
import { lineOf, UsageError } from './failures.ts';
import { interruptible } from './interrupt.ts';
import { addMethodOptions, addModelOption, gpuOf, labelOf, type MethodOptions, openMethod } from './open-method.ts';

interface UpscaleOptions extends MethodOptions {
  readonly model: string;
  readonly out: string;
  readonly recursive?: boolean;
  readonly format?: string;
  readonly quality?: number;
  readonly name?: string;
  readonly overwrite?: boolean;
  readonly metadata: 'keep' | 'strip';
  readonly maxPixels: number;
}

/** All methods enlarge so many times. */
const SCALE = 4;

/** Names of formats, each with the ending that its files get. */
const ENDINGS = ['png', 'jpg', 'webp', 'avif', 'tiff'].filter(name => OUTPUT_EXTENSIONS.includes(`.${name}`));

/** Endings of results that lose something as much as `--quality` says. */
const LOSSY: readonly string[] = OUTPUT_EXTENSIONS.filter(ending => !['.png', '.tif', '.tiff'].includes(ending));

const EXAMPLES = `
Examples:
  daybreak upscale photo.png -o photo-large.png
  daybreak upscale holiday/ -o large --recursive --format same
  daybreak upscale scans/ -o large --model runs/first/checkpoints/best/model.safetensors --name "{name}_{model}"
A picture whose result exists is skipped, so that a run that was stopped goes on
where it was. --recursive repeats the folder's tree in the output folder; links to
files are read, links to folders are not followed, hidden files are left out.
16-bit pictures, grey ones and alpha stay what they are where the format can hold
them. What failed is told of, the others go on, and the exit code is 1.`;

/** Adds `upscale` to the program. */
export function addUpscaleCommand(program: Command): void {
  const command = program
    .command('upscale')
    .description('Enlarge pictures four times, with a network or an interpolation.')
    .argument('<in...>', 'pictures, or folders of pictures')
    .requiredOption('-o, --out <path>', `a folder, or for one picture a file (${OUTPUT_EXTENSIONS.join(', ')})`);
  addMethodOptions(addModelOption(command))
    .option('-r, --recursive', "pictures in a folder's subfolders too")
    .addOption(
      new Option('--format <name>', "of results in a folder; same: each picture's own (default: png)").choices([
        ...ENDINGS,
        'same',
      ]),
    )
    .option('--quality <1-100>', 'of JPEG, WebP and AVIF (default: 95, AVIF 80)', percent)
    .option('--name <template>', `names in a folder, of {name}, {ext}, {scale}, {model} (default: ${DEFAULT_NAME})`)
    .option('--overwrite', 'replace results that exist, instead of skipping their pictures')
    .addOption(
      new Option('--metadata <what>', 'EXIF, XMP and colour profile; strip converts colours to sRGB')
        .choices(['keep', 'strip'])
        .default('keep'),
    )
    .option('--max-pixels <n>', 'refuse pictures whose results would have more', positiveInteger, DEFAULT_MAX_PIXELS)
    .addHelpText('after', EXAMPLES)
    .action(async (inputs: string[], options: UpscaleOptions) => {
      process.exitCode = await upscale(inputs, options);
    });
}

/** @returns 0 where every picture was enlarged or skipped as asked, else 1. */
async function upscale(inputs: readonly string[], options: UpscaleOptions): Promise<number> {
  const oneFile = await check(options);
  const { out, model, recursive, name, format, overwrite, metadata, quality, maxPixels } = options;
  const ending = format === undefined || format === 'same' ? format : `.${format}`;
  const request = { inputs, out, recursive, name, ending, scale: SCALE, model: labelOf(model) };
  const { jobs, refused, leftOut, unread, results } = await planBatch(request);
  if (oneFile && jobs.length + refused.length > 1) {
    throw new UsageError(`-o ${out} names one file, but there are several pictures: name a folder`);
  }
  for (const folder of leftOut) {
    process.stderr.write(`note: ${printable(folder)} holds pictures too: --recursive takes what is in subfolders\n`);
  }
  if (unread.length > 0) {
    const endings = [...new Set(unread)].sort();
    const left = `${unread.length} ${unread.length === 1 ? 'file' : 'files'} left out`;
    const are = `${endings.join(', ')} ${endings.length === 1 ? 'is' : 'are'} not read`;
    process.stderr.write(`note: ${left}: ${are}, convert ${unread.length === 1 ? 'it' : 'them'}\n`);
  }
  if (results > 0) {
    const what = results === 1 ? '1 file is called as results are' : `${results} files are called as results are`;
    process.stderr.write(`note: ${what} and left out: another -o takes all\n`);
  }
  for (const error of refused) process.stderr.write(`failed: ${lineOf(error)}\n`);
  const counts = { done: 0, skipped: 0, failed: refused.length };
  if (jobs.length === 0) {
    summarize(counts, 0, options);
    return 1;
  }
  if (overwrite || !(await allThere(jobs))) await checkFolder(oneFile ? dirname(out) : out);
  const { method, scale } = await openMethod(model, options, gpuOf(options));
  try {
    await interruptible('Stopping after this tile.', async signal => {
      using progress = new BatchProgress(jobs.length);
      let current: { index: number; job: Job } | undefined;
      const on = (done: number, what = '') => {
        if (current) progress.move(current.index + done, `${printable(current.job.input)}${what}`);
      };
      await upscaleFiles(jobs, method, {
        overwrite,
        scale,
        maxPixels,
        metadata,
        quality,
        signal,
        onStart: (job, index) => {
          current = { index, job };
          on(0);
        },
        onTile: (done, total) => on(done / total, `  tile ${done}/${total}`),
        onNote: note => progress.line(`note: ${current ? printable(current.job.input) : ''}: ${note}`),
        onWarning: (job, warning) => progress.line(`warning: ${printable(job.input)}: ${warning}`),
        onOutcome: outcome => {
          counts[outcome.state]++;
          const line = sentence(outcome);
          if (line !== undefined) progress.line(line);
        },
      });
    });
  } finally {
    const { done, skipped, failed } = counts;
    summarize(counts, jobs.length + refused.length - done - skipped - failed, options);
  }
  return counts.failed === 0 ? 0 : 1;
}

type Counts = Record<Outcome['state'], number>;

/** The last line, also of a run that was stopped: then so many pictures are `left`. */
function summarize({ done, skipped, failed }: Counts, left: number, { overwrite }: UpscaleOptions): void {
  const again = overwrite ? '' : ': the same command goes on';
  const rest = left === 0 ? '' : `, ${left} left${again}`;
  const hint = skipped === 0 ? '' : '; results that exist are kept, --overwrite replaces them';
  process.stdout.write(`${done} enlarged, ${skipped} skipped, ${failed} failed${rest}${hint}\n`);
}

/**
 * @returns whether `-o` names one file.
 * @throws UsageError for options that cannot be meant.
 */
async function check({ out, name, format, quality }: UpscaleOptions): Promise<boolean> {
  if (out === '') throw new UsageError('-o: is empty, name a folder or a file');
  const oneFile = await namesFile(out);
  // Who names a file of another format wants no folder of that name.
  if (isOtherPicture(out) && !(await namesFolder(out))) {
    throw new UsageError(`-o ${out}: this format cannot be written: ${OUTPUT_EXTENSIONS.join(', ')}, or name a folder`);
  }
  if (oneFile && format !== undefined) throw new UsageError(`--format: the ending of -o ${out} says it`);
  if (oneFile && name !== undefined) throw new UsageError(`--name: -o ${out} is the name`);
  const problem = name === undefined ? undefined : templateProblem(name);
  if (problem !== undefined) throw new UsageError(`--name ${name}: ${problem}`);
  if (quality === undefined) return oneFile;
  const ending = oneFile ? extname(out).toLowerCase() : `.${format ?? 'png'}`;
  if (ending !== '.same' && !LOSSY.includes(ending)) {
    throw new UsageError(`--quality: ${ending.slice(1)} files lose nothing, choose another --format`);
  }
  return oneFile;
}

async function allThere(jobs: readonly Job[]): Promise<boolean> {
  // What no name can be of is told of in its turn.
  for (const { output } of jobs) if (!(await isThere(output).catch(() => true))) return false;
  return true;
}

/** What a line says of an outcome; pictures that are skipped are only counted. */
function sentence(outcome: Outcome): string | undefined {
  const { input, output } = outcome.job;
  if (outcome.state === 'skipped') return undefined;
  if (outcome.state === 'failed') return `failed: ${failureOf(outcome.error, input)}`;
  const { from, to, tiling, seconds, convertedFrom } = outcome;
  const tiles =
    tiling && tiling.count > 1 ? `, ${tiling.count} tiles of ${tiling.window.width}x${tiling.window.height}` : '';
  const colours = convertedFrom === undefined ? '' : `, colours of "${convertedFrom}" to sRGB`;
  return `${printable(input)} ${from} -> ${printable(output)} ${to}${colours}${tiles}, ${seconds.toFixed(1)} s`;
}

/** What went wrong; errors of pictures name a file themselves. */
function failureOf(error: Error, input: string): string {
  return 'file' in error ? lineOf(error) : `${printable(input)}: ${lineOf(error)}`;
}

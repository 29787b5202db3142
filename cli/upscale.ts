/** `daybreak upscale`: enlarges picture files and folders of them. */

import { extname } from 'node:path';
import { type Command, Option } from 'commander';
import { type Existing, namesFile, type Outcome, planBatch, upscaleFiles } from '../eval/batch.node.ts';
import { PICTURE_EXTENSIONS } from '../image/formats.ts';
import { BatchProgress } from './batch-progress.ts';
import { lineOf, UsageError } from './failures.ts';
import { interruptible } from './interrupt.ts';
import { addMethodOptions, addModelOption, gpuOf, type MethodOptions, openMethod } from './open-method.ts';

interface UpscaleOptions extends MethodOptions {
  readonly model: string;
  readonly out: string;
  readonly suffix: string;
  readonly overwrite?: boolean;
  readonly skipExisting?: boolean;
}

const EXAMPLES = `
Examples:
  daybreak upscale photo.png -o photo-large.png
  daybreak upscale holiday/ scans/ -o large --model runs/first/checkpoints/best/model.safetensors
A folder's pictures are found in its subfolders too, and its tree is repeated in
the output folder.`;

/** Adds `upscale` to the program. */
export function addUpscaleCommand(program: Command): void {
  const command = program
    .command('upscale')
    .description(
      'Enlarge pictures four times, with a network or an interpolation. PNG and JPEG in, PNG out; alpha kept.',
    )
    .argument('<in...>', 'pictures, or folders of pictures')
    .requiredOption('-o, --out <path>', 'a folder, or for one picture a file that ends in .png');
  addMethodOptions(addModelOption(command))
    .option('--suffix <text>', "ends the results' names in a folder", '_x4')
    .addOption(new Option('--overwrite', 'replace results that exist').conflicts('skipExisting'))
    .option('--skip-existing', 'leave pictures alone whose result exists')
    .addHelpText('after', EXAMPLES)
    .action(async (inputs: string[], options: UpscaleOptions) => {
      process.exitCode = await upscale(inputs, options);
    });
}

/** @returns 0 where every picture was enlarged or skipped as asked, else 1. */
async function upscale(inputs: readonly string[], options: UpscaleOptions): Promise<number> {
  const { out, suffix } = options;
  if (!namesFile(out) && PICTURE_EXTENSIONS.includes(extname(out).toLowerCase())) {
    throw new UsageError(`-o ${out}: results are PNG files, name one that ends in .png`);
  }
  if (/[\\/]/.test(suffix)) throw new UsageError(`--suffix ${suffix}: is part of a file's name, no slashes`);
  const { jobs, refused } = await planBatch(inputs, out, suffix);
  if (namesFile(out) && jobs.length + refused.length > 1) {
    throw new UsageError(`-o ${out} names one file, but there are several pictures: name a folder`);
  }
  for (const error of refused) process.stderr.write(`failed: ${lineOf(error)}\n`);
  if (jobs.length === 0) return 1;
  const { method, scale } = await openMethod(options.model, options, gpuOf(options));
  const existing: Existing = options.overwrite ? 'overwrite' : options.skipExisting ? 'skip' : 'refuse';
  const counts = { done: 0, skipped: 0, failed: refused.length };
  await interruptible('Stopping after this tile.', async signal => {
    using progress = new BatchProgress(jobs.length);
    let current = { index: 0, input: '' };
    const outcomes = upscaleFiles(jobs, method, {
      existing,
      scale,
      signal,
      onStart: (job, index) => {
        current = { index, input: job.input };
        progress.move(index, job.input);
      },
      onTile: (done, total) => progress.move(current.index + done / total, `${current.input}  tile ${done}/${total}`),
    });
    for await (const outcome of outcomes) {
      counts[outcome.state]++;
      progress.line(sentence(outcome));
    }
  });
  const { done, skipped, failed } = counts;
  process.stdout.write(`${done} enlarged, ${skipped} skipped, ${failed} failed\n`);
  return failed === 0 ? 0 : 1;
}

function sentence(outcome: Outcome): string {
  const { input, output } = outcome.job;
  if (outcome.state === 'skipped') return `skipped: ${output} exists`;
  if (outcome.state === 'failed') return `failed: ${lineOf(outcome.error)}`;
  return `${input} ${outcome.from} -> ${output} ${outcome.to}, ${outcome.seconds.toFixed(1)} s`;
}

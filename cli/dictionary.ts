/** `daybreak dictionary`: collects example patches from training pictures. */

import { join } from 'node:path';
import type { Command } from 'commander';
import { count, counted } from '../common/text.ts';
import { writeDictionary } from '../eval/dictionary-file.node.ts';
import { findPictures } from '../eval/find-pictures.node.ts';
import { checkFile } from '../files/output.node.ts';
import { toYcbcr } from '../image/colour.ts';
import { ImageError } from '../image/errors.ts';
import { isThere, readPicture } from '../image/files.node.ts';
import { type Picture, splitAlpha } from '../image/picture.ts';
import type { Plane } from '../image/plane.ts';
import { DictionaryBuilder } from '../methods/patch-dictionary.ts';
import { naturalNumber, positiveInteger } from './arguments.ts';
import { UsageError } from './failures.ts';
import { interruptible } from './interrupt.ts';
import { BatchProgress } from './progress.ts';

interface DictionaryOptions {
  readonly out: string;
  readonly patches: number;
  readonly seed: number;
  readonly recursive?: boolean;
  readonly overwrite?: boolean;
}

const EXAMPLES = `
Reads the pictures of a folder, and keeps pairs of patches at random: 7x7 pixels of an
enlarged picture, and the detail that its 5x5 pixels in the middle lack. freeman and
markov find detail in them. The same pictures and seed give the same file.

Examples:
  daybreak dictionary photos -o patches.safetensors
  daybreak upscale photo.png -o big.png --model freeman --dictionary patches.safetensors`;

/** Adds `dictionary` to the program. */
export function addDictionaryCommand(program: Command): void {
  program
    .command('dictionary')
    .description('Collect example patches from pictures, for freeman and markov.')
    .argument('<dir>', 'training pictures')
    .requiredOption('-o, --out <file>', 'the dictionary, a .safetensors file')
    .option('--patches <n>', 'the largest number of patches', positiveInteger, 100_000)
    .option('--seed <n>', 'chooses the patches', naturalNumber, 0)
    .option('-r, --recursive', 'include subfolders')
    .option('--overwrite', 'replace an existing file')
    .addHelpText('after', EXAMPLES)
    .action(async (folder: string, options: DictionaryOptions) => {
      process.exitCode = await interruptible('Stopping after this picture.', signal =>
        collect(folder, options, signal),
      );
    });
}

/**
 * @returns 0 if every picture was read, otherwise 1.
 * @throws UsageError if the file exists; ImageError if no picture has patches; FileError if it cannot be written.
 */
async function collect(
  folder: string,
  { out, patches, seed, recursive = false, overwrite }: DictionaryOptions,
  signal: AbortSignal,
): Promise<number> {
  if (!out.endsWith('.safetensors')) throw new UsageError(`--out: expected a .safetensors file, got ${out}`);
  if (!overwrite && (await isThere(out))) throw new UsageError(`--out: ${out} exists: use --overwrite to replace it`);
  await checkFile(out);
  const { pictures, refused } = await findPictures(folder, { recursive });
  const builder = new DictionaryBuilder(patches, seed);
  let failed = refused.length;
  {
    using progress = new BatchProgress(pictures.length);
    for (const error of refused) progress.line(`skipped: ${error.message}`);
    for (const [done, name] of pictures.entries()) {
      signal.throwIfAborted();
      progress.update(done, name);
      try {
        builder.add(lumaOf(await readPicture(join(folder, name))));
      } catch (error) {
        if (!(error instanceof ImageError)) throw error;
        failed++;
        progress.line(`skipped: ${error.message}`);
      }
      // Signals are handled between pictures.
      await new Promise(resolve => setTimeout(resolve, 0));
    }
  }
  signal.throwIfAborted();
  const dictionary = builder.finish();
  if (dictionary.count === 0) throw new ImageError(folder, 'no picture here has patches that are not flat');
  const used = pictures.length + refused.length - failed;
  await writeDictionary(out, dictionary, { pictures: String(used), seed: String(seed) });
  const of = `of ${count(builder.seen)} from ${counted(used, 'picture')}${failed === 0 ? '' : `, ${failed} skipped`}`;
  process.stdout.write(`${out}: ${counted(dictionary.count, 'patch', 'patches')} ${of}\n`);
  return failed === 0 ? 0 : 1;
}

/** Luma of colours, or a grey picture's samples: what `enlargeLuma` gives to methods. */
function lumaOf(picture: Picture): Plane {
  const { colour } = splitAlpha(picture);
  const { width, height } = colour;
  if (colour.channels === 1) return { width, height, data: Float64Array.from(colour.data) };
  const { data } = toYcbcr(colour);
  return { width, height, data: Float64Array.from({ length: width * height }, (_, i) => data[3 * i]) };
}

/** `daybreak compare`: shows results of several methods on a data set side by side. */

import { type Command, InvalidArgumentError, Option } from 'commander';
import { compareSet } from '../eval/compare.node.ts';
import type { Region } from '../eval/comparison-region.ts';
import { DATA_HELP, openDataSet } from '../eval/dataset.node.ts';
import { PROTOCOLS, type Protocol } from '../eval/protocols.ts';
import { checkFolder } from '../files/output.node.ts';
import { DEFAULT_PRETRAINED } from '../models/pretrained.ts';
import { positiveInteger } from './arguments.ts';
import { interruptible } from './interrupt.ts';
import { addMethodOptions, addModelsOption, gpuOf, type MethodOptions, openMethods } from './open-method.ts';
import { BatchProgress, percentage } from './progress.ts';

interface CompareOptions extends MethodOptions {
  readonly model: readonly string[];
  readonly data: string;
  readonly out: string;
  readonly protocol: Protocol;
  readonly zoom: number;
  readonly longest: number;
  readonly crop?: Region;
  readonly overwrite?: boolean;
}

const EXAMPLES = `
Writes NAME_compared.png for each picture NAME of the set: LR, the methods in the
order given, and the original; below them the region where the first and the last
method differ most, then labels with PSNR and SSIM of the whole picture. With --crop:
the whole original with the crop marked, and the crops of the methods beside it.

Example:
  daybreak compare --data Set5 --model bicubic --model srresnet --model srgan -o compared
  daybreak compare --data Set5 --crop 100,90,40,40 -o figures`;

/** Adds `compare` to the program. */
export function addCompareCommand(program: Command): void {
  const command = program
    .command('compare')
    .description('Show results of methods side by side, one PNG for each picture of a set.')
    .requiredOption('--data <dir>', DATA_HELP)
    .requiredOption('-o, --out <dir>', 'a folder');
  addMethodOptions(addModelsOption(command, ['bicubic', DEFAULT_PRETRAINED]))
    .addOption(
      new Option('--protocol <name>', 'protocol of the scores').choices(Object.keys(PROTOCOLS)).default('matlab'),
    )
    .option('--zoom <n>', 'magnification of the region that differs most; 1: none', positiveInteger, 4)
    .option('--longest <px>', 'longest side shown; larger originals are cropped', positiveInteger, 320)
    .option('--crop <x,y,w,h>', 'show this crop of the original instead, with the whole picture beside it', cropOf)
    .option('--overwrite', 'replace existing pictures')
    .addHelpText('after', EXAMPLES)
    .action(async (options: CompareOptions) => {
      process.exitCode = await compare(options);
    });
}

function cropOf(text: string): Region {
  const numbers = text.split(',').map(part => (/^\d+$/.test(part.trim()) ? Number(part) : Number.NaN));
  const [x, y, width, height] = numbers;
  if (numbers.length !== 4 || numbers.some(Number.isNaN) || width === 0 || height === 0)
    throw new InvalidArgumentError('expected x,y,width,height in pixels of the original, such as 40,60,48,32.');
  return { x, y, width, height };
}

/** @returns 0 if every picture was compared, otherwise 1. */
async function compare({ data, out, model, overwrite, ...options }: CompareOptions): Promise<number> {
  const set = await openDataSet(data);
  await checkFolder(out);
  const gpu = gpuOf(options);
  const methods = await openMethods(model, options, gpu);
  const { protocol, zoom, longest, crop } = options;
  let written = 0;
  let skipped = 0;
  await interruptible('Stopping after this tile.', async signal => {
    const total = set.entries.length;
    using progress = new BatchProgress(total);
    let current = { index: 0, name: '' };
    const paths = compareSet(set, methods, out, {
      protocol,
      zoom,
      longest,
      crop,
      overwrite,
      signal,
      onSkip: error => {
        skipped++;
        progress.line(`skipped: ${error.message}`);
      },
      onNote: note => progress.line(`note: ${note}`),
      onStart: (name, index) => {
        current = { index, name };
        progress.update(index, name);
      },
      onTile: (done, tiles) => progress.update(current.index, `${current.name}  tile ${done}/${tiles}`),
      onProgress: (done, all) => progress.update(current.index, `${current.name}  ${percentage(done, all)}`),
    });
    for await (const path of paths) {
      written++;
      progress.line(path);
    }
  });
  process.stdout.write(`${written} compared, ${skipped} skipped\n`);
  return written > 0 && skipped === 0 ? 0 : 1;
}

/** `daybreak compare`: shows results of several methods on a data set side by side. */

import { stat } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { byteSize } from '../common/text.ts';
import { compareSet } from '../eval/compare.node.ts';
import { ComparisonPage } from '../eval/comparison-page/page.node.ts';
import type { Region } from '../eval/comparison-region.ts';
import { DATA_HELP, openDataSet } from '../eval/dataset.node.ts';
import { PROTOCOLS, type Protocol } from '../eval/protocols.ts';
import { checkFolder } from '../files/output.node.ts';
import { DEFAULT_PRETRAINED } from '../models/pretrained.ts';
import { positiveInteger } from './arguments.ts';
import { UsageError } from './failures.ts';
import { interruptible } from './interrupt.ts';
import { addMethodOptions, addModelsOption, gpuOf, type MethodOptions, openMethods } from './open-method.ts';
import { BatchProgress, percentage } from './progress.ts';

interface CompareOptions extends MethodOptions {
  readonly model: readonly string[];
  readonly data: string;
  readonly out?: string;
  readonly html?: string;
  readonly protocol: Protocol;
  readonly zoom: number;
  readonly longest: number;
  readonly crop?: Region;
  readonly overwrite?: boolean;
}

const EXAMPLES = `
-o writes NAME_compared.png for each picture NAME of the set: LR, the methods in the
order given, and the original; below them the region where the first and the last
method differ most, then labels with PSNR and SSIM of the whole picture. With --crop:
the whole original with the crop marked, and the crops of the methods beside it.

--html writes one page with all pictures. It shows any two of LR, methods and original
on each other, with a boundary to drag between them, and zooms into both at once. With
--crop it opens there. The page is one file that loads nothing.

Examples:
  daybreak compare --data Set5 --model bicubic --model srresnet --model srgan -o compared
  daybreak compare --data Set5 --model bicubic --model srresnet --html compared.html
  daybreak compare --data Set5 --crop 100,90,40,40 -o figures`;

/** Adds `compare` to the program. */
export function addCompareCommand(program: Command): void {
  const command = program
    .command('compare')
    .description('Show results of methods on a set side by side: as PNGs, or on a page with a slider.')
    .requiredOption('--data <dir>', DATA_HELP)
    .option('-o, --out <dir>', 'a folder for one PNG for each picture')
    .option('--html <file>', 'an HTML page with all pictures');
  addMethodOptions(addModelsOption(command, ['bicubic', DEFAULT_PRETRAINED]))
    .addOption(
      new Option('--protocol <name>', 'protocol of the scores').choices(Object.keys(PROTOCOLS)).default('matlab'),
    )
    .option('--zoom <n>', 'PNGs: magnification of the region that differs most; 1: none', positiveInteger, 4)
    .option('--longest <px>', 'PNGs: longest side shown; larger originals are cropped', positiveInteger, 320)
    .option('--crop <x,y,w,h>', 'show this crop of the original instead, with the whole picture beside it', cropOf)
    .option('--overwrite', 'replace existing files')
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
async function compare({ data, out, html, model, overwrite, ...options }: CompareOptions): Promise<number> {
  if (out === undefined && html === undefined) {
    throw new UsageError('nowhere to write to: expected -o with a folder for PNGs, --html with a file, or both');
  }
  if (html === '') throw new UsageError('--html: expected a file, got an empty path');
  const set = await openDataSet(data);
  if (out !== undefined) await checkFolder(out);
  const { protocol, zoom, longest, crop } = options;
  const methods = await openMethods(model, options, gpuOf(options));
  const labels = methods.map(({ label }) => label);
  const title = basename(resolve(data));
  await using page =
    html === undefined ? undefined : await ComparisonPage.create(html, { title, labels, protocol, crop, overwrite });
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
      onRow: page && (row => page.add(row)),
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
    if (!page || html === undefined || page.pictures === 0) return;
    await page.finish();
    progress.line(`${html}  ${byteSize((await stat(html)).size)}`);
  });
  const compared = page?.pictures ?? written;
  process.stdout.write(`${compared} compared, ${skipped} skipped\n`);
  return compared > 0 && skipped === 0 ? 0 : 1;
}

/** `daybreak eval`: scores a method on a data set, as a table and as JSON. */

import type { Command } from 'commander';
import { openDataSet, readPairs } from '../eval/dataset.node.ts';
import { type Evaluation, evaluate } from '../eval/evaluate.ts';
import { ImageError } from '../image/errors.ts';
import { writeAtomically } from '../image/files.node.ts';
import { BatchProgress } from './batch-progress.ts';
import { interruptible } from './interrupt.ts';
import { addMethodOptions, type MethodOptions, openMethod } from './open-method.ts';
import { scoreTable } from './score-table.ts';

interface EvalOptions extends MethodOptions {
  readonly data: string;
  readonly json?: string;
}

const FORMAT = `
The JSON: {"adapter","model","data",
  "images":[{"name","psnr","ssim","psnr_paper","ssim_paper"}],"mean":{…}}
adapter is null for interpolations (they run on the CPU), a PSNR is null where
result and original are equal.

Examples:
  daybreak eval --data Set5 --model bicubic
  daybreak eval --data photos --model model.safetensors --json scores.json`;

/** Adds `eval` to the program. */
export function addEvalCommand(program: Command): void {
  const command = program
    .command('eval')
    .description(
      "Score a method: PSNR and SSIM on luma, by most papers' protocol (matlab) and by Ledig et al.'s (paper).",
    )
    .requiredOption('--data <dir>', 'holds HR/*.png and optionally LRx4/*.png, or just pictures');
  addMethodOptions(command)
    .option('--json <file>', 'write the scores there; - prints them instead of the table')
    .addHelpText('after', FORMAT)
    .action(async (options: EvalOptions) => await interruptible('Stopping.', signal => score(options, signal)));
}

/** @throws ImageError where no picture of the data set could be used. */
async function score(options: EvalOptions, signal: AbortSignal): Promise<void> {
  const set = await openDataSet(options.data);
  const { method, adapter } = await openMethod(options);
  const total = set.entries.length;
  let skipped = 0;
  let result: Evaluation;
  {
    using progress = new BatchProgress(total);
    const onSkip = (error: ImageError) => {
      skipped++;
      progress.line(`skipped: ${error.message}`);
    };
    let seen = 0;
    result = await evaluate(method, readPairs(set, { onSkip, signal }), {
      signal,
      onTile: (done, tiles) => progress.move(seen + done / tiles, `tile ${done}/${tiles}`),
      onPicture: (one, index) => {
        seen = index + 1;
        progress.move(seen, one.name);
        progress.plain(`${seen}/${total} ${one.name}`);
      },
    });
  }
  const { images, mean } = result;
  if (!mean) throw new ImageError(options.data, `none of the ${skipped} pictures here can be scored`);
  const left = skipped === 0 ? '' : `, ${skipped} skipped`;
  const title = `${options.model} on ${options.data}: ${images.length} pictures${left}; ${set.origin}`;
  const json = JSON.stringify({ adapter: adapter ?? null, model: options.model, data: options.data, images, mean });
  if (options.json === '-') {
    process.stdout.write(`${json}\n`);
    return;
  }
  if (options.json !== undefined) await writeAtomically(options.json, Buffer.from(`${json}\n`));
  process.stdout.write(`${title}${adapter ? `; ${adapter}` : ''}\n${scoreTable(images, mean)}\n`);
}

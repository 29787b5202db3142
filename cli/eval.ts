/** `daybreak eval`: scores methods on a data set, as a table and as JSON. */

import type { Command } from 'commander';
import { type DataSet, openDataSet, readPairs } from '../eval/dataset.node.ts';
import { type Evaluation, evaluate, type Measure } from '../eval/evaluate.ts';
import { ImageError } from '../image/errors.ts';
import { writeAtomically } from '../image/files.node.ts';
import { DEFAULT_PRETRAINED } from '../models/pretrained.ts';
import { BatchProgress } from './batch-progress.ts';
import { interruptible } from './interrupt.ts';
import {
  addMethodOptions,
  addModelsOption,
  type Gpu,
  gpuOf,
  type MethodOptions,
  type OpenedMethod,
  openMethod,
} from './open-method.ts';
import { methodTable, scoreTable } from './score-table.ts';
import { addTextureOptions, openMeasure, type TextureOptions } from './texture-options.ts';

interface EvalOptions extends MethodOptions, TextureOptions {
  readonly model: readonly string[];
  readonly data: string;
  readonly json?: string;
}

/** A method's scores on all pictures. */
interface Scored extends OpenedMethod {
  readonly images: Evaluation['images'];
  readonly mean: NonNullable<Evaluation['mean']>;
}

const FORMAT = `
The JSON: {"adapter","model","data",
  "images":[{"name","psnr","ssim","psnr_paper","ssim_paper"}],"mean":{…}}
adapter is null for interpolations (they run on the CPU), a PSNR is null where
result and original are equal. --texture and --vgg add "texture" and "vgg_distance"
to each picture and the mean. Of several models: {"data","methods":[{"adapter",
"model","images","mean"}]}, in the order given.

Examples:
  daybreak eval --data Set5
  daybreak eval --data Set5 --model bicubic --model srresnet --model srgan --texture
  daybreak eval --data photos --model model.safetensors --json scores.json`;

/** Adds `eval` to the program. */
export function addEvalCommand(program: Command): void {
  const command = program
    .command('eval')
    .description(
      "Score methods: PSNR and SSIM on luma, by most papers' protocol (matlab) and by Ledig et al.'s (paper).",
    )
    .requiredOption('--data <dir>', 'holds HR/*.png and optionally LRx4/*.png, or just pictures');
  addTextureOptions(addMethodOptions(addModelsOption(command, [DEFAULT_PRETRAINED])))
    .option('--json <file>', 'write the scores there; - prints them instead of the table')
    .addHelpText('after', FORMAT)
    .action(async (options: EvalOptions) => await interruptible('Stopping.', signal => score(options, signal)));
}

/** @throws ImageError where no picture of the data set could be used. */
async function score(options: EvalOptions, signal: AbortSignal): Promise<void> {
  const set = await openDataSet(options.data);
  const gpu = gpuOf(options);
  const methods: OpenedMethod[] = [];
  for (const model of options.model) methods.push(await openMethod(model, options, gpu));
  const measure = await openMeasure(options, gpu);
  const { scored, skipped } = await scoreAll(methods, set, measure?.measure, signal);
  const results = scored.map(({ adapter, model, images, mean }) => ({ adapter: adapter ?? null, model, images, mean }));
  const [{ adapter, model, ...figures }, ...more] = results;
  const { data } = options;
  const json = JSON.stringify(more.length === 0 ? { adapter, model, data, ...figures } : { data, methods: results });
  if (options.json === '-') {
    process.stdout.write(`${json}\n`);
    return;
  }
  if (options.json !== undefined) await writeAtomically(options.json, Buffer.from(`${json}\n`));
  const left = skipped === 0 ? '' : `, ${skipped} skipped`;
  const on = await gpuNamed(scored, gpu);
  const title = `${options.model.join(', ')} on ${data}: ${figures.images.length} pictures${left}; ${set.origin}${on}`;
  const rows = scored.map(({ label, mean }) => ({ name: label, ...mean }));
  const table =
    more.length === 0
      ? scoreTable(figures.images, figures.mean, measure?.distance)
      : methodTable(rows, measure?.distance);
  process.stdout.write(`${title}\n${table}\n`);
}

/** Each method over all pictures, with progress on stderr. Pictures that are left out are told of once. */
async function scoreAll(
  methods: readonly OpenedMethod[],
  set: DataSet,
  measure: Measure | undefined,
  signal: AbortSignal,
): Promise<{ scored: Scored[]; skipped: number }> {
  const pictures = set.entries.length;
  const total = pictures * methods.length;
  const scored: Scored[] = [];
  const skipped = new Set<string>();
  let seen = 0;
  using progress = new BatchProgress(total);
  for (const [index, method] of methods.entries()) {
    const of = methods.length === 1 ? '' : `${method.label}: `;
    const onSkip = ({ file, message }: ImageError) => {
      if (!skipped.has(file)) progress.line(`skipped: ${message}`);
      skipped.add(file);
    };
    seen = index * pictures;
    const { images, mean } = await evaluate(method.method, readPairs(set, { onSkip, signal }), {
      signal,
      measure,
      onTile: (done, tiles) => progress.move(seen + done / tiles, `${of}tile ${done}/${tiles}`),
      onPicture: ({ name }) => {
        seen++;
        progress.move(seen, `${of}${name}`);
        progress.plain(`${seen}/${total} ${of}${name}`);
      },
    });
    if (!mean) throw new ImageError(set.folder, `none of the ${skipped.size} pictures here can be scored`);
    scored.push({ ...method, images, mean });
  }
  return { scored, skipped: skipped.size };
}

/** The adapter, where one of the methods ran on it. */
async function gpuNamed(scored: readonly Scored[], gpu: Gpu): Promise<string> {
  return scored.some(({ adapter }) => adapter !== undefined) ? `; ${(await gpu()).adapter}` : '';
}

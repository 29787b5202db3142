/** `daybreak eval`: scores methods on a data set, as a table and as JSON. */

import { type Command, Option } from 'commander';
import { counted } from '../common/text.ts';
import { DATA_HELP, type DataSet, LOW_MAKERS, type LowMaker, openDataSet, readPairs } from '../eval/dataset.node.ts';
import { type Evaluation, evaluateMethods, type Measure, type Results } from '../eval/evaluate.ts';
import type { Method } from '../eval/methods.ts';
import { openResults } from '../eval/results.node.ts';
import { checkFile, writeText } from '../files/output.node.ts';
import { ImageError } from '../image/errors.ts';
import { DEFAULT_PRETRAINED } from '../models/pretrained.ts';
import { collect } from './arguments.ts';
import { interruptible } from './interrupt.ts';
import {
  addMethodOptions,
  addModelsOption,
  type Gpu,
  gpuOf,
  type MethodOptions,
  type OpenedMethod,
  openMethods,
} from './open-method.ts';
import { BatchProgress, percentage } from './progress.ts';
import { methodTable, scoreTable } from './score-table.ts';
import { addTextureOptions, openMeasure, type TextureOptions } from './texture-options.ts';

interface EvalOptions extends MethodOptions, TextureOptions {
  readonly model: readonly string[];
  readonly data: string;
  readonly results?: readonly string[];
  readonly lr?: LowMaker;
  readonly json?: string;
}

/** A row: a method to run, or results that exist already. */
interface Row extends Pick<OpenedMethod, 'model' | 'label' | 'adapter'> {
  readonly method: Method | Results;
}

/** A row's scores on all pictures. */
interface Scored extends Row {
  readonly images: Evaluation['images'];
  readonly mean: NonNullable<Evaluation['mean']>;
}

/** A skipped file and the reason, for the JSON. */
interface Skipped {
  readonly file: string;
  readonly reason: string;
}

const FORMAT = `
The folder has the layout of a published set: HR/ with LRx4/, LRbicx4/ or
LR_bicubic/X4/ (baby.png or babyx4.png), DIV2K_valid_HR/ with
DIV2K_valid_LR_bicubic/X4/, image_SRF_4/ with NAME_HR.png beside NAME_LR.png; or it
holds only pictures, whose LR are made by bicubic. Skipped files are reported, and
the exit code is then 1.

A result identical to its original has a PSNR of ∞. The mean PSNR excludes it, the
mean SSIM includes it.

--results scores pictures that any program made, instead of running a model: a folder
of them, or one with a folder for each method. Names begin with the original's
(baby.png, babyx4.png, baby_SRGAN.png, baby_x4_SwinIR.png); different endings are
different methods. With --model both are scored.

The JSON: {"adapter","model","data",
  "images":[{"name","psnr","ssim","psnr_paper","ssim_paper"}],"mean":{…}}
adapter is null for methods that run on the CPU. A PSNR is null if result
and original are identical; the mean then has "identical" and "identical_paper",
the numbers of pictures excluded from psnr and psnr_paper. --rgb, --niqe,
--texture and --vgg add "psnr_rgb", "niqe", "texture" and "vgg_distance" to each
picture and the mean (and "identical_rgb", the number excluded from the mean
psnr_rgb). NIQE needs at least two blocks of 96x96 pixels: smaller pictures have
none, and then neither has the mean. Skipped files are in
"skipped":[{"file","reason"}]. With several models:
{"data","methods":[{"adapter","model","images","mean"}]}, in the order given; for
results, model is the row's label, and "results" their folder.

Examples:
  daybreak eval --data Set5
  daybreak eval --data Set5 --model bicubic --model srresnet --model srgan --texture
  daybreak eval --data Set5 --results SRGAN-VGG54 --results SRResNet-MSE
  daybreak eval --data photos --model model.safetensors --json scores.json`;

/** Adds `eval` to the program. */
export function addEvalCommand(program: Command): void {
  const command = program
    .command('eval')
    .description("Score methods: PSNR and SSIM on luma, by most papers' protocol (matlab) and Ledig et al.'s (paper).")
    .requiredOption('--data <dir>', DATA_HELP);
  addTextureOptions(addMethodOptions(addModelsOption(command, [DEFAULT_PRETRAINED])))
    .option('--results <dir>', 'score the pictures in this folder; may be repeated', collect)
    .addOption(
      new Option('--lr <program>', "make the LR pictures by this program's bicubic, even if the set has some").choices(
        LOW_MAKERS,
      ),
    )
    .option('--json <file>', 'write the scores to this file; - prints them instead of the table')
    .addHelpText('after', FORMAT)
    .action(async (given: EvalOptions, self: Command) => {
      // With results no model runs unless one is named.
      const unnamed = self.getOptionValueSource('model') === 'default';
      const model = given.results !== undefined && unnamed ? [] : given.model;
      process.exitCode = await interruptible('Stopping.', signal => score({ ...given, model }, signal));
    });
}

/**
 * @returns 0 if every picture was scored, otherwise 1.
 * @throws ImageError if no picture can be scored, FileError if the JSON cannot be written. Writing is checked before any
 * work is done, and the table is printed before writing.
 */
async function score(options: EvalOptions, signal: AbortSignal): Promise<number> {
  const { data, json: file } = options;
  if (file !== undefined && file !== '-') await checkFile(file);
  const set = await openDataSet(data, options.lr);
  const gpu = gpuOf(options);
  const methods = await openMethods(options.model, options, gpu);
  const results = await resultsOf(options.results ?? [], set);
  const measure = await openMeasure(options, gpu);
  const { scored, skipped } = await scoreAll([...methods, ...results], set, measure?.measure, signal);
  const code = skipped.length === 0 ? 0 : 1;
  const json = `${JSON.stringify(reportOf(data, scored, skipped))}\n`;
  if (file === '-') {
    process.stdout.write(json);
    return code;
  }
  const [{ images, mean }] = scored;
  const pictures = counted(images.length, 'picture');
  const rest = skipped.length === 0 ? '' : `, ${skipped.length} skipped`;
  const on = await gpuNote(scored, gpu);
  const title = `${scored.map(({ label }) => label).join(', ')} on ${data}: ${pictures}${rest}; ${set.origin}${on}`;
  const means = scored.map(one => ({ ...one, pictures: one.images.length }));
  const table =
    scored.length === 1 ? scoreTable(images, mean, measure?.distance) : methodTable(means, measure?.distance);
  process.stdout.write(`${title}\n${table}\n`);
  if (file !== undefined) await writeText(file, json);
  return code;
}

function reportOf(data: string, scored: readonly Scored[], skipped: readonly Skipped[]): object {
  const results = scored.map(({ adapter, model, label, method, images, mean }) => ({
    adapter: adapter ?? null,
    ...(typeof method === 'function' ? { model } : { model: label, results: model }),
    images,
    mean,
  }));
  const [{ adapter, model, ...figures }] = results;
  const report = results.length === 1 ? { adapter, model, data, ...figures } : { data, methods: results };
  return skipped.length === 0 ? report : { ...report, skipped };
}

/** Scores each picture with all methods. Shows progress on stderr. */
async function scoreAll(
  methods: readonly Row[],
  set: DataSet,
  measure: Measure | undefined,
  signal: AbortSignal,
): Promise<{ scored: Scored[]; skipped: readonly Skipped[] }> {
  const total = set.entries.length * methods.length;
  const skipped: Skipped[] = [];
  using progress = new BatchProgress(total);
  const onNote = (note: string) => progress.line(`note: ${note}`);
  const onSkip = ({ file, reason, message }: ImageError) => {
    progress.line(`skipped: ${message}`);
    skipped.push({ file, reason });
  };
  for (const note of set.notes) onNote(note);
  const pairs = readPairs(set, { onSkip, onNote, signal });
  const evaluations = await evaluateMethods(
    methods.map(({ method }) => method),
    pairs,
    (index, picture) => {
      const prefix = methods.length === 1 ? '' : `${methods[index].label}: `;
      const done = picture * methods.length + index;
      return {
        signal,
        measure,
        onNote,
        onSkip,
        onTile: (tile, tiles) => progress.update(done + tile / tiles, `${prefix}tile ${tile}/${tiles}`),
        onProgress: (part, all) => progress.update(done + part / all, `${prefix}${percentage(part, all)}`),
        onPicture: ({ name }) => {
          progress.update(done + 1, `${prefix}${name}`);
          progress.lineWithoutBar(`${done + 1}/${total} ${prefix}${name}`);
        },
      };
    },
  );
  const scored = methods.flatMap((method, i): Scored[] => {
    const { images, mean } = evaluations[i];
    return mean ? [{ ...method, images, mean }] : [];
  });
  if (scored.length === 0)
    throw new ImageError(set.folder, `no picture here can be scored (${skipped.length} skipped)`);
  return { scored, skipped };
}

/** The rows of result folders. Labels that are equal get their folders' names. */
async function resultsOf(folders: readonly string[], set: DataSet): Promise<Row[]> {
  const originals = set.entries.map(({ name }) => name);
  const onNote = (note: string) => void process.stderr.write(`note: ${note}\n`);
  const all = (await Promise.all(folders.map(folder => openResults(folder, originals, onNote)))).flat();
  return all.map(({ label, folder, results }) => {
    const unique = all.filter(other => other.label === label).length === 1;
    return { model: folder, label: unique ? label : `${folder}: ${label}`, adapter: undefined, method: results };
  });
}

/** "; ADAPTER" if a method ran on it, otherwise empty. */
async function gpuNote(scored: readonly Scored[], gpu: Gpu): Promise<string> {
  return scored.some(({ adapter }) => adapter !== undefined) ? `; ${(await gpu()).adapter}` : '';
}

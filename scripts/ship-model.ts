/**
 * Turns a run's checkpoint into a pretrained network: a float16 file, its card and its registry entry.
 *
 *     npx tsx scripts/ship-model.ts RUN/checkpoints/best/model.safetensors --name srresnet --summary TEXT
 *         --trained-on "PICTURES (LICENCE)" --data Set5 --data Set14 --data BSD100
 */

import { readFile } from 'node:fs/promises';
import { basename, join, resolve, sep } from 'node:path';
import { Command } from 'commander';
import { collect } from '../cli/arguments.ts';
import { runScript } from '../cli/failures.ts';
import { openDevice } from '../cli/open-device.ts';
import { jsonText } from '../common/text.ts';
import { DaybreakError } from '../engine/basics/errors.ts';
import { setCurrentDevice } from '../engine/tensor.ts';
import { openDataSet, readPairs } from '../eval/dataset.node.ts';
import { evaluate } from '../eval/evaluate.ts';
import { interpolation, type Method, network } from '../eval/methods.ts';
import { textureRatio } from '../eval/texture.ts';
import { sha256Of } from '../files/digest.node.ts';
import { writeAtomically } from '../files/write.node.ts';
import { decodeModel, encodeModel } from '../models/model-file.ts';
import type { NetworkModule } from '../models/network.ts';
import { listPretrained, pretrainedFolder } from '../models/pretrained.node.ts';
import {
  DEFAULT_PRETRAINED,
  LARGEST_PRETRAINED,
  type PretrainedModel,
  type PretrainedScores,
  REGISTRY_FILE,
} from '../models/pretrained.ts';
import { readSafetensors } from '../models/safetensors.ts';
import { NetworkUpscaler } from '../models/upscaler.ts';
import { modelCard, pairOf, type SetScores } from './model-card.ts';
import { type RunFacts, runFacts, runOf } from './run-facts.ts';

/** The options of the command line. */
export interface ShipOptions {
  readonly name: string;
  readonly summary: string;
  readonly trainedOn: readonly string[];
  readonly data: readonly string[];
  readonly note: readonly string[];
  readonly licence: string;
  readonly out: string;
}

const program = new Command('ship-model')
  .description("Turn a run's checkpoint into a pretrained network of this project.")
  .argument('<model>', 'RUN/checkpoints/NAME/FILE.safetensors')
  .requiredOption('--name <name>', 'name of the network')
  .requiredOption('--summary <text>', 'what it is good for, in one line')
  .requiredOption('--trained-on <text>', 'training images and their licence; repeatable', collect, [])
  .requiredOption('--data <dir>', 'a set to score on; repeatable', collect, [])
  .option('--note <text>', 'additional note on the training for the card; repeatable', collect, [])
  .option('--licence <text>', 'of the weights', 'MIT, as the project')
  .option('--out <dir>', 'folder of the pretrained networks', pretrainedFolder());

/** Means over a set. */
async function meansOf(method: Method, folder: string): Promise<{ mean: PretrainedScores; pictures: number }> {
  const measure = async (...pair: Parameters<typeof textureRatio>) => ({ texture: textureRatio(...pair) });
  const { images, mean } = await evaluate(method, readPairs(await openDataSet(folder)), { measure });
  if (mean?.texture === undefined) throw new DaybreakError(`${folder}: no image here can be scored.`);
  return { mean: { ...mean, texture: mean.texture }, pictures: images.length };
}

async function scoreSet(folder: string, trained: NetworkModule, shipped: NetworkModule): Promise<SetScores> {
  const set = basename(resolve(folder));
  const of = async (net: NetworkModule) => {
    using upscaler = new NetworkUpscaler(net, set);
    return await meansOf(network(upscaler), folder);
  };
  const { mean: bicubic, pictures } = await meansOf(interpolation('bicubic'), folder);
  const [float32, float16] = [(await of(trained)).mean, (await of(shipped)).mean];
  const digits = ({ psnr, ssim }: PretrainedScores) => pairOf(psnr, ssim);
  console.log(`${set}: float16 ${digits(float16)}, float32 ${digits(float32)}, bicubic ${digits(bicubic)}`);
  return { set, pictures, bicubic, float32, float16 };
}

/** "SRResNet, 8 blocks of 32 channels", and its differences from the paper's. */
function architectureOf({ network, config }: NetworkModule): string {
  const size = network.role === 'upscaler' ? `, ${network.describe(config)}` : '';
  const changed = Object.entries(network.fields).filter(([key, { kind, default: usual }]) => {
    return kind !== 'integer' && config[key] !== usual;
  });
  return `${network.label}${size}${changed.map(([key]) => `, ${key} ${JSON.stringify(config[key])}`).join('')}`;
}

/** Whether a folder equals, contains or is inside one of the others. */
function overlaps(folder: string, others: readonly string[]): boolean {
  const within = (inner: string, outer: string) => inner === outer || inner.startsWith(outer + sep);
  return others.some(other => within(resolve(folder), other) || within(other, resolve(folder)));
}

/** Number of updates that the weights were trained for. @throws DaybreakError if the file does not say. */
function updatesOf(metadata: Readonly<Record<string, string>>, path: string): number {
  const updates = Number(metadata.step);
  if (Number.isSafeInteger(updates) && updates > 0) return updates;
  throw new DaybreakError(`${path}: the metadata has no number of updates ("step").`);
}

/**
 * Scores the checkpoint at `path` and writes the network, its card and the registry into `out`.
 * @throws DaybreakError for a wrong name, a missing option, or pictures that the network was trained on.
 */
export async function ship(
  path: string,
  { name, summary, trainedOn, data, note, licence, out }: ShipOptions,
): Promise<void> {
  if (trainedOn.length === 0 || data.length === 0)
    throw new DaybreakError('--trained-on and --data are required: the card names the images and the scores.');
  if (!/^[a-z][a-z0-9-]*$/.test(name))
    throw new DaybreakError(`--name: expected lowercase letters, digits and hyphens, got ${name}.`);
  using device = await openDevice();
  setCurrentDevice(device);
  const original = await readFile(path);
  const { metadata } = readSafetensors(original, path);
  const run = await runFacts(runOf(path), updatesOf(metadata, path));
  for (const folder of data.filter(folder => overlaps(folder, run.folders)))
    throw new DaybreakError(`${folder}: the network was trained on these images; use another set to score it.`);
  using trained = decodeModel(original, path);
  const bytes = await encodeModel(trained, {
    dtype: 'F16',
    metadata: { ...metadata, ...metadataOf({ name, summary, licence, trainedOn, run }) },
  });
  if (bytes.length > LARGEST_PRETRAINED)
    throw new DaybreakError(`${name}: expected a file of at most ${LARGEST_PRETRAINED} bytes, got ${bytes.length}.`);
  using shipped = decodeModel(bytes, name);
  const sets: SetScores[] = [];
  for (const folder of data) sets.push(await scoreSet(folder, trained, shipped));
  const model: PretrainedModel = {
    name,
    summary,
    architecture: architectureOf(trained),
    parameters: trained.parameterCount,
    file: `${name}.safetensors`,
    card: `${name}.md`,
    bytes: bytes.length,
    sha256: sha256Of(bytes),
    scores: Object.fromEntries(sets.map(({ set, float16 }) => [set, float16])),
  };
  const { network: declared, config } = trained;
  if (declared.role !== 'upscaler') throw new DaybreakError(`${path}: a ${declared.label} does not upscale.`);
  const images = declared.images(config);
  const card = modelCard({ model, images, run, trainedOn, notes: note, licence, sets, scoredOn: device.adapterName });
  const others = (await listPretrained(out).catch(() => [])).filter(other => other.name !== name);
  const all = [...others, model].sort((a, b) => rank(a) - rank(b) || (a.name < b.name ? -1 : 1));
  await writeAtomically(join(out, model.file), bytes);
  await writeAtomically(join(out, model.card), card);
  await writeAtomically(join(out, REGISTRY_FILE), jsonText(all));
  console.log(`${join(out, model.file)}: ${bytes.length} bytes`);
}

const rank = ({ name }: PretrainedModel) => (name === DEFAULT_PRETRAINED ? 0 : 1);

/** Metadata in the file, for when it is separated from its card. */
function metadataOf(
  facts: Pick<ShipOptions, 'name' | 'summary' | 'licence' | 'trainedOn'> & { readonly run: RunFacts },
) {
  const { name, summary, licence, trainedOn, run } = facts;
  const { command, updates, adapters, commits } = run;
  return { name, summary, licence, training: JSON.stringify({ command, updates, data: trainedOn, adapters, commits }) };
}

program.action(async (path: string, options: ShipOptions) => {
  await ship(path, options);
});
if (process.argv[1] === import.meta.filename) await runScript(program);

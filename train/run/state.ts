/** The whole state of a training run as files of a checkpoint, and back. */
import * as z from 'zod';
import type { Discriminator } from '../../models/discriminator.ts';
import { decodeDiscriminator, decodeModel, encodeDiscriminator, encodeModel } from '../../models/model-file.ts';
import type { Module } from '../../models/module.ts';
import { readSafetensors, type WritableTensor, writeSafetensors } from '../../models/safetensors.ts';
import type { SRResNet } from '../../models/srresnet.ts';
import type { Adam } from '../adam.ts';
import { CheckpointError } from '../errors.ts';
import { SELECTIONS, type SelectedBy } from '../report/selection.ts';
import type { Moments, Skipped, Trainer } from '../trainer.ts';
import type { Role } from '../training.ts';

/** What cannot be read from the weights. All of it follows from the updates made, or is a sum of measured times. */
export interface Counters {
  /** Updates so far, those that were skipped included. */
  readonly step: number;
  /** The figure that the checkpoint `best` was chosen by; null before the first evaluation. */
  readonly best: number | null;
  /**
   * Which figure that is, where it is not PSNR in dB: the distance of VGG features, or |1 − texture|. See
   * `selectionOf`.
   */
  readonly bestBy?: Exclude<SelectedBy, 'psnr'>;
  /** Left out where none were. */
  readonly skipped?: Skipped;
}

const whole = z.number().int().min(0);
const CountersSchema: z.ZodType<Counters> = z
  .object({
    step: whole,
    best: z.number().nullable(),
    bestBy: z.enum(SELECTIONS).exclude(['psnr']).exactOptional(),
    skipped: z.object({ all: whole, inRow: whole }).exactOptional(),
  })
  .refine(({ step, skipped: { all, inRow } = { all: 0, inRow: 0 } }) => inRow <= all && all <= step);

/** The networks that a checkpoint holds. */
export interface TrainedNetworks {
  readonly generator: SRResNet;
  readonly discriminator?: Discriminator | undefined;
  /** The generator as it is scored, where that is not the one in training: averaged, or with statistics of its own. */
  readonly scored?: SRResNet | undefined;
}

/** The generator's weights: what `daybreak upscale` takes. */
export const MODEL = 'model.safetensors';
/** Those of the generator that is scored, where it is another: to be preferred. */
export const SCORED = 'model-scored.safetensors';
const DISCRIMINATOR = 'discriminator.safetensors';
const OPTIMIZERS: Readonly<Record<Role, string>> = {
  generator: 'optimizer.safetensors',
  discriminator: 'discriminator-optimizer.safetensors',
};
const STATE = 'state.json';

/** Weights, optimizers and counters; `by`: the figure that chose `best`. The same training gives the same bytes. */
export async function saveState(
  { generator, discriminator, scored }: TrainedNetworks,
  trainer: Trainer,
  best: number | null,
  by: SelectedBy = 'psnr',
): Promise<Map<string, Uint8Array>> {
  const skipped = await trainer.skipped();
  const { step } = trainer;
  const metadata = { step: String(step) };
  const files = new Map<string, Uint8Array>([[MODEL, await encodeModel(generator, { metadata })]]);
  if (scored) files.set(SCORED, await encodeModel(scored, { metadata }));
  if (discriminator) files.set(DISCRIMINATOR, await encodeDiscriminator(discriminator, { metadata }));
  for (const [role, { net, adam }] of trainer.trained) files.set(OPTIMIZERS[role], await optimizerFile(net, adam));
  const bestBy = best !== null && by !== 'psnr' && { bestBy: by };
  const counters: Counters = { step, best, ...bestBy, ...(skipped.all > 0 && { skipped }) };
  return files.set(STATE, new TextEncoder().encode(`${JSON.stringify(counters, null, 2)}\n`));
}

async function optimizerFile(net: Module, adam: Adam): Promise<Uint8Array> {
  const { steps, moments } = await adam.state();
  const tensors = new Map<string, WritableTensor>();
  net.namedParameters().forEach(([name, { shape }], i) => {
    tensors.set(`exp_avg.${name}`, { shape, data: moments[i].first });
    tensors.set(`exp_avg_sq.${name}`, { shape, data: moments[i].second });
  });
  return writeSafetensors(tensors, { optimizer: 'adam', steps: String(steps) });
}

/** The generator of a checkpoint. */
export function restoreGenerator(files: ReadonlyMap<string, Uint8Array>, folder: string): SRResNet {
  return decodeModel(fileOf(files, MODEL, folder), `${folder}/${MODEL}`);
}

/** A checkpoint's generator as it is scored. */
export function restoreScored(files: ReadonlyMap<string, Uint8Array>, folder: string): SRResNet {
  return decodeModel(fileOf(files, SCORED, folder), `${folder}/${SCORED}`);
}

/** The discriminator of a checkpoint. */
export function restoreDiscriminator(files: ReadonlyMap<string, Uint8Array>, folder: string): Discriminator {
  return decodeDiscriminator(fileOf(files, DISCRIMINATOR, folder), `${folder}/${DISCRIMINATOR}`);
}

/** Puts the optimizers and the counters of a checkpoint into a trainer of the restored networks. */
export function restoreTrainer(files: ReadonlyMap<string, Uint8Array>, folder: string, trainer: Trainer): Counters {
  const moments: Partial<Record<Role, Moments>> = {};
  for (const [role, { net }] of trainer.trained) moments[role] = momentsOf(files, folder, OPTIMIZERS[role], net);
  const counters = countersOf(files, folder);
  trainer.resume(counters.step, moments, counters.skipped);
  return counters;
}

function momentsOf(files: ReadonlyMap<string, Uint8Array>, folder: string, file: string, net: Module): Moments {
  const path = `${folder}/${file}`;
  const { tensors } = readSafetensors(fileOf(files, file, folder), path);
  const dataOf = (name: string): Float32Array => {
    const stored = tensors.get(name);
    if (!stored) throw new CheckpointError(path, `lacks ${name}; it belongs to another network`);
    return stored.data;
  };
  return net
    .namedParameters()
    .map(([name]) => ({ first: dataOf(`exp_avg.${name}`), second: dataOf(`exp_avg_sq.${name}`) }));
}

/** The counters of a checkpoint. */
export function countersOf(files: ReadonlyMap<string, Uint8Array>, folder: string): Counters {
  const [bytes, path] = [fileOf(files, STATE, folder), `${folder}/${STATE}`];
  try {
    return CountersSchema.parse(JSON.parse(new TextDecoder().decode(bytes)));
  } catch (cause) {
    throw new CheckpointError(path, 'is not {"step": …, "best": …}, perhaps with "skipped": {"all": …, "inRow": …}', {
      cause,
    });
  }
}

function fileOf(files: ReadonlyMap<string, Uint8Array>, name: string, folder: string): Uint8Array {
  const bytes = files.get(name);
  if (!bytes) throw new CheckpointError(folder, `lacks ${name}`);
  return bytes;
}

/** Saves the state of a training run as the files of a checkpoint, and restores it. */
import * as z from 'zod';
import { decodeDiscriminator, decodeModel, encodeModel } from '../../models/model-file.ts';
import type { NetworkModule } from '../../models/network.ts';
import { readSafetensors, type WritableTensor, writeSafetensors } from '../../models/safetensors.ts';
import type { Module } from '../../nn/module.ts';
import type { Optimizer } from '../../nn/optim/optimizer.ts';
import { CheckpointError } from '../errors.ts';
import { SELECTIONS, type SelectedBy } from '../report/selection.ts';
import type { Moments, Skipped, Trainer } from '../trainer.ts';
import type { Role } from '../training.ts';

/** State beside weights and optimizers. It depends only on the updates made. */
export interface Counters {
  /** Updates so far, including skipped ones. */
  readonly step: number;
  /** Score of the checkpoint `best`; null before the first evaluation. */
  readonly best: number | null;
  /** Metric of that score, if it is not PSNR in dB: the distance of VGG features, or |1 − texture|. See `selectionOf`. */
  readonly bestBy?: Exclude<SelectedBy, 'psnr'>;
  /** Absent if no update was skipped. */
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

/** The networks of a checkpoint. */
export interface TrainedNetworks {
  readonly generator: NetworkModule;
  readonly discriminator?: NetworkModule | undefined;
  /** The evaluated generator, if it differs from the one in training: averaged, or with recalibrated statistics. */
  readonly scored?: NetworkModule | undefined;
}

/** The generator's weights, for `daybreak upscale`. */
export const MODEL = 'model.safetensors';
/** Weights of the evaluated generator, if it differs. It is the better one to use. */
export const SCORED = 'model-scored.safetensors';
const DISCRIMINATOR = 'discriminator.safetensors';
const OPTIMIZERS: Readonly<Record<Role, string>> = {
  generator: 'optimizer.safetensors',
  discriminator: 'discriminator-optimizer.safetensors',
};
const STATE = 'state.json';

/** Encodes weights, optimizers and counters. The same training gives the same bytes. `by`: metric of `best`. */
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
  if (discriminator) files.set(DISCRIMINATOR, await encodeModel(discriminator, { metadata }));
  for (const [role, { net, optimizer }] of trainer.trained)
    files.set(OPTIMIZERS[role], await optimizerFile(net, optimizer));
  const bestBy = best !== null && by !== 'psnr' && { bestBy: by };
  const counters: Counters = { step, best, ...bestBy, ...(skipped.all > 0 && { skipped }) };
  return files.set(STATE, new TextEncoder().encode(`${JSON.stringify(counters, null, 2)}\n`));
}

async function optimizerFile(net: Module, optimizer: Optimizer): Promise<Uint8Array> {
  const { steps, moments } = await optimizer.state();
  const tensors = new Map<string, WritableTensor>();
  net.namedParameters().forEach(([name, { shape }], i) => {
    for (const [slot, { stored }] of Object.entries(optimizer.slots))
      tensors.set(`${stored}.${name}`, { shape, data: moments[i][slot] });
  });
  return writeSafetensors(tensors, { optimizer: optimizer.name, steps: String(steps) });
}

/** Decodes the generator of a checkpoint. */
export function restoreGenerator(files: ReadonlyMap<string, Uint8Array>, folder: string): NetworkModule {
  return decodeModel(fileOf(files, MODEL, folder), `${folder}/${MODEL}`);
}

/** Decodes the evaluated generator of a checkpoint. */
export function restoreScored(files: ReadonlyMap<string, Uint8Array>, folder: string): NetworkModule {
  return decodeModel(fileOf(files, SCORED, folder), `${folder}/${SCORED}`);
}

/** Decodes the discriminator of a checkpoint. */
export function restoreDiscriminator(files: ReadonlyMap<string, Uint8Array>, folder: string): NetworkModule {
  return decodeDiscriminator(fileOf(files, DISCRIMINATOR, folder), `${folder}/${DISCRIMINATOR}`);
}

/** Restores the optimizers and counters of a checkpoint in a trainer of the restored networks. */
export function restoreTrainer(files: ReadonlyMap<string, Uint8Array>, folder: string, trainer: Trainer): Counters {
  const moments: Partial<Record<Role, Moments>> = {};
  for (const [role, { net, optimizer }] of trainer.trained)
    moments[role] = momentsOf(files, folder, OPTIMIZERS[role], net, optimizer);
  const counters = countersOf(files, folder);
  trainer.resume(counters.step, moments, counters.skipped);
  return counters;
}

function momentsOf(
  files: ReadonlyMap<string, Uint8Array>,
  folder: string,
  file: string,
  net: Module,
  { slots }: Optimizer,
): Moments {
  const path = `${folder}/${file}`;
  const { tensors } = readSafetensors(fileOf(files, file, folder), path);
  const dataOf = (name: string): Float32Array => {
    const stored = tensors.get(name);
    if (!stored) throw new CheckpointError(path, `${name} is missing; the file belongs to another network`);
    return stored.data;
  };
  return net
    .namedParameters()
    .map(([name]) =>
      Object.fromEntries(Object.entries(slots).map(([slot, { stored }]) => [slot, dataOf(`${stored}.${name}`)])),
    );
}

/** Decodes the counters of a checkpoint. */
export function countersOf(files: ReadonlyMap<string, Uint8Array>, folder: string): Counters {
  const [bytes, path] = [fileOf(files, STATE, folder), `${folder}/${STATE}`];
  try {
    return CountersSchema.parse(JSON.parse(new TextDecoder().decode(bytes)));
  } catch (cause) {
    throw new CheckpointError(path, 'expected {"step": …, "best": …}, perhaps with "skipped": {"all": …, "inRow": …}', {
      cause,
    });
  }
}

function fileOf(files: ReadonlyMap<string, Uint8Array>, name: string, folder: string): Uint8Array {
  const bytes = files.get(name);
  if (!bytes) throw new CheckpointError(folder, `${name} is missing`);
  return bytes;
}

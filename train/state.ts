/** The whole state of a training run as files of a checkpoint, and back. */
import * as z from 'zod';
import { decodeModel, encodeModel } from '../models/model-file.ts';
import { readSafetensors, type WritableTensor, writeSafetensors } from '../models/safetensors.ts';
import type { SRResNet } from '../models/srresnet.ts';
import { CheckpointError } from './errors.ts';
import type { Trainer } from './trainer.ts';

/** What cannot be read from the weights. All of it follows from the updates made, or is a sum of measured times. */
export interface Counters {
  /** Updates made. */
  readonly step: number;
  /** PSNR of the checkpoint `best`, dB; null before the first evaluation. */
  readonly best: number | null;
}

const CountersSchema: z.ZodType<Counters> = z.object({ step: z.number().int().min(0), best: z.number().nullable() });

export const MODEL = 'model.safetensors';
const OPTIMIZER = 'optimizer.safetensors';
const STATE = 'state.json';

/** Weights, optimizer and counters. The same training gives the same bytes. */
export async function saveState(
  net: SRResNet,
  trainer: Trainer,
  best: number | null,
): Promise<Map<string, Uint8Array>> {
  const { steps, moments } = await trainer.training.trained.generator.adam.state();
  const tensors = new Map<string, WritableTensor>();
  net.namedParameters().forEach(([name, { shape }], i) => {
    tensors.set(`exp_avg.${name}`, { shape, data: moments[i]!.first });
    tensors.set(`exp_avg_sq.${name}`, { shape, data: moments[i]!.second });
  });
  const counters: Counters = { step: steps, best };
  return new Map<string, Uint8Array>([
    [MODEL, await encodeModel(net, { metadata: { step: String(steps) } })],
    [OPTIMIZER, writeSafetensors(tensors, { optimizer: 'adam', steps: String(steps) })],
    [STATE, new TextEncoder().encode(`${JSON.stringify(counters, null, 2)}\n`)],
  ]);
}

/** The network of a checkpoint. */
export function restoreNetwork(files: ReadonlyMap<string, Uint8Array>, folder: string): SRResNet {
  return decodeModel(fileOf(files, MODEL, folder), `${folder}/${MODEL}`);
}

/** Puts the optimizer and the counters of a checkpoint into a trainer of the restored network. */
export function restoreTrainer(
  files: ReadonlyMap<string, Uint8Array>,
  folder: string,
  net: SRResNet,
  trainer: Trainer,
): Counters {
  const { tensors } = readSafetensors(fileOf(files, OPTIMIZER, folder), `${folder}/${OPTIMIZER}`);
  const counters = readCounters(fileOf(files, STATE, folder), `${folder}/${STATE}`);
  const dataOf = (name: string): Float32Array => {
    const stored = tensors.get(name);
    if (!stored) throw new CheckpointError(`${folder}/${OPTIMIZER}`, `lacks ${name}; it belongs to another network`);
    return stored.data;
  };
  const moments = net.namedParameters().map(([name]) => ({
    first: dataOf(`exp_avg.${name}`),
    second: dataOf(`exp_avg_sq.${name}`),
  }));
  trainer.resume(counters.step, { generator: moments });
  return counters;
}

function readCounters(bytes: Uint8Array, path: string): Counters {
  try {
    return CountersSchema.parse(JSON.parse(new TextDecoder().decode(bytes)));
  } catch (cause) {
    throw new CheckpointError(path, 'is not {"step": …, "best": …}', { cause });
  }
}

function fileOf(files: ReadonlyMap<string, Uint8Array>, name: string, folder: string): Uint8Array {
  const bytes = files.get(name);
  if (!bytes) throw new CheckpointError(folder, `lacks ${name}`);
  return bytes;
}

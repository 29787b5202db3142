/** Loads model files from disk. */
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { reasonOf } from '../files/file-error.ts';
import { WeightsError } from '../nn/module.ts';
import { type DecodeOptions, decodeModel } from './model-file.ts';
import { NetworkUpscaler } from './upscaler.ts';

/** Reads a model file onto the current device. Throws WeightsError or SafetensorsError naming the file. */
export async function loadUpscaler(path: string, options: DecodeOptions = {}): Promise<NetworkUpscaler> {
  const bytes = await readFile(path).catch(cause => {
    throw new WeightsError(`${path}: cannot be read: ${reasonOf(cause)}.`, { cause });
  });
  return new NetworkUpscaler(decodeModel(bytes, path, options), basename(path));
}

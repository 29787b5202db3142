/** Loads VGG19 weights from disk. */
import { readFile } from 'node:fs/promises';
import { reasonOf } from '../files/file-error.ts';
import type { VGG19, VggOptions } from './vgg19.ts';
import { VGG_ADVICE, VggError } from './vgg19-error.ts';
import { decodeVgg19 } from './vgg19-file.ts';

/** Reads a VGG19 file. Without a path, or if the file does not exist, the VggError says where to get one. */
export async function readVgg19(path: string | undefined): Promise<Uint8Array> {
  if (path === undefined)
    throw new VggError(`The VGG loss needs VGG19 weights, which Daybreak does not include. ${VGG_ADVICE}`);
  return await readFile(path).catch(cause => {
    throw new VggError(`${path}: cannot be read: ${reasonOf(cause)}. ${VGG_ADVICE}`, { cause });
  });
}

/** Reads a VGG19 onto the current device; see {@link readVgg19} and {@link decodeVgg19}. */
export async function loadVgg19(path: string | undefined, options: VggOptions = {}): Promise<VGG19> {
  return decodeVgg19(await readVgg19(path), path, options);
}

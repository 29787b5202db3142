/** Reads the pretrained networks from disk. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { reasonOf } from '../files/file-error.ts';
import { PretrainedError, type PretrainedModel, parseRegistry, REGISTRY_FILE } from './pretrained.ts';

/**
 * The folder of the pretrained networks: next to this module, or the one that the variable DAYBREAK_PRETRAINED names
 * (another folder with a registry).
 */
export function pretrainedFolder(): string {
  return process.env.DAYBREAK_PRETRAINED || fileURLToPath(new URL('./pretrained/', import.meta.url));
}

/** All networks in a folder's registry. Throws PretrainedError if it is missing or damaged. */
export async function listPretrained(folder = pretrainedFolder()): Promise<readonly PretrainedModel[]> {
  const path = join(folder, REGISTRY_FILE);
  const text = await readFile(path, 'utf8').catch(cause => {
    throw new PretrainedError(`${path}: cannot be read: ${reasonOf(cause)}.`, { cause });
  });
  return parseRegistry(text, path);
}

/** The path of a pretrained network's model file, or undefined if none has this name. */
export async function findPretrained(name: string, folder = pretrainedFolder()): Promise<string | undefined> {
  const found = (await listPretrained(folder)).find(model => model.name === name);
  return found && join(folder, found.file);
}

/** Loads the pictures that a run is scored on. */

import { tmpdir } from 'node:os';
import { basename, resolve } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { readPairs } from '../../eval/dataset.node.ts';
import { sha256Of } from '../../files/digest.node.ts';
import type { ImageError } from '../../image/errors.ts';
import { PictureSourceError } from '../errors.ts';
import type { PictureIdentity } from './identity.ts';
import { PictureStore, type StoreOptions } from './picture-store.node.ts';
import { heldOutPictures, type LoadOptions, openFolder } from './sources.node.ts';
import { type PictureOrigin, readTrainingPicture, type TrainingPicture } from './training-picture.node.ts';

/** The pictures of one entry of the option `eval`. */
export interface EvaluationSet {
  /** For tables and logs: the folder's name, "photographs (held out)" or "synthetic (held out)". */
  readonly data: string;
  readonly pictures: readonly TrainingPicture[];
}

/** Dispose of it after the last evaluation. */
export interface LoadedSets extends Disposable {
  readonly sets: readonly EvaluationSet[];
  readonly skipped: readonly ImageError[];
}

type SetOptions = LoadOptions & Partial<StoreOptions>;

/**
 * Loads the pictures to score a run on. Folders are read as `daybreak eval` reads them, with their own LR if they have it.
 * `photographs` and `synthetic` are pictures that no run trains on, the same for every seed, so that runs can be compared.
 * Sets that exceed the budget, which all sets share, are in scratch files, from which each picture is read when it is
 * scored.
 * @throws PictureSourceError for a source that is missing or has no usable picture; ScratchFileError.
 */
export async function loadEvaluationSets(entries: readonly string[], options: SetOptions = {}): Promise<LoadedSets> {
  const stores: PictureStore[] = [];
  const dispose = () => {
    for (const store of stores) store.dispose();
  };
  const newStore = (expected: number) => {
    const { budget = Number.POSITIVE_INFINITY, folder = tmpdir(), onSpill } = options;
    const used = stores.reduce((sum, { bytes }) => sum + bytes, 0);
    const store = new PictureStore(expected, { budget: budget - used, folder, onSpill });
    stores.push(store);
    return store;
  };
  try {
    const sets: EvaluationSet[] = [];
    const skipped: ImageError[] = [];
    for (const source of entries) {
      const heldOut = heldOutPictures(source);
      if (heldOut) {
        sets.push({ data: `${source} (held out)`, pictures: await readHeldOut(source, heldOut, options, newStore) });
        continue;
      }
      const set = await readFolder(source, options, newStore);
      skipped.push(...set.skipped);
      const isTaken = sets.some(({ data }) => data === set.name);
      sets.push({ data: isTaken ? source : set.name, pictures: set.pictures });
    }
    return { sets, skipped, [Symbol.dispose]: dispose };
  } catch (error) {
    dispose();
    throw error;
  }
}

async function readHeldOut(
  source: string,
  origins: readonly PictureOrigin[],
  { signal, onProgress }: SetOptions,
  newStore: (expected: number) => PictureStore,
): Promise<readonly TrainingPicture[]> {
  const store = newStore(origins.length);
  for (const [i, origin] of origins.entries()) {
    signal?.throwIfAborted();
    await store.put(i, await readTrainingPicture(origin, 4));
    onProgress?.({ source, done: i + 1, total: origins.length });
    // Generating and downscaling never wait: let signals and the progress display run.
    await setImmediate();
  }
  return (await store.all()).pictures;
}

async function readFolder(
  source: string,
  { signal, onNote, onProgress }: SetOptions,
  newStore: (expected: number) => PictureStore,
): Promise<{ name: string; pictures: readonly TrainingPicture[]; skipped: readonly ImageError[] }> {
  const found = await openFolder(source, '--eval');
  for (const note of found.notes) onNote?.(note);
  const skipped: ImageError[] = [];
  // The files of the picture that is being read.
  let files: PictureIdentity[] = [];
  const onSkip = (error: ImageError) => {
    skipped.push(error);
    files = [];
  };
  const onBytes = (path: string, bytes: Uint8Array) => files.push({ name: basename(path), sha256: sha256Of(bytes) });
  const store = newStore(found.entries.length);
  let read = 0;
  for await (const pair of readPairs(found, { onSkip, onNote, onBytes, signal })) {
    await store.put(read++, { ...pair, files });
    files = [];
    onProgress?.({ source, done: read + skipped.length, total: found.entries.length });
  }
  if (read === 0)
    throw new PictureSourceError(source, `no picture here can be scored; the first: ${skipped[0]?.message}`);
  const [name, parent] = [basename(resolve(source)), basename(resolve(source, '..'))];
  return { name: name === 'HR' ? parent : name, pictures: (await store.all()).pictures, skipped };
}

/** Loads the pictures that a run trains on. */

import { tmpdir } from 'node:os';
import { ImageError } from '../../image/errors.ts';
import { type DegradationRanges, degradationOf, parseDegradations } from '../degradation.ts';
import { PictureSourceError } from '../errors.ts';
import { type PackedPictures, PictureStore, type StoreOptions } from './picture-store.node.ts';
import { PictureReader } from './reader.node.ts';
import { type LoadOptions, type Source, type TrainingSources, trainingSource } from './sources.node.ts';
import type { TrainingPicture } from './training-picture.node.ts';

export interface TrainingLoadOptions extends LoadOptions, Partial<StoreOptions> {
  /** Worker threads to read with; 0: none. Default: one per processor, if reading takes more than a moment. */
  readonly threads?: number;
}

/** Dispose of it after all crop sources. */
export interface LoadedPictures extends Disposable {
  /** In the order of `data`; within a folder by name. */
  readonly pictures: readonly TrainingPicture[];
  /** An error for each skipped file: broken, unsupported or too small. */
  readonly skipped: readonly ImageError[];
  /** Set if the pictures exceed the budget: they are in a scratch file, and crops must be streamed from it. */
  readonly packed?: PackedPictures;
  /** Bytes of `pictures` in memory: one per sample; 0 if they are in a scratch file. */
  readonly bytesInMemory: number;
}

/**
 * Loads the pictures that a configuration trains on: those of the folders, read as `daybreak eval` reads them (see
 * `layoutOf`) with a set's own LR; the photographs that are not held out; the first pictures of the synthetic sequence of
 * `seed`. The same configuration and files give the same list, whatever the budget (default: unlimited) and the number of
 * threads.
 * @throws PictureSourceError for a source that is missing or has no usable picture; ScratchFileError; WorkerError.
 */
export async function loadTrainingPictures(
  config: TrainingSources,
  options: TrainingLoadOptions = {},
): Promise<LoadedPictures> {
  const { threads, signal, onProgress, onNote, onSpill } = options;
  const { budget = Number.POSITIVE_INFINITY, folder = tmpdir() } = options;
  const ranges = await degradationsOf(config);
  const sources: Source[] = [];
  for (const source of config.data) sources.push(await trainingSource(source, config, onNote));
  const total = sources.reduce((sum, { origins }) => sum + origins.length, 0);
  const store = new PictureStore(total, { budget, folder, onSpill });
  using reader = new PictureReader(threads, signal);
  try {
    const skipped: ImageError[] = [];
    let first = 0;
    for (const source of sources) {
      skipped.push(...(await readSource(source, { config, ranges, first, reader, store, onProgress })));
      first += source.origins.length;
    }
    const { pictures, packed } = await store.all();
    return {
      ...{ pictures, skipped, bytesInMemory: store.bytes },
      ...(packed && { packed }),
      [Symbol.dispose]: () => store.dispose(),
    };
  } catch (error) {
    store.dispose();
    throw error;
  }
}

interface Reading {
  readonly config: TrainingSources;
  readonly ranges: DegradationRanges | undefined;
  /** Number of the first picture of the source. */
  readonly first: number;
  readonly reader: PictureReader;
  readonly store: PictureStore;
  readonly onProgress: LoadOptions['onProgress'];
}

/** Reads the pictures of a source into the store. @returns an error for each skipped file, in the order of the files. */
async function readSource(
  { source, origins, unusable }: Source,
  { config, ranges, first, reader, store, onProgress }: Reading,
): Promise<ImageError[]> {
  const degraded = ranges
    ? origins.map((origin, i) => ({ ...origin, degradation: degradationOf(ranges, config.seed, first + i) }))
    : origins;
  const failed = new Map<number, ImageError>();
  let done = 0;
  await reader.read(degraded, config.crop, async (i, result) => {
    if (result instanceof ImageError) failed.set(i, result);
    else await store.put(first + i, result);
    onProgress?.({ source, done: ++done, total: origins.length });
  });
  const errors = [...unusable, ...[...failed].sort(([a], [b]) => a - b).map(([, error]) => error)];
  if (failed.size === origins.length) {
    const problem = `none of ${errors.length} pictures can be used; the first: ${errors[0].message}`;
    throw new PictureSourceError(source, problem);
  }
  return errors;
}

/** The ranges of `degrade`. @throws PictureSourceError if a required package is missing. */
async function degradationsOf({ degrade = [] }: TrainingSources): Promise<DegradationRanges | undefined> {
  if (degrade.length === 0) return undefined;
  const ranges = parseDegradations(degrade);
  if (ranges?.jpeg) {
    await import('sharp').catch(error => {
      const problem = 'needs the optional package sharp: npm install sharp';
      throw new PictureSourceError('--degrade jpeg', problem, { cause: error });
    });
  }
  return ranges;
}

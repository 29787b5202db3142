/** Where the pictures of a run come from: folders, the photographs that come with npm, the synthetic generator. */

import { tmpdir } from 'node:os';
import { basename, resolve } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { sha256Of } from '../../common/files/digest.node.ts';
import { printable } from '../../common/text.ts';
import { openDataSet, readPairs } from '../../eval/dataset.node.ts';
import { ImageError } from '../../image/errors.ts';
import type { TrainConfig } from '../config/config.ts';
import { type DegradationRanges, degradationOf, parseDegradations } from '../degradation.ts';
import { PictureSourceError } from '../errors.ts';
import type { PictureIdentity } from './identity.ts';
import { PHOTOGRAPHS } from './photographs.node.ts';
import { PictureReader } from './reader.node.ts';
import { type PackedPictures, PictureShelf, type ShelfOptions } from './shelf.node.ts';
import { type PictureOrigin, readTrainingPicture, type TrainingPicture } from './training-picture.node.ts';

export type { TrainingPicture } from './training-picture.node.ts';

export interface LoadOptions {
  /** Called after each picture: `done` of `total` of this source are read, generated or skipped. */
  readonly onProgress?: (progress: { source: string; done: number; total: number }) => void;
  readonly signal?: AbortSignal;
  /** Hears, as lines for people, of files that are not read and of what was not as it should be in one that is. */
  readonly onNote?: ((note: string) => void) | undefined;
}

export interface TrainingLoadOptions extends LoadOptions, Partial<ShelfOptions> {
  /** Worker threads that read. Default: one a processor, where reading takes more than a moment; 0: none. */
  readonly threads?: number;
}

export type TrainingSources = Pick<TrainConfig, 'data' | 'crop' | 'seed' | 'syntheticCount' | 'syntheticSize'> &
  Partial<Pick<TrainConfig, 'degrade'>>;

/** To be disposed of when all sources of crops are. */
export interface LoadedPictures extends Disposable {
  /** In the order of `data`; within a folder by name. In memory a byte a sample, and 1/16 for LR. */
  readonly pictures: readonly TrainingPicture[];
  /** One error, one line, for each file left out: broken, unsupported or too small. */
  readonly skipped: readonly ImageError[];
  /** Where they take more than the budget: `pictures` lie in a file, and crops of them are to be streamed. */
  readonly packed?: PackedPictures;
}

/** One entry of the option `eval`. */
export interface EvaluationSet {
  /** For tables and logs: the folder's own name, "photographs (held out)" or "synthetic (held out)". */
  readonly data: string;
  readonly pictures: readonly TrainingPicture[];
}

/**
 * The pictures that a configuration trains on: those of the folders, read as `daybreak eval` reads them (see `layoutOf`;
 * a set's own LR are what is trained on), the photographs that are not held out, pictures 0… of the synthetic sequence `seed`. The same configuration and files
 * give the same list, whatever the budget (default: none) and however many threads read.
 * @throws PictureSourceError for a source that is missing or holds no picture that can be used; ScratchFileError;
 * WorkerError.
 */
export async function loadTrainingPictures(
  config: TrainingSources,
  options: TrainingLoadOptions = {},
): Promise<LoadedPictures> {
  const {
    threads,
    signal,
    onProgress,
    onNote,
    budget = Number.POSITIVE_INFINITY,
    folder = tmpdir(),
    onSpill,
  } = options;
  const ranges = await degradationsOf(config);
  const sources: Source[] = [];
  for (const source of config.data) sources.push(await sourceOf(source, config, onNote));
  const total = sources.reduce((sum, { origins }) => sum + origins.length, 0);
  const shelf = new PictureShelf(total, { budget, folder, onSpill });
  using reader = new PictureReader(threads, signal);
  try {
    const skipped: ImageError[] = [];
    let first = 0;
    for (const { source, origins: undegraded, strays } of sources) {
      const at = first;
      const origins = ranges
        ? undegraded.map((one, i) => ({ ...one, degradation: degradationOf(ranges, config.seed, at + i) }))
        : undegraded;
      const left = new Map<number, ImageError>();
      let done = 0;
      await reader.read(origins, config.crop, async (i, result) => {
        if (result instanceof ImageError) left.set(i, result);
        else await shelf.put(first + i, result);
        onProgress?.({ source, done: ++done, total: origins.length });
      });
      const errors = [...strays, ...[...left].sort(([a], [b]) => a - b).map(([, error]) => error)];
      if (left.size === origins.length) {
        const problem = `none of ${errors.length} pictures can be used; the first: ${errors[0].message}`;
        throw new PictureSourceError(source, problem);
      }
      skipped.push(...errors);
      first += origins.length;
    }
    const { pictures, packed } = await shelf.all();
    return { pictures, skipped, ...(packed && { packed }), [Symbol.dispose]: () => shelf.dispose() };
  } catch (error) {
    shelf.dispose();
    throw error;
  }
}

/** To be disposed of when nothing is scored any more. */
export interface LoadedSets extends Disposable {
  readonly sets: readonly EvaluationSet[];
  readonly skipped: readonly ImageError[];
}

/**
 * The pictures to score a run on. Folders are read as `daybreak eval` reads them (their own LR taken where they are
 * there); what takes more than the budget lies in a scratch file, from which each picture is read when it is scored;
 * `photographs` and `synthetic` are those that no run trains on, the same ones whatever the seed, so that runs compare.
 * @throws PictureSourceError for a source that is missing or holds no picture that can be scored.
 */
export async function loadEvaluationSets(
  entries: readonly string[],
  options: LoadOptions & Partial<ShelfOptions> = {},
): Promise<LoadedSets> {
  const shelves: PictureShelf[] = [];
  const dispose = () => {
    for (const shelf of shelves) shelf.dispose();
  };
  try {
    return { ...(await readEvaluationSets(entries, options, shelves)), [Symbol.dispose]: dispose };
  } catch (error) {
    dispose();
    throw error;
  }
}

/** @param shelves gets one for each folder. */
async function readEvaluationSets(
  entries: readonly string[],
  options: LoadOptions & Partial<ShelfOptions>,
  shelves: PictureShelf[],
): Promise<Pick<LoadedSets, 'sets' | 'skipped'>> {
  const sets: EvaluationSet[] = [];
  const skipped: ImageError[] = [];
  for (const source of entries) {
    if (source === 'photographs' || source === 'synthetic') {
      const origins =
        source === 'photographs' ? PHOTOGRAPHS.heldOut.map(photograph) : HELD_OUT_SYNTHETIC.map(synthetic);
      const pictures: TrainingPicture[] = [];
      for (const origin of origins) {
        options.signal?.throwIfAborted();
        pictures.push(await readTrainingPicture(origin, 4));
        options.onProgress?.({ source, done: pictures.length, total: origins.length });
        await setImmediate();
      }
      sets.push({ data: `${source} (held out)`, pictures });
      continue;
    }
    const found = await openDataSet(source).catch(error => {
      throw asSourceError(source, error, '--eval');
    });
    const left: ImageError[] = [];
    let files: PictureIdentity[] = [];
    const onSkip = (error: ImageError) => {
      left.push(error);
      files = [];
    };
    const onBytes = (path: string, bytes: Uint8Array) => files.push({ name: basename(path), sha256: sha256Of(bytes) });
    const { signal, onNote } = options;
    for (const note of found.notes) onNote?.(note);
    const { folder = tmpdir(), onSpill } = options;
    const taken = shelves.reduce((sum, { bytes }) => sum + bytes, 0);
    const budget = (options.budget ?? Number.POSITIVE_INFINITY) - taken;
    const shelf = new PictureShelf(found.entries.length, { budget, folder, onSpill });
    shelves.push(shelf);
    let read = 0;
    for await (const pair of readPairs(found, { onSkip, onNote, onBytes, signal })) {
      await shelf.put(read++, { ...pair, files });
      files = [];
      options.onProgress?.({ source, done: read + left.length, total: found.entries.length });
    }
    if (read === 0) {
      throw new PictureSourceError(source, `no picture here can be scored; the first: ${left[0]?.message}`);
    }
    skipped.push(...left);
    const [name, above] = [basename(resolve(source)), basename(resolve(source, '..'))];
    const data = name === 'HR' ? above : name;
    const own = sets.some(set => set.data === data) ? source : data;
    sets.push({ data: own, pictures: (await shelf.all()).pictures });
  }
  return { sets, skipped };
}

/** Training uses numbers below 2^32 only; seed and size are fixed so that every run is scored on the same pictures. */
const HELD_OUT_SYNTHETIC = [0, 1, 2, 3, 4].map(i => ({ seed: 0, index: 2 ** 32 + i, size: 256 }));

function photograph(name: string): PictureOrigin {
  return { kind: 'photograph', name };
}

function synthetic({ seed, index, size }: { seed: number; index: number; size: number }): PictureOrigin {
  const name = `synthetic-${String(index % 2 ** 32).padStart(4, '0')}`;
  return { kind: 'synthetic', name, seed, index, size };
}

/** What `degrade` asks for. @throws PictureSourceError where it needs a package that is missing. */
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

/** What a source of the option `data` holds; nothing is read yet. */
interface Source {
  readonly source: string;
  readonly origins: readonly PictureOrigin[];
  /** Files of a folder that cannot be used, by their names alone. */
  readonly strays: readonly ImageError[];
}

async function sourceOf(source: string, config: TrainingSources, onNote: LoadOptions['onNote']): Promise<Source> {
  if (source === 'photographs') return { source, origins: PHOTOGRAPHS.training.map(photograph), strays: [] };
  if (source === 'synthetic') {
    const { seed, syntheticCount, syntheticSize: size } = config;
    const origins = Array.from({ length: syntheticCount }, (_, index) => synthetic({ seed, index, size }));
    return { source, origins, strays: [] };
  }
  const found = await openDataSet(source).catch(error => {
    throw asSourceError(source, error, '--data');
  });
  for (const note of found.notes) onNote?.(note);
  const degraded = config.degrade?.length ? ', to which --degrade does nothing' : '';
  if (found.entries.some(({ lr }) => lr !== undefined))
    onNote?.(`${printable(source)}: trains on its own ${found.origin}${degraded}`);
  const origins = found.entries.map(({ name, hr, lr }) => ({ kind: 'file', name, path: hr, low: lr }) as const);
  return { source, origins, strays: found.strays };
}

/** A wrong word for a source looks like a missing folder: say what there is. */
function asSourceError(source: string, error: unknown, flag: string): unknown {
  if (!(error instanceof ImageError)) return error;
  const problem = error.message.slice(error.file.length + 2);
  const hint = `${flag} takes a folder of pictures, synthetic or photographs`;
  return new PictureSourceError(source, `${problem}; ${hint}`, { cause: error });
}

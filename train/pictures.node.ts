/** Where the pictures of a run come from: folders, the photographs that come with npm, the synthetic generator. */

import { readdir } from 'node:fs/promises';
import { basename, extname, join, resolve } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { openDataSet, readPairs } from '../eval/dataset.node.ts';
import { ImageError } from '../image/errors.ts';
import { listPictures, readPicture } from '../image/files.node.ts';
import { cropToMultiple, describe, type Picture, toRgb } from '../image/picture.ts';
import { shrink } from '../image/resize.ts';
import { syntheticPicture } from '../image/synthetic.ts';
import type { TrainConfig } from './config.ts';
import { PictureSourceError } from './errors.ts';
import { PHOTOGRAPHS, readPhotograph } from './photographs.node.ts';

/** An original with sides that are multiples of 4, and its quarter: `shrink`'s exact bicubic of the whole, 8 bit. */
export interface TrainingPicture {
  readonly name: string;
  /** RGB for training; as it is (grey stays grey) for evaluation. */
  readonly hr: Picture;
  readonly lr: Picture;
}

export interface LoadOptions {
  /** Called after each picture: `done` of `total` of this source are read, generated or skipped. */
  readonly onProgress?: (progress: { source: string; done: number; total: number }) => void;
  readonly signal?: AbortSignal;
}

export type TrainingSources = Pick<TrainConfig, 'data' | 'crop' | 'seed' | 'syntheticCount' | 'syntheticSize'>;

export interface LoadedPictures {
  /** In the order of `data`; within a folder by name. All of them rest in memory: a byte a sample, and 1/16 for LR. */
  readonly pictures: readonly TrainingPicture[];
  /** One error, one line, for each file left out: broken, unsupported or too small. */
  readonly skipped: readonly ImageError[];
}

/** One entry of the option `eval`. */
export interface EvaluationSet {
  /** For tables and logs: the folder's own name, "photographs (held out)" or "synthetic (held out)". */
  readonly data: string;
  readonly pictures: readonly TrainingPicture[];
}

/**
 * The pictures that a configuration trains on: files of the folders (or of HR/ within them, as benchmark sets have it),
 * the photographs that are not held out, pictures 0… of the synthetic sequence `seed`. The same configuration and files
 * give the same list.
 * @throws PictureSourceError for a source that is missing or holds no picture that can be used.
 */
export async function loadTrainingPictures(
  config: TrainingSources,
  options: LoadOptions = {},
): Promise<LoadedPictures> {
  const pictures: TrainingPicture[] = [];
  const skipped: ImageError[] = [];
  for (const source of config.data) {
    const jobs = await trainingJobs(source, config);
    const left: ImageError[] = [];
    const before = pictures.length;
    for (const [i, job] of jobs.entries()) {
      options.signal?.throwIfAborted();
      try {
        pictures.push(pair(job, toRgb(await job.read()), config.crop));
      } catch (error) {
        if (!(error instanceof ImageError)) throw error;
        left.push(error);
      }
      options.onProgress?.({ source, done: i + 1, total: jobs.length });
      await setImmediate(); // Generating and shrinking never wait: let signals and the progress display have their turn.
    }
    if (pictures.length === before) {
      throw new PictureSourceError(
        source,
        `none of ${jobs.length} pictures can be used; the first: ${left[0].message}`,
      );
    }
    skipped.push(...left);
  }
  return { pictures, skipped };
}

/**
 * The pictures to score a run on. Folders are read as `daybreak eval` reads them (LRx4/ taken where it is there);
 * `photographs` and `synthetic` are those that no run trains on, the same ones whatever the seed, so that runs compare.
 * @throws PictureSourceError for a source that is missing or holds no picture that can be scored.
 */
export async function loadEvaluationSets(
  entries: readonly string[],
  options: LoadOptions = {},
): Promise<{ readonly sets: readonly EvaluationSet[]; readonly skipped: readonly ImageError[] }> {
  const sets: EvaluationSet[] = [];
  const skipped: ImageError[] = [];
  for (const source of entries) {
    const pictures: TrainingPicture[] = [];
    if (source === 'photographs' || source === 'synthetic') {
      const jobs = source === 'photographs' ? PHOTOGRAPHS.heldOut.map(photograph) : HELD_OUT_SYNTHETIC.map(synthetic);
      for (const job of jobs) {
        options.signal?.throwIfAborted();
        pictures.push(pair(job, toRgb(await job.read()), 4));
        options.onProgress?.({ source, done: pictures.length, total: jobs.length });
        await setImmediate();
      }
      sets.push({ data: `${source} (held out)`, pictures });
      continue;
    }
    const found = await openDataSet(source).catch(error => {
      throw asSourceError(source, error, '--eval');
    });
    const left: ImageError[] = [];
    const onSkip = (error: ImageError) => left.push(error);
    for await (const { name, hr, lr } of readPairs(found, {
      onSkip,
      ...(options.signal && { signal: options.signal }),
    })) {
      pictures.push({ name, hr, lr });
      options.onProgress?.({ source, done: pictures.length + left.length, total: found.entries.length });
    }
    if (pictures.length === 0) {
      throw new PictureSourceError(source, `no picture here can be scored; the first: ${left[0]?.message}`);
    }
    skipped.push(...left);
    const [name, above] = [basename(resolve(source)), basename(resolve(source, '..'))];
    const data = name === 'HR' ? above : name;
    sets.push({ data: sets.some(set => set.data === data) ? source : data, pictures });
  }
  return { sets, skipped };
}

interface Job {
  readonly name: string;
  /** For messages, where it is another: the file's path. */
  readonly path?: string;
  readonly read: () => Promise<Picture> | Picture;
}

/** Training uses numbers below 2^32 only; seed and size are fixed so that every run is scored on the same pictures. */
const HELD_OUT_SYNTHETIC = [0, 1, 2, 3, 4].map(i => ({ seed: 0, index: 2 ** 32 + i, size: 256 }));

function photograph(name: string): Job {
  return { name, read: () => readPhotograph(name) };
}

function synthetic({ seed, index, size }: { seed: number; index: number; size: number }): Job {
  const name = `synthetic-${String(index % 2 ** 32).padStart(4, '0')}`;
  return { name, read: () => syntheticPicture(seed, index, size) };
}

async function trainingJobs(source: string, config: TrainingSources): Promise<Job[]> {
  if (source === 'photographs') return PHOTOGRAPHS.training.map(photograph);
  if (source === 'synthetic') {
    const { seed, syntheticCount, syntheticSize: size } = config;
    return Array.from({ length: syntheticCount }, (_, index) => synthetic({ seed, index, size }));
  }
  const files = await picturesIn(source).catch(error => {
    throw asSourceError(source, error, '--data');
  });
  if (files.length === 0) throw new PictureSourceError(source, 'holds no PNG or JPEG file, nor does a folder HR in it');
  return files.map(path => ({ name: basename(path, extname(path)), path, read: () => readPicture(path) }));
}

async function picturesIn(folder: string): Promise<string[]> {
  const files = await listPictures(folder);
  return files.length === 0 && (await readdir(folder)).includes('HR') ? await listPictures(join(folder, 'HR')) : files;
}

/** A wrong word for a source looks like a missing folder: say what there is. */
function asSourceError(source: string, error: unknown, flag: string): unknown {
  if (!(error instanceof ImageError)) return error;
  const problem = error.message.slice(error.file.length + 2);
  const hint = `${flag} takes a folder of pictures, synthetic or photographs`;
  return new PictureSourceError(source, `${problem}; ${hint}`, { cause: error });
}

/** @throws ImageError where a side is shorter than `least`. */
function pair(job: Job, original: Picture, least: number): TrainingPicture {
  if (original.width < least || original.height < least) {
    throw new ImageError(job.path ?? job.name, `${describe(original)}: smaller than the crops of ${least}x${least}`);
  }
  const hr = cropToMultiple(original, 4);
  return { name: job.name, hr, lr: shrink(hr) };
}

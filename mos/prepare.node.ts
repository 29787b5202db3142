/** Prepares a study: computes every version of every picture and stores them under random names. */

import { randomBytes } from 'node:crypto';
import { readdir, rm, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { jsonText } from '../common/text.ts';
import { type DataSet, readPairs } from '../eval/dataset.node.ts';
import type { Pair } from '../eval/evaluate.ts';
import { interpolation, type Method } from '../eval/methods.ts';
import { sha256Of } from '../files/digest.node.ts';
import { codeOf, reasonOf, unwritable } from '../files/file-error.ts';
import { makeFolder } from '../files/make-folder.node.ts';
import { writeAtomically } from '../files/write.node.ts';
import { encodePng } from '../image/codec.node.ts';
import { readPicture } from '../image/files.node.ts';
import { describe, type Picture, splitAlpha } from '../image/picture.ts';
import { shrink } from '../image/resize.ts';
import { syntheticPicture } from '../image/synthetic.ts';
import { StudyError } from './errors.ts';
import { findResults } from './results-folder.node.ts';
import { itemsOf, MOST_REPEATS, parseStudy, type Study } from './study.ts';
import { MANIFEST, type OpenStudy, picturePath } from './study-folder.node.ts';
import { isLeftOut, ORIGINAL } from './versions.ts';

/** A method whose results are shown. */
export interface StudyMethod {
  readonly label: string;
  /** For the report: a model's name or file. */
  readonly source: string;
  readonly method: Method;
}

/** A folder with the results of another program. */
export interface StudyResults {
  readonly label: string;
  readonly folder: string;
}

/** What a study is made of. */
export interface StudyContent {
  readonly sets: readonly DataSet[];
  readonly methods: readonly StudyMethod[];
  readonly results?: readonly StudyResults[];
  /** Pictures of the calibration. Default: synthetic ones. */
  readonly calibration?: DataSet | undefined;
  /** At most this many pictures are used for the calibration. Default: 20, as in the paper; 5 if they are synthetic. */
  readonly calibrationCount?: number | undefined;
  /** Pictures that each rater sees twice. Default: a twentieth. */
  readonly repeats?: number | undefined;
  /** Determines the order of each rater. Default: 0. */
  readonly seed?: number | undefined;
  /** Leave out the versions that the paper left out on BSD100. Default: false. */
  readonly asInPaper?: boolean | undefined;
}

export interface PrepareControl {
  readonly signal?: AbortSignal | undefined;
  readonly onNote?: ((note: string) => void) | undefined;
  /** Called after each stored picture. */
  readonly onPicture?: ((name: string) => void) | undefined;
}

/** Side of the synthetic pictures of the calibration, in pixels. */
const SYNTHETIC_SIDE = 256;
const SYNTHETIC_COUNT = 5;
/** As in the paper. */
const CALIBRATION_COUNT = 20;
const REPEATED_PART = 1 / 20;

/**
 * Writes a study into a folder that is missing or empty. If that fails, nothing stays there.
 * @throws StudyError if the folder is not empty, a label occurs twice, or results are missing or of another size;
 *   ImageError if a picture cannot be read or is too small; errors of the methods; the signal's reason.
 */
export async function prepareStudy(
  folder: string,
  content: StudyContent,
  control: PrepareControl = {},
): Promise<OpenStudy> {
  await refuseOccupied(folder);
  checkLabels(folder, content);
  const pictures = join(folder, 'pictures');
  await makeFolder(pictures).catch(error => {
    throw unwritable(pictures, error);
  });
  try {
    const study = await new Preparation(folder, content, control).run();
    const text = jsonText(study);
    await writeAtomically(join(folder, MANIFEST), text);
    return { folder, study, digest: sha256Of(text) };
  } catch (error) {
    await rm(pictures, { recursive: true, force: true });
    throw error;
  }
}

async function refuseOccupied(folder: string): Promise<void> {
  const found = await readdir(folder).catch((error): string[] => {
    if (codeOf(error) === 'ENOENT') return [];
    throw new StudyError(folder, `cannot be used: ${reasonOf(error)}`, { cause: error });
  });
  if (found.includes(MANIFEST)) throw new StudyError(folder, 'holds a study already; choose another folder');
  if (found.length > 0) throw new StudyError(folder, 'is not empty; choose another folder');
}

function checkLabels(folder: string, { methods, results = [] }: StudyContent): void {
  const labels = [...methods, ...results].map(({ label }) => label);
  const seen = new Set([ORIGINAL]);
  for (const label of labels) {
    if (label.trim() === '')
      throw new StudyError(folder, '--results: expected LABEL=DIR with a label, got an empty one');
    if (seen.has(label)) throw new StudyError(folder, `two versions are called ${label}: use --results LABEL=DIR`);
    seen.add(label);
  }
}

class Preparation {
  readonly #folder: string;
  readonly #content: StudyContent;
  readonly #control: PrepareControl;
  readonly #files: Record<string, string> = {};

  constructor(folder: string, content: StudyContent, control: PrepareControl) {
    this.#folder = folder;
    this.#content = content;
    this.#control = control;
  }

  async run(): Promise<Study> {
    const { methods, results = [], seed = 0 } = this.#content;
    const sets = [];
    for (const set of this.#content.sets) sets.push(await this.#set(set));
    const used = new Set(sets.flatMap(({ pictures }) => pictures.flatMap(({ shown }) => Object.keys(shown))));
    for (const { label, folder } of results) {
      if (!used.has(label))
        throw new StudyError(folder, 'holds no result of any picture: expected files named like them');
    }
    const study = {
      version: 1,
      id: randomBytes(8).toString('hex'),
      created: new Date().toISOString(),
      seed,
      repeats: 0,
      versions: [
        ...methods.map(({ label, source }) => ({ label, source })),
        ...results.map(({ label, folder }) => ({ label, source: `pictures in ${basename(resolve(folder))}` })),
        { label: ORIGINAL, source: 'the data' },
      ].filter(({ label }) => used.has(label)),
      sets,
      calibration: await this.#calibration(),
      files: this.#files,
    };
    return parseStudy({ ...study, repeats: this.#repeats(itemsOf(parseStudy(study)).length) });
  }

  #repeats(items: number): number {
    const most = Math.floor(items * MOST_REPEATS);
    const wanted = this.#content.repeats ?? Math.min(most, Math.max(1, Math.round(items * REPEATED_PART)));
    if (wanted <= most) return wanted;
    throw new StudyError(this.#folder, `--repeats: expected at most ${most}, half of ${items} pictures, got ${wanted}`);
  }

  async #set(set: DataSet) {
    const name = basename(resolve(set.folder));
    const { methods, results = [], asInPaper = false } = this.#content;
    const names = set.entries.map(entry => entry.name);
    const found: { label: string; paths: ReadonlyMap<string, string> }[] = [];
    for (const { label, folder } of results) {
      const paths = await findResults(folder, names);
      const missing = names.filter(one => !paths.has(one));
      // A version may be rated on some sets only, but there on all pictures.
      if (missing.length === names.length) continue;
      if (missing.length > 0) {
        const listed = missing.slice(0, 3).join(', ');
        throw new StudyError(
          folder,
          `no result of ${missing.length} of ${names.length} pictures of ${name}: ${listed}`,
        );
      }
      found.push({ label, paths });
    }
    const pictures = [];
    for await (const pair of this.#pairs(set)) {
      const shown: Record<string, string> = {};
      for (const { label, method } of methods) {
        if (asInPaper && isLeftOut(label, name)) continue;
        shown[label] = await this.#store(await method(pair.lr, this.#control), pair, label);
      }
      for (const { label, paths } of found) {
        const path = paths.get(pair.name);
        if (path === undefined) throw new StudyError(set.folder, `${pair.name}: no result of ${label}`);
        shown[label] = await this.#store(splitAlpha(await readPicture(path)).colour, pair, path);
      }
      shown[ORIGINAL] = await this.#store(pair.hr, pair, ORIGINAL);
      pictures.push({ name: pair.name, width: pair.hr.width, height: pair.hr.height, shown });
    }
    return { name, pictures };
  }

  async #calibration() {
    const { calibration, calibrationCount } = this.#content;
    const most = calibrationCount ?? (calibration ? CALIBRATION_COUNT : SYNTHETIC_COUNT);
    const pairs = calibration ? this.#pairs(calibration) : syntheticPairs(most);
    const nearest = interpolation('nearest');
    const examples: Study['calibration'] = [];
    if (most === 0) return examples;
    for await (const pair of pairs) {
      const low = await this.#store(await nearest(pair.lr, this.#control), pair, 'example of a 1');
      const high = await this.#store(pair.hr, pair, 'example of a 5');
      examples.push({ name: pair.name, width: pair.hr.width, height: pair.hr.height, low, high });
      if (examples.length === most) break;
    }
    return examples;
  }

  /** Reads a set to its end: raters see all of its pictures, so a faulty one is an error. */
  #pairs(set: DataSet): AsyncGenerator<Pair> {
    const { signal, onNote } = this.#control;
    return readPairs(set, {
      signal,
      onNote,
      onSkip: error => {
        throw error;
      },
    });
  }

  /** Stores a version. Its name is random, and its file holds nothing but pixels. */
  async #store(picture: Picture, { name, hr }: Pair, what: string): Promise<string> {
    if (picture.width !== hr.width || picture.height !== hr.height) {
      const sizes = `${describe(picture)}: expected ${hr.width}x${hr.height}, the size of the original`;
      throw new StudyError(what, `${name}: ${sizes}`);
    }
    this.#control.signal?.throwIfAborted();
    const id = randomBytes(16).toString('hex');
    const bytes = await encodePng(picture);
    const path = picturePath(this.#folder, id);
    // Without syncing each: the manifest, which is written last, would tell of a picture that a crash has damaged.
    await writeFile(path, bytes, { flag: 'wx' }).catch(error => {
      throw unwritable(path, error);
    });
    this.#files[id] = sha256Of(bytes);
    this.#control.onPicture?.(name);
    return id;
  }
}

async function* syntheticPairs(count: number): AsyncGenerator<Pair> {
  for (let i = 0; i < count; i++) {
    const hr = syntheticPicture(0, i, SYNTHETIC_SIDE);
    yield { name: `synthetic ${i + 1}`, hr, lr: shrink(hr, 4) };
  }
}

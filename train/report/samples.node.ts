/** Samples of a run on its way: whole comparisons, and a part of one picture whose development the report shows. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { count } from '../../common/text.ts';
import { cropRegion } from '../../eval/comparison-region.ts';
import type { Pair } from '../../eval/evaluate.ts';
import { interpolation } from '../../eval/methods.ts';
import { readPicture } from '../../image/files.node.ts';
import { encodePng } from '../../image/index.ts';
import type { RunFolder } from '../run-folder/folder.node.ts';
import { replaceFile } from '../run-folder/replace-file.node.ts';
import { developmentPicture, partOf, type Stage, spread } from './development.ts';
import { comparisonOf, type Exhibits, exhibited, INITIAL, rowOf } from './exhibits.ts';

/** A part's file is named as its comparison, with this before the ending. */
const PART = '.part';

/** Bytes of a picture's name that a sample's has, so that there is room for the rest, also while it is being written. */
const LONGEST_NAME = 150;

/** The beginning of a name that is too long, cut between letters. */
function shortened(name: string): string {
  let [short, bytes] = ['', 0];
  for (const letter of name) {
    bytes += Buffer.byteLength(letter);
    if (bytes > LONGEST_NAME) break;
    short += letter;
  }
  return short;
}

/** The picture that samples are of: the first of the first set. */
function shownPicture(exhibits: Exhibits): { data: string; picture: Pair } | undefined {
  const [set] = exhibited(exhibits);
  const [picture] = set?.pictures ?? [];
  return set && picture && { data: set.data, picture };
}

/** Writes how far the network is after `step` updates. */
export async function writeSample(folder: RunFolder, exhibits: Exhibits, step: number): Promise<void> {
  const shown = shownPicture(exhibits);
  if (!shown) return;
  const row = await rowOf(exhibits, shown.picture);
  const { name, hr, results } = row;
  const [bicubic, result] = [results.at(0)!.picture, results.at(-1)!.picture];
  const comparison = comparisonOf(exhibits, shown.data, [row], step);
  const file = shortened(name);
  await replaceFile(folder.samplePath(step, file), await encodePng(comparison));
  const part = cropRegion(result, partOf(bicubic, hr));
  await replaceFile(folder.samplePath(step, `${file}${PART}`), await encodePng(part));
}

/** The parts of all samples after at most `step` updates, from bicubic to the original; undefined without any. */
export async function development(
  folder: RunFolder,
  exhibits: Exhibits,
  step: number,
): Promise<{ readonly name: string; readonly png: Uint8Array } | undefined> {
  const shown = shownPicture(exhibits);
  if (!shown) return undefined;
  const { name, lr, hr } = shown.picture;
  const bicubic = await interpolation('bicubic')(lr);
  const region = partOf(bicubic, hr);
  const samples: Stage[] = [];
  for (const [at, path] of await partsIn(folder, name)) {
    if (at > step) continue;
    const picture = await readPicture(path);
    // Of another evaluation set, from before a resumption.
    if (picture.width === region.width && picture.height === region.height)
      samples.push({ label: `update ${count(at)}`, picture });
  }
  if (samples.length === 0) return undefined;
  const stages = [{ label: 'bicubic', picture: cropRegion(bicubic, region) }];
  if (exhibits.initial) stages.push({ label: INITIAL, picture: cropRegion(await exhibits.initial(lr), region) });
  stages.push(...spread(samples), { label: 'original', picture: cropRegion(hr, region) });
  return { name, png: await encodePng(developmentPicture(stages)) };
}

/** Updates and files, in their order. */
async function partsIn(folder: RunFolder, name: string): Promise<[number, string][]> {
  const parts: [number, string][] = [];
  for (const file of (await readdir(join(folder.path, 'samples'))).sort()) {
    const [, digits, of] = /^step-(\d+)-(.*)\.png$/.exec(file) ?? [];
    if (of === `${shortened(name)}${PART}`) parts.push([Number(digits), join(folder.path, 'samples', file)]);
  }
  return parts;
}

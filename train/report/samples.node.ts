/** Writes sample pictures during a run: a comparison, and a region whose development the report shows. */
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
import { developmentPicture, evenlySpaced, type Stage, shownRegion } from './development.ts';
import { type ComparedRun, comparedSets, comparisonRow, drawComparison, INITIAL } from './run-comparison.ts';

/** Inserted before the file name's ending for a region. Older runs have such files, so it stays. */
const REGION = '.part';

/** Maximum bytes of the picture's name in the file name, which leaves room for the rest and for a temporary name. */
const MAX_NAME_BYTES = 150;

/** Shortens a long name, between characters. */
function shortened(name: string): string {
  let [short, bytes] = ['', 0];
  for (const letter of name) {
    bytes += Buffer.byteLength(letter);
    if (bytes > MAX_NAME_BYTES) break;
    short += letter;
  }
  return short;
}

/** The picture of the samples: the first of the first set. */
function shownPicture(run: ComparedRun): { data: string; picture: Pair } | undefined {
  const [set] = comparedSets(run);
  const [picture] = set?.pictures ?? [];
  return set && picture && { data: set.data, picture };
}

/** Writes a sample of the network after `step` updates. */
export async function writeSample(folder: RunFolder, run: ComparedRun, step: number): Promise<void> {
  const shown = shownPicture(run);
  if (!shown) return;
  const row = await comparisonRow(run, shown.picture);
  const { name, hr, results } = row;
  const [bicubic, result] = [results.at(0)!.picture, results.at(-1)!.picture];
  const comparison = drawComparison(run, shown.data, [row], step);
  const file = shortened(name);
  await replaceFile(folder.samplePath(step, file), await encodePng(comparison));
  const region = cropRegion(result, shownRegion(bicubic, hr));
  await replaceFile(folder.samplePath(step, `${file}${REGION}`), await encodePng(region));
}

/** Draws the regions of the samples up to `step` updates, from bicubic to the original; undefined if there are none. */
export async function development(
  folder: RunFolder,
  run: ComparedRun,
  step: number,
): Promise<{ readonly name: string; readonly png: Uint8Array } | undefined> {
  const shown = shownPicture(run);
  if (!shown) return undefined;
  const { name, lr, hr } = shown.picture;
  const bicubic = await interpolation('bicubic')(lr);
  const region = shownRegion(bicubic, hr);
  const samples: Stage[] = [];
  for (const [at, path] of await regionFiles(folder, name)) {
    if (at > step) continue;
    const picture = await readPicture(path);
    // Skip samples of another evaluation set, from before a resume.
    if (picture.width === region.width && picture.height === region.height)
      samples.push({ label: `update ${count(at)}`, picture });
  }
  if (samples.length === 0) return undefined;
  const stages = [{ label: 'bicubic', picture: cropRegion(bicubic, region) }];
  if (run.initial) stages.push({ label: INITIAL, picture: cropRegion(await run.initial(lr), region) });
  stages.push(...evenlySpaced(samples), { label: 'original', picture: cropRegion(hr, region) });
  return { name, png: await encodePng(developmentPicture(stages)) };
}

/** The region files of a picture with their numbers of updates, ascending. */
async function regionFiles(folder: RunFolder, name: string): Promise<[number, string][]> {
  const files: [number, string][] = [];
  for (const file of (await readdir(join(folder.path, 'samples'))).sort()) {
    const [, digits, of] = /^step-(\d+)-(.*)\.png$/.exec(file) ?? [];
    if (of === `${shortened(name)}${REGION}`) files.push([Number(digits), join(folder.path, 'samples', file)]);
  }
  return files;
}

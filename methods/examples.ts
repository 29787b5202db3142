/**
 * Example-based super-resolution in one pass: the picture is enlarged by bicubic interpolation, and each of its patches
 * gets the detail of the training patch that looks most like it and fits the detail already written beside it.
 *
 * Freeman, Jones & Pasztor, "Example-Based Super-Resolution", IEEE Computer Graphics and Applications 22(2), 2002. The
 * factor 4 is two times 2. No program of the authors is public; sides of patches, weight and order are those of
 * independent ports, and what is marked "ours" here and in patch-dictionary.ts is a choice of this program. With
 * 100,000 patches of 70 photographs, Set5 scores 27.95 dB, less than bicubic (28.42): detail that is likely is still not the
 * detail that was there.
 */

import type { Plane } from '../image/plane.ts';
import { MethodError } from './errors.ts';
import type { LumaMethod, RunControl } from './luma-method.ts';
import type { Pass } from './passes.ts';
import { FLAT_CONTRAST, HIGH, HIGH_SIDE, LOW, type PatchDictionary, readLowPatch } from './patch-dictionary.ts';
import { gridOver, type PatchGrid, STEP, trimmed, withBand } from './patch-grid.ts';
import { PatchSearch, type SearchIndex, searchIndexOf } from './patch-search.ts';

/** α = 0.1 · M² / (2N − 1): the weight of what is written beside a patch against its 49 low numbers. */
export const ALPHA = (0.1 * LOW) / (2 * HIGH_SIDE - 1);

/** Places of a patch in the row above and the column to the left, where it overlaps with earlier ones. */
const TOP = Array.from({ length: HIGH_SIDE }, (_, x) => x);
const LEFT = Array.from({ length: HIGH_SIDE - 1 }, (_, i) => (i + 1) * HIGH_SIDE);
/** Overlapping places by whether there is a patch above and one to the left: [left][above]. Ours at the edges. */
const OVERLAPS = [
  [[], TOP],
  [
    [0, ...LEFT],
    [...TOP, ...LEFT],
  ],
] as const;

interface Wave extends PatchGrid, SearchIndex {
  /** The high band so far, with the grid's whole patches. */
  readonly band: Float64Array;
  /** The first patch of the wave. */
  readonly row: number;
  readonly column: number;
}

/**
 * Patches (row + k, column − 2k) for items k. Each needs those above, above right and to the left, which are in earlier
 * waves, so that the result is that of one patch after the other in raster order.
 */
const WAVE: Pass<Wave> = {
  name: 'examples wave',
  work(data, from, to) {
    const { middle, middleStride, band, bandStride, high } = data;
    const search = new PatchSearch(data, 1);
    const low = new Float64Array(LOW);
    const beside = new Float64Array(2 * HIGH_SIDE - 1);
    for (let k = from; k < to; k++) {
      const row = data.row + k;
      const column = data.column - 2 * k;
      const contrast = readLowPatch(middle, middleStride, STEP * (row * middleStride + column), low);
      if (contrast < FLAT_CONTRAST) continue;
      const start = STEP * (row * bandStride + column);
      const at = (place: number) => start + Math.floor(place / HIGH_SIDE) * bandStride + (place % HIGH_SIDE);
      const places = OVERLAPS[column > 0 ? 1 : 0][row > 0 ? 1 : 0];
      for (const [i, place] of places.entries()) beside[i] = band[at(place)] / contrast;
      search.find(low, ALPHA ** 2, places, beside);
      if (search.count === 0) continue;
      const [found] = search.found;
      for (let place = 0; place < HIGH; place++) band[at(place)] = high[found * HIGH + place] * contrast;
    }
  },
};

/**
 * [h][w] → [2h][2w].
 * @param onDone hears the number of finished patches and of all.
 */
export async function doubleByExamples(
  plane: Plane,
  dictionary: PatchDictionary,
  { runner, signal }: RunControl,
  onDone?: (patches: number, all: number) => void,
): Promise<Plane> {
  const { low, grid } = gridOver(plane, runner);
  const { rows, columns, bandStride } = grid;
  const band = new Float64Array(runner.memory(8 * bandStride * (STEP * rows + 1)));
  const data = { ...grid, ...searchIndexOf(dictionary, runner), band };
  let done = 0;
  for (let wave = 0; wave <= 2 * (rows - 1) + columns - 1; wave++) {
    const first = Math.max(0, Math.ceil((wave - columns + 1) / 2));
    const last = Math.min(rows - 1, Math.floor(wave / 2));
    if (last < first) continue;
    const before = done;
    await runner.run(WAVE, { ...data, row: first, column: wave - 2 * first }, last - first + 1, {
      signal,
      onDone: items => onDone?.(before + items, rows * columns),
    });
    done += last - first + 1;
  }
  return withBand(low, trimmed(band, bandStride, low));
}

/** @throws MethodError without a dictionary. */
export function dictionaryOf({ dictionary }: RunControl, name: string): PatchDictionary {
  if (!dictionary) throw new MethodError(`${name}: expected a dictionary of examples, got none`);
  return dictionary;
}

export const EXAMPLES: LumaMethod = {
  name: 'freeman',
  summary: 'example-based, one pass: detail of the most similar training patches (--dictionary)',
  source: 'Freeman, Jones & Pasztor, Example-Based Super-Resolution, 2002',
  scale: 4,
  reach: 16,
  needsDictionary: true,
  passes: [WAVE],
  async run(y, control) {
    const dictionary = dictionaryOf(control, 'freeman');
    // The second round has four times as many patches.
    const onProgress = (done: number) => control.onProgress?.(done, 5);
    const twice = await doubleByExamples(y, dictionary, control, (done, all) => onProgress(done / all));
    return await doubleByExamples(twice, dictionary, control, (done, all) => onProgress(1 + (4 * done) / all));
  },
};

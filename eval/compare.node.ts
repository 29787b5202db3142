/** Compares methods on a data set: one comparison picture for each original, or all that a page needs. */

import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ImageError } from '../image/errors.ts';
import { writePicture } from '../image/files.node.ts';
import type { Picture } from '../image/picture.ts';
import { type ComparisonOptions, type ComparisonRow, comparisonPicture } from './comparison.ts';
import type { Region } from './comparison-region.ts';
import { checkCrop, cropFigure } from './crop-figure.ts';
import { type DataSet, readPairs } from './dataset.node.ts';
import type { Method } from './methods.ts';
import type { UpscaleControl } from './upscale.ts';

/** Options of a comparison. */
export interface CompareOptions extends Omit<ComparisonOptions, 'heading'>, UpscaleControl {
  /** Show this crop of each picture, as papers do, instead of the region that differs most; see `cropFigure`. */
  readonly crop?: Region | undefined;
  /** Replace existing files. Default: false. */
  readonly overwrite?: boolean | undefined;
  /** Called with a line about each problem that was worked around. */
  readonly onNote?: ((note: string) => void) | undefined;
  /**
   * Called with what is compared, also if its picture exists already. Only one row has to be held at a time. Default:
   * nothing, and pictures that exist are not computed again.
   */
  readonly onRow?: ((row: ComparisonRow) => Promise<void>) | undefined;
  /** Called for unreadable originals and existing files. */
  readonly onSkip?: ((error: ImageError) => void) | undefined;
  /** Called before each picture. */
  readonly onStart?: ((name: string, index: number) => void) | undefined;
}

/** The path of the comparison of picture `name`. */
export const comparisonPath = (folder: string, name: string): string => join(folder, `${name}_compared.png`);

/**
 * Writes `NAME_compared.png` (see `comparisonPicture`) for each picture of a set into a folder, and yields each path
 * when it is written. Unreadable originals and existing results are passed to `onSkip` and skipped.
 * @param folder undefined: no pictures are written, and what is compared is only passed to `onRow`.
 * @param methods from left to right; the region where the first and the last differ most is shown.
 * @throws ImageError if results cannot be compared, FileError if they cannot be written; the signal's reason; errors of methods.
 */
export async function* compareSet(
  set: DataSet,
  methods: readonly { readonly label: string; readonly method: Method }[],
  folder: string | undefined,
  { overwrite = false, crop, onRow, onSkip, onNote, onStart, onTile, onProgress, signal, ...how }: CompareOptions = {},
): AsyncGenerator<string, void, undefined> {
  const control = { onTile, onProgress, onNote, signal };
  let index = 0;
  for (const note of set.notes) onNote?.(note);
  for await (const pair of readPairs(set, { onSkip, onNote, signal })) {
    signal?.throwIfAborted();
    onStart?.(pair.name, index++);
    const path = await pathFor(pair.name, folder, overwrite, onSkip);
    if (path === undefined && !onRow) continue;
    if (crop) {
      try {
        checkCrop(pair.name, pair.hr, crop);
      } catch (error) {
        // Another picture may be larger.
        onSkip?.(error as ImageError);
        continue;
      }
    }
    const results: { label: string; picture: Picture }[] = [];
    for (const { label, method } of methods) results.push({ label, picture: await method(pair.lr, control) });
    const row = { ...pair, results };
    await onRow?.(row);
    if (path === undefined) continue;
    await writePicture(path, crop ? cropFigure(row, { ...how, crop }) : comparisonPicture([row], how));
    yield path;
  }
}

/** Where a comparison picture is to be written; undefined if nowhere. */
async function pathFor(
  name: string,
  folder: string | undefined,
  overwrite: boolean,
  onSkip: CompareOptions['onSkip'],
): Promise<string | undefined> {
  if (folder === undefined) return undefined;
  const path = comparisonPath(folder, name);
  if (overwrite || !(await stat(path).catch(() => undefined))) return path;
  onSkip?.(new ImageError(path, 'already exists: use --overwrite to replace it'));
  return undefined;
}

/** Writes comparison pictures of a data set, one file per original. */

import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ImageError } from '../image/errors.ts';
import { writePicture } from '../image/files.node.ts';
import type { Picture } from '../image/picture.ts';
import { type ComparisonOptions, comparisonPicture } from './comparison.ts';
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
 * @param methods from left to right; the region where the first and the last differ most is shown.
 * @throws ImageError if results cannot be compared, FileError if they cannot be written; the signal's reason; errors of methods.
 */
export async function* compareSet(
  set: DataSet,
  methods: readonly { readonly label: string; readonly method: Method }[],
  folder: string,
  { overwrite = false, crop, onSkip, onNote, onStart, onTile, onProgress, signal, ...how }: CompareOptions = {},
): AsyncGenerator<string, void, undefined> {
  const control = { onTile, onProgress, onNote, signal };
  let index = 0;
  for (const note of set.notes) onNote?.(note);
  for await (const pair of readPairs(set, { onSkip, onNote, signal })) {
    signal?.throwIfAborted();
    onStart?.(pair.name, index++);
    const path = comparisonPath(folder, pair.name);
    if (!overwrite && (await stat(path).catch(() => undefined))) {
      onSkip?.(new ImageError(path, 'already exists: use --overwrite to replace it'));
      continue;
    }
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
    await writePicture(path, crop ? cropFigure(row, { ...how, crop }) : comparisonPicture([row], how));
    yield path;
  }
}

/** Comparison pictures of a data set: one file for each original. */

import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ImageError } from '../image/errors.ts';
import { writePicture } from '../image/files.node.ts';
import type { Picture } from '../image/picture.ts';
import { type ComparisonOptions, comparisonPicture } from './comparison.ts';
import { type DataSet, readPairs } from './dataset.node.ts';
import type { Method } from './methods.ts';
import type { UpscaleControl } from './upscale.ts';

/** How a data set is compared. */
export interface CompareOptions extends Omit<ComparisonOptions, 'heading'>, UpscaleControl {
  /** Replace pictures that exist. Default: false. */
  readonly overwrite?: boolean | undefined;
  /** Hears, as lines for people, what was not as it should be and was overcome. */
  readonly onNote?: ((note: string) => void) | undefined;
  /** Hears of originals that cannot be read, and of files that exist. */
  readonly onSkip?: ((error: ImageError) => void) | undefined;
  /** Hears which picture comes next. */
  readonly onStart?: ((name: string, index: number) => void) | undefined;
}

/** Where the comparison of a picture called `name` goes. */
export const comparisonPath = (folder: string, name: string): string => join(folder, `${name}_compared.png`);

/**
 * Writes `NAME_compared.png` (see `comparisonPicture`) into a folder for each picture of a set, and yields its path as
 * soon as it is there. Originals that cannot be read and results that exist are handed to `onSkip` and left out.
 * @param methods from left to right; the part shown large is where the first and the last differ most.
 * @throws ImageError where results cannot be compared or written; the signal's reason; what a method throws.
 */
export async function* compareSet(
  set: DataSet,
  methods: readonly { readonly label: string; readonly method: Method }[],
  folder: string,
  { overwrite = false, onSkip, onNote, onStart, onTile, signal, ...how }: CompareOptions = {},
): AsyncGenerator<string, void, undefined> {
  const control = { onTile, onNote, signal };
  let index = 0;
  for (const note of set.notes) onNote?.(note);
  for await (const pair of readPairs(set, { onSkip, onNote, signal })) {
    signal?.throwIfAborted();
    onStart?.(pair.name, index++);
    const path = comparisonPath(folder, pair.name);
    if (!overwrite && (await stat(path).catch(() => undefined))) {
      onSkip?.(new ImageError(path, 'exists already: --overwrite replaces'));
      continue;
    }
    const results: { label: string; picture: Picture }[] = [];
    for (const { label, method } of methods) results.push({ label, picture: await method(pair.lr, control) });
    await writePicture(path, comparisonPicture([{ ...pair, results }], how));
    yield path;
  }
}

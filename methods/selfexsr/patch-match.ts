/**
 * The search for a level's field: generalized PatchMatch (Barnes et al., "The Generalized PatchMatch Correspondence
 * Algorithm", ECCV 2010).
 */

import type { Random } from '../../image/random.ts';
import { type Field, fieldFor, patchesAlong } from './field.ts';
import type { Match } from './patch-cost.ts';
import { PROPAGATE_ALONG, PROPAGATE_DOWN } from './propagate.ts';
import type { Layer } from './resample.ts';
import { SEARCH, triesFor } from './search.ts';
import { START } from './start.ts';
import type { Steps } from './steps.ts';

/** Work of `findField` (see `Steps`). */
export function fieldWork({ width, height }: { width: number; height: number }, iterations: number): number {
  return width * height * (1 + iterations * (triesFor(width, height) + DIRECTIONS.length));
}

/** In the authors' order: to the right, down, to the left, up. */
const DIRECTIONS = [
  { pass: PROPAGATE_ALONG, step: 1 },
  { pass: PROPAGATE_DOWN, step: 1 },
  { pass: PROPAGATE_ALONG, step: -1 },
  { pass: PROPAGATE_DOWN, step: -1 },
] as const;

/**
 * Finds for each 5x5 patch of `target` a transform to one of the `sources`, from the field of the next smaller level if
 * there is one. Each iteration is one random search and one propagation in each direction.
 */
export async function findField(
  target: Layer,
  sources: readonly Layer[],
  coarser: Field | undefined,
  iterations: number,
  random: Random,
  steps: Steps,
): Promise<Field> {
  const { width, height } = target;
  const field = fieldFor(steps.runner, width, height);
  const match: Match = { field, target, sources };
  const [rows, columns] = [patchesAlong(height), patchesAlong(width)];
  const pixels = width * height;
  await steps.run(START, { ...match, coarser }, rows, pixels);
  for (let i = 0; i < iterations; i++) {
    const key = random.word();
    await steps.run(SEARCH, { ...match, key }, rows, pixels * triesFor(width, height));
    for (const { pass, step } of DIRECTIONS) {
      await steps.run(pass, { ...match, step }, pass === PROPAGATE_ALONG ? rows : columns, pixels);
    }
  }
  return field;
}

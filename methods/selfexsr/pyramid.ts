/** The pictures between the result and an eighth of the given one. */

import { type Layer, layerFor, RESAMPLE, resizing } from './resample.ts';
import { LEVELS_PER_OCTAVE, SOURCE_LEVELS } from './settings.ts';
import type { Steps } from './steps.ts';

/**
 * Level 0 is the result, level `given` the given picture, and each is 2^(-1/3) times as large as the one before. Those above
 * `given` are added as they are found.
 */
export interface Pyramid {
  readonly given: number;
  /** H: what patches bring. Indices from `given` on, first. */
  readonly sharp: Layer[];
  /** L: what patches are compared by, each the next smaller sharp one enlarged. */
  readonly blurred: Layer[];
}

/** The sides of the level `above` the given one, or below if negative: then at least 2, so that every pixel has neighbours. */
export function levelSize({ width, height }: { readonly width: number; readonly height: number }, above: number) {
  const least = above < 0 ? 2 : 1;
  const side = (length: number) => Math.max(least, Math.round(length * 2 ** (above / LEVELS_PER_OCTAVE)));
  return { width: side(width), height: side(height) };
}

/** `imresize` to the size of a level. */
export async function resized(from: Layer, width: number, height: number, steps: Steps): Promise<Layer> {
  const to = layerFor(steps.runner, width, height);
  await steps.run(RESAMPLE, { from, to, ...resizing(from, to) }, height);
  return to;
}

/** All levels from the given picture down, where `given` levels lie above it. */
export async function pyramidBelow(picture: Layer, given: number, steps: Steps): Promise<Pyramid> {
  const sharp: Layer[] = [];
  const blurred: Layer[] = [];
  const last = given + SOURCE_LEVELS;
  sharp[given] = picture;
  for (let level = given + 1; level <= last + 1; level++) {
    const { width, height } = levelSize(picture, given - level);
    sharp[level] = await resized(picture, width, height, steps);
  }
  for (let level = given; level <= last; level++) {
    const { width, height } = sharp[level];
    blurred[level] = await resized(sharp[level + 1], width, height, steps);
  }
  return { given, sharp, blurred };
}

/** Adds a level that has been found: L is H shrunk by a level and enlarged again. The last needs no L. */
export async function addLevel({ sharp, blurred }: Pyramid, level: number, found: Layer, steps: Steps): Promise<void> {
  const below = sharp[level + 1];
  sharp[level] = found;
  if (level === 0) return;
  const shrunk = await resized(found, below.width, below.height, steps);
  blurred[level] = await resized(shrunk, found.width, found.height, steps);
}

/** The SOURCE_LEVELS levels below one. */
export const sourcesBelow = (layers: readonly Layer[], level: number): Layer[] =>
  layers.slice(level + 1, level + 1 + SOURCE_LEVELS);

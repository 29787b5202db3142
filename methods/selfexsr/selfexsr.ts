/**
 * Super-resolution from the picture itself: each 5x5 patch of the enlarged picture is looked for in smaller copies of it,
 * moved, turned, sheared and scaled, and replaced by what the smaller copy shows there sharply.
 *
 * Huang, Singh & Ahuja, "Single Image Super-Resolution from Transformed Self-Exemplars", CVPR 2015, with the constants and
 * the order of steps of the authors' program. On Set5 and Set14 its mean PSNR is within 0.05 dB of their outputs', and that
 * of each picture within 0.2 dB. Another seed changes a picture's by up to 0.1 dB.
 *
 * Ours:
 * - All patches lie on the plane parallel to the image, so transforms are affine. The program also finds other planes by
 *   vanishing points, for pictures of buildings.
 * - Positions are scaled about the centres of pixels, as `imresize` does; the program scales 1-based indices. Source
 *   patches that leave the image repeat its edge; the program has zeros there.
 * - The linear part of a transform is A. The program adds both entries of its second column to one, which loses 0.1 dB.
 */

import { Random } from '../../image/random.ts';
import type { RgbMethod, RgbPlanes } from '../declaration.ts';
import { MethodError } from '../errors.ts';
import { LocalRunner, type Pass, type Runner } from '../passes.ts';
import { backProject, ROUNDS } from './back-projection.ts';
import type { Field } from './field.ts';
import { fieldWork, findField } from './patch-match.ts';
import { PROPAGATE_ALONG, PROPAGATE_DOWN } from './propagate.ts';
import { addLevel, levelSize, pyramidBelow, resized, sourcesBelow } from './pyramid.ts';
import { CORRECT, DIFFERENCE, type Layer, layerFor, RESAMPLE } from './resample.ts';
import { SEARCH } from './search.ts';
import { LEVELS_PER_OCTAVE } from './settings.ts';
import { START } from './start.ts';
import { type StepOptions, Steps } from './steps.ts';
import { VOTE } from './vote.ts';

export interface SelfExSROptions extends Partial<StepOptions> {
  /** How many times as wide and high. Default: 4. */
  readonly scale?: 2 | 4;
  /** Integer in 0…2^53 - 1. Default: 0. */
  readonly seed?: number;
  /** Default: this thread alone. */
  readonly runner?: Runner;
}

const PASSES: readonly Pass<never>[] = [
  RESAMPLE,
  DIFFERENCE,
  CORRECT,
  START,
  SEARCH,
  PROPAGATE_ALONG,
  PROPAGATE_DOWN,
  VOTE,
];

/** Iterations of the search on the smallest level, on the next ones, and on all that follow. */
const ITERATIONS = [12, 9, 6, 3];

const iterationsOf = (nth: number) => ITERATIONS[Math.min(nth, ITERATIONS.length - 1)];

/**
 * Enlarges a picture; samples are from 0 to 1, not rounded. The same picture, scale and seed give the same bytes for every
 * runner and number of threads.
 * @throws MethodError for another scale, or planes that do not fit the size; the signal's reason.
 */
export async function selfExSR(picture: RgbPlanes, options: SelfExSROptions = {}): Promise<RgbPlanes> {
  const { scale = 4, seed = 0, runner = new LocalRunner() } = options;
  check(picture, scale, seed);
  const above = LEVELS_PER_OCTAVE * Math.log2(scale);
  const steps = new Steps({ ...options, runner }, totalWork(picture, above));
  const given = interleaved(picture, runner);
  const pyramid = await pyramidBelow(given, above, steps);
  const { sharp, blurred } = pyramid;
  const random = new Random(seed);
  let field: Field | undefined;
  for (let level = above - 1; level >= 0; level--) {
    const { width, height } = levelSize(picture, above - level);
    const target = await resized(sharp[level + 1], width, height, steps);
    field = await findField(
      target,
      sourcesBelow(blurred, level),
      field,
      iterationsOf(above - 1 - level),
      random,
      steps,
    );
    const result = layerFor(runner, width, height);
    await steps.run(VOTE, { field, target, sources: sourcesBelow(sharp, level), result }, height, width * height);
    await backProject(result, given, steps);
    await addLevel(pyramid, level, result, steps);
  }
  return planesOf(sharp[0]);
}

function check({ width, height, planes }: RgbPlanes, scale: number, seed: number): void {
  if (scale !== 2 && scale !== 4) throw new MethodError(`scale: expected 2 or 4, got ${scale}`);
  if (!Number.isSafeInteger(seed) || seed < 0) {
    throw new MethodError(`seed: expected an integer from 0 to 2^53 - 1, got ${seed}`);
  }
  const sides = Number.isInteger(width) && Number.isInteger(height) && width > 0 && height > 0;
  if (!sides || planes.some(({ length }) => length !== width * height)) {
    const lengths = planes.map(({ length }) => length).join(', ');
    throw new MethodError(`planes: expected ${width}x${height} samples in each, got ${lengths}`);
  }
}

/** As a method by name. */
export const SELFEXSR: RgbMethod = {
  reads: 'rgb',
  name: 'selfexsr',
  summary: 'super-resolution from transformed self-exemplars, minutes per picture',
  source: 'Huang, Singh & Ahuja, Single Image Super-Resolution from Transformed Self-Exemplars, CVPR 2015',
  scale: 4,
  // Patches come from anywhere; this is what corrections and votes reach.
  reach: 8,
  passes: PASSES,
  run: (planes, { runner, onProgress, signal }) => selfExSR(planes, { runner, onProgress, signal }),
};

/** Work of all levels (see `Steps`): their fields, votes and back-projections. */
function totalWork(picture: RgbPlanes, above: number): number {
  let total = 0;
  for (let nth = 0; nth < above; nth++) {
    const size = levelSize(picture, nth + 1);
    total += fieldWork(size, iterationsOf(nth)) + size.width * size.height * (1 + ROUNDS);
  }
  return total;
}

function interleaved({ width, height, planes }: RgbPlanes, runner: Runner): Layer {
  const layer = layerFor(runner, width, height);
  for (const [c, plane] of planes.entries()) {
    for (let i = 0; i < plane.length; i++) layer.data[i * 3 + c] = plane[i];
  }
  return layer;
}

function planesOf({ width, height, data }: Layer): RgbPlanes {
  const plane = (c: number) => {
    const out = new Float32Array(width * height);
    for (let i = 0; i < out.length; i++) out[i] = data[i * 3 + c];
    return out;
  };
  return { width, height, planes: [plane(0), plane(1), plane(2)] };
}

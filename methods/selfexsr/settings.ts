/** What several files of the method share: its pyramid and its patches. Values of the authors' program (sr_init_opt.m). */

import { gaussianTaps } from '../../image/filter.ts';

/** Levels per factor of 2. Each level of the pyramid is 2^(-1/3) times as large as the one before it. */
export const LEVELS_PER_OCTAVE = 3;

/** How many levels below its own a patch may come from: the last is an eighth of the size. */
export const SOURCE_LEVELS = 3 * LEVELS_PER_OCTAVE;

/** Pixels from the centre of a patch to its sides: patches are 5x5. */
export const RADIUS = 2;

/** Standard deviation of a patch's Gaussian weights, in pixels. */
const SIGMA = 3;

/** Weights of the pixels -2…2 in one direction; their sum is 1. A pixel's weight in a patch is the product of two. */
export const WEIGHTS: readonly number[] = [...gaussianTaps(RADIUS, SIGMA)];

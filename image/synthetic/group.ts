/** The input of group painters. */

import type { Random } from '../random.ts';
import type { Canvas } from './canvas.ts';
import type { Noise } from './noise.ts';
import type { Colour, Palette } from './palette.ts';

/** The tools of a group painter. */
export interface Scene {
  readonly canvas: Canvas;
  readonly random: Random;
  readonly palette: Palette;
  readonly noises: readonly Noise[];
}

/** A group's position, extent and edge softness. */
export interface Spot {
  readonly x: number;
  readonly y: number;
  readonly radius: number;
  readonly softness: number;
}

/** The colour, multiplied by `factor`. */
export const dimmed = ([r, g, b]: Colour, factor: number): Colour => [r * factor, g * factor, b * factor];

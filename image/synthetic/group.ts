/** What painters of groups of things are given. */

import type { Random } from '../random.ts';
import type { Canvas } from './canvas.ts';
import type { Noise } from './noise.ts';
import type { Colour, Palette } from './palette.ts';

/** What a painter of details works with. */
export interface Scene {
  readonly canvas: Canvas;
  readonly random: Random;
  readonly palette: Palette;
  readonly noises: readonly Noise[];
}

/** Where a group lies, how far it extends, and how soft edges are there. */
export interface Place {
  readonly x: number;
  readonly y: number;
  readonly radius: number;
  readonly softness: number;
}

/** The same colour under `factor` of the light. */
export const dimmed = ([r, g, b]: Colour, factor: number): Colour => [r * factor, g * factor, b * factor];

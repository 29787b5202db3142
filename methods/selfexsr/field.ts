/** The field: for each patch of a level, the place and shape of the source patch that it is made from. */

import type { Runner } from '../passes.ts';
import { RADIUS } from './settings.ts';

/** Numbers per patch in `Field.transforms`. */
export const STRIDE = 6;

/**
 * One entry per pixel (y · width + x), the centre of a patch. Entries closer than RADIUS to an edge are not used: a patch
 * lies within the image.
 */
export interface Field {
  readonly width: number;
  readonly height: number;
  /**
   * a, b, c, d, x, y. The patch's pixel (dx, dy) from its centre corresponds to (x + a·dx + c·dy, y + b·dx + d·dy), in
   * pixels of the field; centres of pixels have whole coordinates.
   */
  readonly transforms: Float32Array;
  readonly costs: Float32Array;
  /** What is added to the source patch's R, G and B. */
  readonly biases: Float32Array;
  /** 1: has changed in this iteration. */
  readonly changed: Uint8Array;
}

/** An empty field. */
export function fieldFor(runner: Runner, width: number, height: number): Field {
  const floats = (each: number) =>
    new Float32Array(runner.memory(width * height * each * Float32Array.BYTES_PER_ELEMENT));
  return {
    width,
    height,
    transforms: floats(STRIDE),
    costs: floats(1),
    biases: floats(3),
    changed: new Uint8Array(runner.memory(width * height)),
  };
}

/** Patches in a row or column of `length` pixels. */
export const patchesAlong = (length: number): number => Math.max(0, length - 2 * RADIUS);

/** Whether the source patch's centre is far enough from the edges, for the transform that begins at `from`. */
export function isWithin(transforms: Float32Array, from: number, { width, height }: Field): boolean {
  const x = transforms[from + 4];
  const y = transforms[from + 5];
  return x >= RADIUS && x <= width - 1 - RADIUS && y >= RADIUS && y <= height - 1 - RADIUS;
}

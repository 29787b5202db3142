/** The field that a level's search begins with. */

import type { Pass } from '../passes.ts';
import { type Field, patchesAlong, STRIDE } from './field.ts';
import { Candidates, type Match } from './patch-cost.ts';
import { RADIUS } from './settings.ts';

/** Scale of the first field: patches come from half the size. */
const FIRST_SCALE = 2;

interface Start extends Match {
  /** The field of the next coarser level; none for the first. */
  readonly coarser?: Field | undefined;
}

const clamp = (value: number, length: number) => Math.min(length - 1 - RADIUS, Math.max(RADIUS, value));

/**
 * Without a coarser field, each patch starts as the one around its own place, twice as large. Otherwise it moves with the
 * nearest patch of the coarser field. Items: rows of patches.
 */
export const START: Pass<Start> = {
  name: 'selfexsr start',
  work(start, from, to) {
    const { field, coarser } = start;
    const { width, height } = field;
    const candidates = new Candidates(start, patchesAlong(width));
    const { transforms, places } = candidates;
    for (let y = RADIUS + from; y < RADIUS + to; y++) {
      for (let x = RADIUS; x < width - RADIUS; x++) {
        const own = candidates.count * STRIDE;
        places[candidates.count++] = y * width + x;
        if (!coarser) {
          transforms[own] = FIRST_SCALE;
          transforms[own + 3] = FIRST_SCALE;
          transforms[own + 4] = x;
          transforms[own + 5] = y;
          continue;
        }
        const rx = coarser.width / width;
        const ry = coarser.height / height;
        const px = clamp(Math.floor((x + 0.5) * rx), coarser.width);
        const py = clamp(Math.floor((y + 0.5) * ry), coarser.height);
        const parent = (py * coarser.width + px) * STRIDE;
        const a = coarser.transforms[parent];
        const b = coarser.transforms[parent + 1];
        const c = coarser.transforms[parent + 2];
        const d = coarser.transforms[parent + 3];
        // What is left between this patch and its parent, in pixels of this level.
        const dx = x - ((px + 0.5) / rx - 0.5);
        const dy = y - ((py + 0.5) / ry - 0.5);
        const u = (coarser.transforms[parent + 4] + 0.5) / rx - 0.5 + a * dx + c * dy;
        const v = (coarser.transforms[parent + 5] + 0.5) / ry - 0.5 + b * dx + d * dy;
        transforms[own] = a;
        transforms[own + 1] = b;
        transforms[own + 2] = c;
        transforms[own + 3] = d;
        transforms[own + 4] = clamp(u, width);
        transforms[own + 5] = clamp(v, height);
      }
      field.costs.fill(Number.POSITIVE_INFINITY, y * width, (y + 1) * width);
      candidates.tryAll();
    }
  },
};

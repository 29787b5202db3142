/**
 * Propagation: patches try the transforms of neighbours that have changed. A neighbour's transform, continued to the patch,
 * is what it would be if both came from the same piece of the source.
 */

import type { Pass } from '../passes.ts';
import { type Field, isWithin, patchesAlong, STRIDE } from './field.ts';
import { Candidates, type Match } from './patch-cost.ts';
import { RADIUS } from './settings.ts';

interface Propagation extends Match {
  /** Where changes move: 1 to the right or down, -1 to the left or up. */
  readonly step: 1 | -1;
}

/** Adds, for patch `at`, the transform of the patch (dx, dy) before it. */
function addFrom(candidates: Candidates, field: Field, at: number, dx: number, dy: number): void {
  const { transforms } = field;
  const from = (at - dy * field.width - dx) * STRIDE;
  const tried = candidates.transforms;
  const to = candidates.count * STRIDE;
  const a = transforms[from];
  const b = transforms[from + 1];
  const c = transforms[from + 2];
  const d = transforms[from + 3];
  tried[to] = a;
  tried[to + 1] = b;
  tried[to + 2] = c;
  tried[to + 3] = d;
  tried[to + 4] = transforms[from + 4] + a * dx + c * dy;
  tried[to + 5] = transforms[from + 5] + b * dx + d * dy;
  if (isWithin(tried, to, field)) candidates.places[candidates.count++] = at;
}

/** A part of the field: pixels from `left` and `top` to `right` and `bottom`, exclusive. */
interface Part {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/**
 * Changes move by (dx, dy) through a part of the field: first all patches behind a changed one try its transform at once,
 * then those behind patches that changed by that, until none does.
 */
function propagate(match: Match, { left, top, right, bottom }: Part, dx: number, dy: number): void {
  const { field } = match;
  const { width, changed } = field;
  const candidates = new Candidates(match, (right - left) * (bottom - top));
  const behind = dy * width + dx;
  // All patches that have one before them in this part.
  for (let y = Math.max(top, top + dy); y < Math.min(bottom, bottom + dy); y++) {
    for (let x = Math.max(left, left + dx); x < Math.min(right, right + dx); x++) {
      const at = y * width + x;
      if (changed[at - behind] === 1) addFrom(candidates, field, at, dx, dy);
    }
  }
  for (let improved = candidates.tryAll(); improved > 0; improved = candidates.tryAll()) {
    for (let i = 0; i < improved; i++) {
      const at = candidates.improved[i] + behind;
      const y = Math.floor(at / width);
      const x = at - y * width;
      if (x >= left && x < right && y >= top && y < bottom) addFrom(candidates, field, at, dx, dy);
    }
  }
}

/** Along rows. Items: rows of patches, which are independent of each other. */
export const PROPAGATE_ALONG: Pass<Propagation> = {
  name: 'selfexsr propagate along rows',
  work(match, from, to) {
    const [left, right] = [RADIUS, RADIUS + patchesAlong(match.field.width)];
    propagate(match, { left, right, top: RADIUS + from, bottom: RADIUS + to }, match.step, 0);
  },
};

/** Along columns. Items: columns of patches, which are independent of each other. */
export const PROPAGATE_DOWN: Pass<Propagation> = {
  name: 'selfexsr propagate along columns',
  work(match, from, to) {
    const [top, bottom] = [RADIUS, RADIUS + patchesAlong(match.field.height)];
    propagate(match, { left: RADIUS + from, right: RADIUS + to, top, bottom }, 0, match.step);
  },
};

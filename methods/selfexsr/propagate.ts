/** Propagation: each patch tries the transform of a neighbour that has changed. */

import type { Pass } from '../passes.ts';
import { isWithin, STRIDE } from './field.ts';
import { type Match, PatchCost } from './patch-cost.ts';
import { RADIUS } from './settings.ts';

interface Propagation extends Match {
  /** From where to where changes move: 1 towards the right or down, -1 towards the left or up. */
  readonly step: 1 | -1;
}

/** Tries, at patch `at`, the transform of the patch (dx, dy) before it. */
function follow(costs: PatchCost, { field }: Match, at: number, dx: number, dy: number): void {
  const { width, transforms, changed } = field;
  const neighbour = at - dy * width - dx;
  if (changed[neighbour] === 0) return;
  const from = neighbour * STRIDE;
  const a = transforms[from];
  const b = transforms[from + 1];
  const c = transforms[from + 2];
  const d = transforms[from + 3];
  const { candidate } = costs;
  candidate[0] = a;
  candidate[1] = b;
  candidate[2] = c;
  candidate[3] = d;
  candidate[4] = transforms[from + 4] + a * dx + c * dy;
  candidate[5] = transforms[from + 5] + b * dx + d * dy;
  if (isWithin(candidate, field) && costs.improve(at)) changed[at] = 1;
}

/** Along rows. Items: rows of patches, which are independent of each other. */
export const PROPAGATE_ALONG: Pass<Propagation> = {
  name: 'selfexsr propagate along rows',
  work(problem, from, to) {
    const { field, step } = problem;
    const costs = new PatchCost(problem);
    const patches = field.width - 2 * RADIUS;
    for (let y = RADIUS + from; y < RADIUS + to; y++) {
      const first = y * field.width + (step > 0 ? RADIUS : field.width - 1 - RADIUS);
      for (let i = 1; i < patches; i++) follow(costs, problem, first + i * step, step, 0);
    }
  },
};

/** Along columns. Items: columns of patches, which are independent of each other. */
export const PROPAGATE_DOWN: Pass<Propagation> = {
  name: 'selfexsr propagate along columns',
  work(problem, from, to) {
    const { field, step } = problem;
    const costs = new PatchCost(problem);
    const patches = field.height - 2 * RADIUS;
    const first = step > 0 ? RADIUS : field.height - 1 - RADIUS;
    for (let i = 1; i < patches; i++) {
      const row = (first + i * step) * field.width + RADIUS;
      for (let at = row + from; at < row + to; at++) follow(costs, problem, at, 0, step);
    }
  },
};

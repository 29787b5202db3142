/** Voting: each pixel is the weighted mean of what the patches that cover it bring from their sources. */

import type { Pass } from '../passes.ts';
import { STRIDE } from './field.ts';
import { type Match, sourceLevel } from './patch-cost.ts';
import type { Layer } from './resample.ts';
import { RADIUS, WEIGHTS } from './settings.ts';

interface Vote extends Match {
  readonly result: Layer;
}

/**
 * Here `sources` are the sharp images, where matching has the blurred ones. Pixels that no patch covers (all or none are)
 * are copied from the target. Items: rows of the result.
 */
export const VOTE: Pass<Vote> = {
  name: 'selfexsr vote',
  work({ field, target, sources, result }, from, to) {
    const { width, height, transforms, biases } = field;
    const sums = new Float64Array((to - from) * width * 3);
    const weights = new Float64Array((to - from) * width);
    const lastPatch = Math.min(height - RADIUS, to + RADIUS);
    for (let py = Math.max(RADIUS, from - RADIUS); py < lastPatch; py++) {
      for (let px = RADIUS; px < width - RADIUS; px++) {
        const at = py * width + px;
        const own = at * STRIDE;
        const a = transforms[own];
        const b = transforms[own + 1];
        const c = transforms[own + 2];
        const d = transforms[own + 3];
        const source = sources[sourceLevel(a * d - b * c)];
        const { data } = source;
        const sx = source.width / width;
        const sy = source.height / height;
        const u0 = (transforms[own + 4] + 0.5) * sx - 0.5;
        const v0 = (transforms[own + 5] + 0.5) * sy - 0.5;
        const below = source.width * 3;
        for (let dy = Math.max(-RADIUS, from - py); dy <= RADIUS && py + dy < to; dy++) {
          for (let dx = -RADIUS; dx <= RADIUS; dx++) {
            const u = Math.min(Math.max(u0 + sx * (a * dx + c * dy), 0), source.width - 1);
            const v = Math.min(Math.max(v0 + sy * (b * dx + d * dy), 0), source.height - 1);
            const left = Math.min(u | 0, source.width - 2);
            const top = Math.min(v | 0, source.height - 2);
            const fu = u - left;
            const fv = v - top;
            const p = (top * source.width + left) * 3;
            const q = p + below;
            const weight = WEIGHTS[RADIUS + dx] * WEIGHTS[RADIUS + dy];
            const pixel = (py + dy - from) * width + px + dx;
            weights[pixel] += weight;
            for (let k = 0; k < 3; k++) {
              const upper = data[p + k] + fu * (data[p + 3 + k] - data[p + k]);
              const lower = data[q + k] + fu * (data[q + 3 + k] - data[q + k]);
              const sample = upper + fv * (lower - upper);
              sums[pixel * 3 + k] += weight * (sample + biases[at * 3 + k]);
            }
          }
        }
      }
    }
    for (let i = 0, at = from * width * 3; i < sums.length; i++, at++) {
      const weight = weights[Math.floor(i / 3)];
      result.data[at] = weight > 0 ? sums[i] / weight : target.data[at];
    }
  },
};

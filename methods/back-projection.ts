/**
 * Iterative back-projection (Irani & Peleg, "Improving Resolution by Image Registration", CVGIP: Graphical Models and Image
 * Processing 53(3), 1991), of one picture: starts from bicubic interpolation, then repeatedly adds what shrinking the result
 * lacks of the given picture, enlarged.
 *
 * Ours: imresize's bicubic as the blur and as the back-projection, and a fixed number of rounds.
 */

import type { Plane } from '../image/plane.ts';
import { resizeSamplesInTurns } from '../image/resize.ts';
import type { LumaMethod } from './declaration.ts';

/** Corrections. Ten are within 0.01 dB of the limit on Set5. */
const ROUNDS = 10;

export const BACK_PROJECTION: LumaMethod = {
  reads: 'luma',
  name: 'ibp',
  summary: 'iterative back-projection: bicubic, corrected until it shrinks to the picture',
  source: 'Irani & Peleg, Improving Resolution by Image Registration, 1991',
  scale: 4,
  // Each round reaches 2 LR pixels in shrinking and 2 in enlarging, with weights that soon vanish.
  reach: 16,
  passes: [],
  async run(y, { onProgress, signal }) {
    const resized = async (plane: Plane, scale: number) =>
      await resizeSamplesInTurns({ ...plane, channels: 1 }, scale, { boundary: 'clamp', signal });
    const result = await resized(y, 4);
    for (let round = 1; round <= ROUNDS; round++) {
      const low = await resized(result, 1 / 4);
      const lacking = await resized({ ...y, data: low.data.map((value, i) => y.data[i] - value) }, 4);
      for (let i = 0; i < result.data.length; i++) result.data[i] += lacking.data[i];
      onProgress?.(round, ROUNDS);
    }
    return result;
  },
};

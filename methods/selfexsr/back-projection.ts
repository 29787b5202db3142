/**
 * Iterative back-projection (Irani & Peleg, "Improving Resolution by Image Registration", CVGIP 53(3), 1991): adds, enlarged
 * and blurred, what the shrunk result lacks.
 */

import { gaussianTaps } from '../../image/filter.ts';
import type { Taps } from '../../image/resize-taps.ts';
import { CORRECT, DIFFERENCE, type Layer, layerFor, resizing } from './resample.ts';
import type { Steps } from './steps.ts';

/** Corrections of each level. */
export const ROUNDS = 20;

/** The blur in one direction: the square of a Gaussian with a standard deviation of 1 pixel. */
const BLUR = gaussianTaps(2, Math.SQRT1_2);

/** The taps of a resizing to `length` samples, followed by BLUR with repeated edges. */
export function blurred({ taps, weight, index }: Taps, length: number): Taps {
  const rows = Array.from({ length }, (_, k) => {
    const row = new Map<number, number>();
    for (const [i, w] of BLUR.entries()) {
      const from = Math.min(length - 1, Math.max(0, k + i - 2)) * taps;
      for (let tap = from; tap < from + taps; tap++) {
        row.set(index[tap], (row.get(index[tap]) ?? 0) + w * weight[tap]);
      }
    }
    return row;
  });
  const most = Math.max(...rows.map(row => row.size));
  const joined = { taps: most, weight: new Float64Array(length * most), index: new Int32Array(length * most) };
  for (const [k, row] of rows.entries()) {
    joined.index.set([...row.keys()], k * most);
    joined.weight.set([...row.values()], k * most);
  }
  return joined;
}

/** Changes `image` until it nearly gives `wanted` when shrunk: X ← clip(X + f ∗ enlarge(wanted − shrink(X))), 20 times. */
export async function backProject(image: Layer, wanted: Layer, steps: Steps): Promise<void> {
  const lack = layerFor(steps.runner, wanted.width, wanted.height);
  const shrink = { from: image, to: lack, wanted, ...resizing(image, wanted) };
  const { down, across } = resizing(lack, image);
  const enlarge = { from: lack, to: image, down: blurred(down, image.height), across: blurred(across, image.width) };
  for (let round = 0; round < ROUNDS; round++) {
    await steps.run(DIFFERENCE, shrink, lack.height);
    await steps.run(CORRECT, enlarge, image.height, image.width * image.height);
  }
}

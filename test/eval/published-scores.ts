/** Compares the scores of interpolations with scores.json, picture by picture, and with the paper's table. */

import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect } from 'vitest';
import { meanScores, type Scores, scores } from '../../eval/protocols.ts';
import { listPictures, readPicture } from '../../image/files.node.ts';
import { type ResizeMethod, resize } from '../../image/resize.ts';
import { DATA, GOLDEN } from '../image/fixtures.ts';

/** Ledig et al. 2017, Table 2: PSNR and SSIM as printed. */
const PRINTED: Record<string, Record<string, readonly [string, string]>> = {
  nearest: { Set5: ['26.26', '0.7552'], Set14: ['24.64', '0.7100'], BSD100: ['25.02', '0.6606'] },
  bicubic: { Set5: ['28.43', '0.8211'], Set14: ['25.99', '0.7486'], BSD100: ['25.94', '0.6935'] },
};

type Golden = Record<string, Record<string, { mean: Scores; images: Record<string, Scores> }>>;

/** Half a unit of the last digit that scores.json holds, and a little for where ours and its were rounded. */
const TOLERANCE: Scores = { psnr: 0.51e-4, ssim: 0.51e-5, psnr_paper: 0.51e-4, ssim_paper: 0.51e-5 };

/** Why the check cannot run here, or undefined. */
export function whatIsMissing(): string | undefined {
  if (DATA === undefined) return 'DAYBREAK_DATA is not set: no benchmark pictures';
  return GOLDEN === undefined ? 'DAYBREAK_GOLDEN is not set: no scores.json' : undefined;
}

function expectEqual(got: Scores, wanted: Scores, what: string, units: number): void {
  for (const key of Object.keys(TOLERANCE) as (keyof Scores)[]) {
    expect(Math.abs(got[key] - wanted[key]), `${what} ${key}: ${got[key]}, not ${wanted[key]}`).toBeLessThan(
      units * TOLERANCE[key],
    );
  }
}

export async function checkPublishedScores(set: string, methods: readonly ResizeMethod[]): Promise<void> {
  const golden: Golden = JSON.parse(readFileSync(join(GOLDEN!, 'scores.json'), 'utf8'));
  const all = new Map<ResizeMethod, Scores[]>(methods.map(method => [method, []]));
  for (const path of await listPictures(join(DATA!, set, 'HR'))) {
    const name = basename(path, '.png');
    const original = await readPicture(path);
    const low = await readPicture(join(DATA!, set, 'LRx4', `${name}.png`));
    for (const [method, scored] of all) {
      const got = scores(resize(low, 4, { method }), original);
      scored.push(got);
      expectEqual(got, golden[method][set].images[name], `${method} ${name}`, 1);
    }
  }
  for (const [method, scored] of all) {
    const mean = meanScores(scored);
    // Its means are of figures that were rounded already: another half unit.
    expectEqual(mean, golden[method][set].mean, `${method} ${set}`, 2);
    const printed = PRINTED[method]?.[set];
    if (printed) expect([mean.psnr_paper.toFixed(2), mean.ssim_paper.toFixed(4)]).toEqual(printed);
  }
}

/** Compares methods' scores with scores.json, picture by picture, and with the paper's table. */

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { openDataSet, readPairs } from '../../eval/dataset.node.ts';
import { evaluateMethods } from '../../eval/evaluate.ts';
import type { Method } from '../../eval/methods.ts';
import type { Scores } from '../../eval/protocols.ts';
import { DATA } from '../image/fixtures.ts';

/** Ledig et al. 2017, Table 2: PSNR and SSIM as printed. */
const PRINTED: Record<string, Record<string, readonly [string, string]>> = {
  nearest: { Set5: ['26.26', '0.7552'], Set14: ['24.64', '0.7100'], BSD100: ['25.02', '0.6606'] },
  bicubic: { Set5: ['28.43', '0.8211'], Set14: ['25.99', '0.7486'], BSD100: ['25.94', '0.6935'] },
};

type Golden = Record<string, Record<string, { mean: Scores; images: Record<string, Scores> }>>;

/** How far a picture's scores, and the means, may be from those of scores.json. */
export interface Tolerance {
  readonly picture: Scores;
  readonly mean: Scores;
}

const both = (decibel: number, ssim: number): Scores => ({
  psnr: decibel,
  ssim,
  psnr_paper: decibel,
  ssim_paper: ssim,
});

/** Half a unit of the last digit that scores.json holds, and a little for where ours and its were rounded. */
const EXACT: Tolerance = {
  picture: both(0.51e-4, 0.51e-5),
  // Its means are of figures that were rounded already: another half unit.
  mean: both(1.02e-4, 1.02e-5),
};

const SCORES = join(process.env.DAYBREAK_GOLDEN ?? 'test/golden', 'scores.json');

/** Why the check cannot run here, or undefined. */
export function whatIsMissing(): string | undefined {
  if (DATA === undefined) return 'DAYBREAK_DATA is not set: no benchmark pictures';
  return existsSync(SCORES) ? undefined : `no ${SCORES}: set DAYBREAK_GOLDEN to the folder that holds it`;
}

function expectNear(got: Scores, wanted: Scores, tolerance: Scores, what: string): void {
  for (const key of Object.keys(tolerance) as (keyof Scores)[]) {
    const difference = Math.abs(got[key] - wanted[key]);
    expect(difference, `${what} ${key}: ${got[key]}, not ${wanted[key]}`).toBeLessThan(tolerance[key]);
  }
}

/**
 * Runs methods, by their names in scores.json, over a benchmark set, each picture read once; see `whatIsMissing`.
 */
export async function checkPublishedScores(
  set: string,
  methods: Readonly<Record<string, Method>>,
  tolerance: Tolerance = EXACT,
): Promise<void> {
  const golden = JSON.parse(readFileSync(SCORES, 'utf8')) as Golden;
  const onSkip = (error: Error) => expect.fail(error.message);
  const pairs = readPairs(await openDataSet(join(DATA!, set)), { onSkip });
  const evaluations = await evaluateMethods(Object.values(methods), pairs);
  for (const [i, name] of Object.keys(methods).entries()) {
    const { images, mean } = evaluations[i];
    const wanted = golden[name][set];
    expect(images.map(one => one.name).sort()).toEqual(Object.keys(wanted.images).sort());
    for (const one of images) expectNear(one, wanted.images[one.name], tolerance.picture, `${name} ${one.name}`);
    expectNear(mean!, wanted.mean, tolerance.mean, `${name} ${set}`);
    const printed = PRINTED[name]?.[set];
    if (printed) expect([mean!.psnr_paper.toFixed(2), mean!.ssim_paper.toFixed(4)]).toEqual(printed);
  }
}

/** SelfExSR on Set5, against the authors' outputs. */

import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openDataSet, readPairs } from '../../../eval/dataset.node.ts';
import { quality } from '../../../eval/protocols.ts';
import { createPicture, type Picture, toRgb } from '../../../image/picture.ts';
import { resize } from '../../../image/resize.ts';
import type { Runner } from '../../../methods/passes.ts';
import { selfExSR } from '../../../methods/selfexsr/selfexsr.ts';
import { ThreadedRunner } from '../../../methods/threads.node.ts';
import { DATA } from '../../image/fixtures.ts';

/** PSNR by the MATLAB protocol, from result_Set5_SRF_4.mat of the authors' repository. */
const AUTHORS: Readonly<Record<string, number>> = {
  baby: 33.121,
  bird: 32.853,
  butterfly: 24.172,
  head: 32.486,
  woman: 29.026,
};

/** Milliseconds; it takes half a minute on two idle cores. */
const PATIENCE = 1_800_000;

async function enlarged(lr: Picture, runner: Runner): Promise<Picture> {
  const { width, height, data } = toRgb(lr);
  const plane = (c: number) => Float32Array.from({ length: width * height }, (_, i) => data[i * 3 + c] / 255);
  const result = await selfExSR({ width, height, planes: [plane(0), plane(1), plane(2)] }, { runner });
  const out = new Uint8Array(result.width * result.height * 3);
  for (const [c, plane] of result.planes.entries()) {
    for (let i = 0; i < plane.length; i++) out[i * 3 + c] = Math.round(plane[i] * 255);
  }
  return createPicture(result.width, result.height, 3, out);
}

test(
  'SelfExSR on Set5 is as good as the authors’ program, and better than bicubic on every picture',
  async context => {
    if (DATA === undefined) return context.skip('DAYBREAK_DATA is not set: no benchmark pictures');
    using runner = new ThreadedRunner(2);
    let difference = 0;
    let pictures = 0;
    for await (const { name, hr, lr } of readPairs(await openDataSet(join(DATA, 'Set5')))) {
      const { psnr } = quality(await enlarged(lr, runner), hr, 'matlab');
      expect(psnr, name).toBeGreaterThan(quality(resize(lr, 4), hr, 'matlab').psnr);
      expect(Math.abs(psnr - AUTHORS[name]), `${name}: ${psnr}`).toBeLessThan(0.5);
      difference += psnr - AUTHORS[name];
      pictures++;
    }
    expect(pictures).toBe(5);
    expect(Math.abs(difference / pictures)).toBeLessThan(0.15);
  },
  PATIENCE,
);

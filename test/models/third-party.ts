/** Networks of others on benchmark sets, against scores computed by a numpy program of its own. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { openDataSet, readPairs } from '../../eval/dataset.node.ts';
import { evaluate } from '../../eval/evaluate.ts';
import { network } from '../../eval/methods.ts';
import { decodeModel } from '../../models/model-file.ts';
import { NetworkUpscaler } from '../../models/upscaler.ts';
import { DATA } from '../image/fixtures.ts';

/** PSNR and SSIM by the MATLAB protocol, then by the paper's. */
type Means = readonly [psnr: number, ssim: number, psnrPaper: number, ssimPaper: number];

/** Means over the sets. Set14's of VDSR are those of twtygqyy's network alone; Kim's was not run. */
export const THIRD_PARTY: Readonly<Record<string, Readonly<Partial<Record<'Set5' | 'Set14', Means>>>>> = {
  srcnn_915_x4: { Set5: [30.083, 0.8527, 30.086, 0.8638], Set14: [27.189, 0.7412, 27.19, 0.7868] },
  srcnn_955_x4: { Set5: [30.483, 0.8625, 30.484, 0.8729], Set14: [27.481, 0.751, 27.481, 0.7953] },
  vdsr_official: { Set5: [31.332, 0.8833, 31.334, 0.8926] },
  vdsr: { Set5: [31.426, 0.8843, 31.426, 0.8937], Set14: [28.048, 0.7684, 28.047, 0.8088] },
  espcn_vkhoi_x4: { Set5: [30.737, 0.8668, 30.738, 0.877], Set14: [27.629, 0.7555, 27.63, 0.7995] },
  // Below bicubic: it was trained on LR without antialiasing.
  espcn_opencv_x4: { Set5: [28.371, 0.8127, 28.381, 0.8215] },
};

const FOLDER = process.env.DAYBREAK_WEIGHTS;
const pathOf = (name: string): string => join(FOLDER ?? '', `${name}.safetensors`);

/** Why the check cannot run here, or undefined. */
export function whatIsMissingFor(name: string): string | undefined {
  if (FOLDER === undefined) return `DAYBREAK_WEIGHTS is not set: no ${name}.safetensors`;
  if (!existsSync(pathOf(name))) return `no ${pathOf(name)}`;
  return DATA === undefined ? 'DAYBREAK_DATA is not set: no benchmark pictures' : undefined;
}

/** Scores a network on a set; the means must be within 0.01 dB and 0.0003. */
export async function checkThirdParty(name: string, set: 'Set5' | 'Set14'): Promise<void> {
  using net = decodeModel(readFileSync(pathOf(name)), pathOf(name));
  using upscaler = new NetworkUpscaler(net, name);
  const { mean } = await evaluate(network(upscaler), readPairs(await openDataSet(join(DATA!, set))));
  const [psnr, ssim, psnrPaper, ssimPaper] = THIRD_PARTY[name][set]!;
  const near = (got: number, wanted: number, most: number) =>
    expect(Math.abs(got - wanted), `${name} ${set}: ${got}, not ${wanted}`).toBeLessThan(most);
  near(mean!.psnr, psnr, 0.01);
  near(mean!.psnr_paper, psnrPaper, 0.01);
  near(mean!.ssim, ssim, 0.0003);
  near(mean!.ssim_paper, ssimPaper, 0.0003);
}

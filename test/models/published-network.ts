/** Trained networks of others, where they are found, and how near our scores of them must be to those of scores.json. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { network } from '../../eval/methods.ts';
import { decodeModel } from '../../models/model-file.ts';
import { NetworkUpscaler } from '../../models/upscaler.ts';
import { checkPublishedScores, type Tolerance, whatIsMissing } from '../eval/published-scores.ts';

/** As the paper's but for the number of blocks, and one that differs in every way that our networks may. */
export const PUBLISHED = ['srresnet8_x4', 'srgan_x4'] as const;
type Published = (typeof PUBLISHED)[number];

const FOLDER = process.env.DAYBREAK_WEIGHTS;
const pathOf = (name: Published): string => join(FOLDER ?? '', `${name}.safetensors`);

/** Why the check cannot run here, or undefined. */
export function whatIsMissingForScores(name: Published): string | undefined {
  if (FOLDER === undefined) return `DAYBREAK_WEIGHTS is not set: no ${name}.safetensors`;
  return existsSync(pathOf(name)) ? whatIsMissing() : `no ${pathOf(name)}`;
}

/** Levels on the edge of rounding may fall on the other side: float32 sums have no order that all agree on. */
const NEAR: Tolerance = {
  picture: { psnr: 0.001, ssim: 0.00005, psnr_paper: 0.001, ssim_paper: 0.00005 },
  mean: { psnr: 0.001, ssim: 0.00005, psnr_paper: 0.001, ssim_paper: 0.00005 },
};

/** Scores a network on a benchmark set, picture by picture. */
export async function checkPublishedNetwork(name: Published, set: string): Promise<void> {
  using net = decodeModel(readFileSync(pathOf(name)), pathOf(name));
  using upscaler = new NetworkUpscaler(net, name);
  await checkPublishedScores(set, { [name]: network(upscaler) }, NEAR);
}

/** A trained network of others, where it is found, and how near our scores of it must be to those of scores.json. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { network } from '../../eval/methods.ts';
import { decodeModel } from '../../models/model-file.ts';
import { SRResNetUpscaler } from '../../models/upscaler.ts';
import { checkPublishedScores, type Tolerance, whatIsMissing } from '../eval/published-scores.ts';

const NAME = 'srresnet8_x4';
const FOLDER = process.env.DAYBREAK_WEIGHTS;
const PATH = join(FOLDER ?? '', `${NAME}.safetensors`);

/** Why the check cannot run here, or undefined. */
export function whatIsMissingForScores(): string | undefined {
  if (FOLDER === undefined) return `DAYBREAK_WEIGHTS is not set: no ${NAME}.safetensors`;
  return existsSync(PATH) ? whatIsMissing() : `no ${PATH}`;
}

/** Levels on the edge of rounding may fall on the other side: float32 sums have no order that all agree on. */
const NEAR: Tolerance = {
  picture: { psnr: 0.001, ssim: 0.00005, psnr_paper: 0.001, ssim_paper: 0.00005 },
  mean: { psnr: 0.001, ssim: 0.00005, psnr_paper: 0.001, ssim_paper: 0.00005 },
};

/** Scores srresnet8_x4 on a benchmark set, picture by picture. */
export async function checkPublishedNetwork(set: string): Promise<void> {
  using net = decodeModel(readFileSync(PATH), PATH);
  using upscaler = new SRResNetUpscaler(net, NAME);
  await checkPublishedScores(set, NAME, network(upscaler), NEAR);
}

/** Scores as a table for people. */

import Table from 'cli-table3';
import type { PictureScores } from '../eval/evaluate.ts';
import { PROTOCOLS, type Scores } from '../eval/protocols.ts';

/** One row a picture and one for the mean, in both protocols, which are explained below the table. */
export function scoreTable(images: readonly PictureScores[], mean: Scores): string {
  const table = new Table({
    head: ['', 'PSNR dB\nmatlab', 'SSIM\nmatlab', 'PSNR dB\npaper', 'SSIM\npaper'],
    colAligns: ['left', 'right', 'right', 'right', 'right'],
    style: { head: [], border: [], compact: true },
  });
  for (const { name, ...scores } of images) table.push([name, ...figures(scores)]);
  table.push([`mean of ${images.length}`, ...figures(mean)]);
  const explained = Object.entries(PROTOCOLS).map(([name, meaning]) => `${name}: ${meaning}`);
  return [table.toString(), ...explained].join('\n');
}

/** PSNR to three decimals, SSIM to four, in the table's order. */
function figures({ psnr, ssim, psnr_paper, ssim_paper }: Scores): string[] {
  const decibel = (value: number) => (Number.isFinite(value) ? value.toFixed(3) : 'equal');
  return [decibel(psnr), ssim.toFixed(4), decibel(psnr_paper), ssim_paper.toFixed(4)];
}

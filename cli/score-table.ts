/** Scores as a table for people. */

import Table from 'cli-table3';
import type { Figures, PictureScores, TextureFigures } from '../eval/evaluate.ts';
import { PROTOCOLS } from '../eval/protocols.ts';
import { TEXTURE } from '../eval/texture.ts';

/** A column: its head, and what stands in it. */
interface Column {
  readonly head: string;
  readonly of: (figures: Figures) => string;
}

const decibel = (value: number) => (Number.isFinite(value) ? value.toFixed(3) : 'equal');
const ratio = (value: number | undefined) => value?.toFixed(3) ?? '';

const SCORES: readonly Column[] = [
  { head: 'PSNR dB\nmatlab', of: ({ psnr }) => decibel(psnr) },
  { head: 'SSIM\nmatlab', of: ({ ssim }) => ssim.toFixed(4) },
  { head: 'PSNR dB\npaper', of: ({ psnr_paper }) => decibel(psnr_paper) },
  { head: 'SSIM\npaper', of: ({ ssim_paper }) => ssim_paper.toFixed(4) },
];

/** One row a picture and one for the mean, in both protocols, which are explained below the table. */
export function scoreTable(images: readonly PictureScores[], mean: Figures, vgg?: string): string {
  return table('', [...images, { name: `mean of ${images.length}`, ...mean }], vgg);
}

/** One row a method: its means. */
export function methodTable(means: readonly (Figures & { readonly name: string })[], vgg?: string): string {
  return table('mean', means, vgg);
}

/** `vgg`: what the distance is measured by, for the explanation. */
function table(corner: string, rows: readonly (Figures & { readonly name: string })[], vgg = ''): string {
  const asked = (key: keyof TextureFigures) => rows.some(row => row[key] !== undefined);
  const columns = [
    ...SCORES,
    ...(asked('texture') ? [{ head: 'texture', of: ({ texture }: Figures) => ratio(texture) }] : []),
    ...(asked('vgg_distance')
      ? [{ head: 'VGG\ndistance', of: ({ vgg_distance }: Figures) => ratio(vgg_distance) }]
      : []),
  ];
  const drawn = new Table({
    head: [corner, ...columns.map(({ head }) => head)],
    colAligns: ['left', ...columns.map(() => 'right' as const)],
    style: { head: [], border: [], compact: true },
  });
  for (const { name, ...figures } of rows) drawn.push([name, ...columns.map(({ of }) => of(figures))]);
  const explained = Object.entries(PROTOCOLS).map(([name, meaning]) => `${name}: ${meaning}`);
  if (asked('texture')) explained.push(`texture: ${TEXTURE}`);
  if (asked('vgg_distance')) explained.push(`VGG distance: ${vgg}`);
  return [drawn.toString(), ...explained].join('\n');
}

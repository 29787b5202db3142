/** Scores as a table. */

import Table from 'cli-table3';
import type { Figures, MeanFigures, PictureScores, TextureFigures } from '../eval/evaluate.ts';
import { NIQE } from '../eval/niqe.ts';
import { decimals, PROTOCOLS, type Protocol, RGB } from '../eval/protocols.ts';
import { TEXTURE } from '../eval/texture.ts';

/** A column: its head, and its cell for a row's figures. */
interface Column {
  readonly head: string;
  readonly of: (figures: Figures) => string;
}

const ratio = (value: number | undefined) => (value === undefined ? '' : decimals(value, 3));

const SCORES: readonly Column[] = [
  { head: 'PSNR dB\nmatlab', of: ({ psnr }) => decimals(psnr, 3) },
  { head: 'SSIM\nmatlab', of: ({ ssim }) => ssim.toFixed(4) },
  { head: 'PSNR dB\npaper', of: ({ psnr_paper }) => decimals(psnr_paper, 3) },
  { head: 'SSIM\npaper', of: ({ ssim_paper }) => ssim_paper.toFixed(4) },
];

/** A method's mean scores over a set of `pictures` pictures. */
export interface MethodMeans {
  readonly label: string;
  readonly mean: MeanFigures;
  readonly pictures: number;
}

/** A table with a row for each picture and one for the mean, and the meaning of its columns below. */
export function scoreTable(images: readonly PictureScores[], mean: MeanFigures, vgg?: string): string {
  const pictures = images.length;
  const rows = [...images, { name: `mean of ${pictures}`, ...mean }];
  return table('', rows, vgg, exclusions('mean', { mean, pictures }));
}

/** A table with a row of mean scores for each method. */
export function methodTable(methods: readonly MethodMeans[], vgg?: string): string {
  const most = Math.max(...methods.map(({ pictures }) => pictures));
  // A mean over fewer pictures than the others cannot be compared with theirs.
  const rows = methods.map(({ label, mean, pictures }) => ({
    name: pictures < most ? `${label} (${pictures} of ${most} pictures)` : label,
    ...mean,
  }));
  return table(
    'mean',
    rows,
    vgg,
    methods.flatMap(method => exclusions(method.label, method)),
  );
}

/** "mean: PSNR of 1 of 2 pictures (1 identical: ∞)"; empty if the mean includes all pictures. */
function exclusions(name: string, { mean, pictures }: Pick<MethodMeans, 'mean' | 'pictures'>): string[] {
  const { identical = 0, identical_paper = 0, identical_rgb = 0 } = mean;
  const of = (protocol: Protocol | 'RGB' | undefined, count: number) =>
    `${name}: PSNR${protocol === undefined ? '' : ` by ${protocol}`} of ${pictures - count} of ${pictures} pictures ` +
    `(${count} identical: ∞)`;
  const rgb = identical_rgb === 0 || identical_rgb === identical ? [] : [of('RGB', identical_rgb)];
  if (identical === identical_paper) return [...(identical === 0 ? [] : [of(undefined, identical)]), ...rgb];
  return [
    ...(identical === 0 ? [] : [of('matlab', identical)]),
    ...(identical_paper === 0 ? [] : [of('paper', identical_paper)]),
    ...rgb,
  ];
}

/** `vgg`: what the distance is measured by, for the explanation. `notes` stand right below the table. */
function table(
  corner: string,
  rows: readonly (Figures & { readonly name: string })[],
  vgg: string | undefined,
  notes: readonly string[],
): string {
  const has = (key: keyof TextureFigures) => rows.some(row => row[key] !== undefined);
  const columns = [
    ...SCORES,
    ...(has('psnr_rgb') ? [{ head: 'PSNR dB\nRGB', of: ({ psnr_rgb }: Figures) => ratio(psnr_rgb) }] : []),
    ...(has('niqe') ? [{ head: 'NIQE', of: ({ niqe }: Figures) => ratio(niqe) }] : []),
    ...(has('texture') ? [{ head: 'texture', of: ({ texture }: Figures) => ratio(texture) }] : []),
    ...(has('vgg_distance') ? [{ head: 'VGG\ndistance', of: ({ vgg_distance }: Figures) => ratio(vgg_distance) }] : []),
  ];
  const drawn = new Table({
    head: [corner, ...columns.map(({ head }) => head)],
    colAligns: ['left', ...columns.map(() => 'right' as const)],
    style: { head: [], border: [], compact: true },
  });
  for (const { name, ...figures } of rows) drawn.push([name, ...columns.map(({ of }) => of(figures))]);
  const explained = Object.entries(PROTOCOLS).map(([name, meaning]) => `${name}: ${meaning}`);
  if (has('psnr_rgb')) explained.push(`RGB: ${RGB}`);
  if (has('niqe')) explained.push(`NIQE: ${NIQE}`);
  if (has('texture')) explained.push(`texture: ${TEXTURE}`);
  if (has('vgg_distance')) explained.push(`VGG distance: ${vgg}`);
  return [drawn.toString(), ...notes, ...explained].join('\n');
}
